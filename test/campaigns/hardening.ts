/** What is wrong with the systemd unit, the Dockerfile and the compose file, as far as it can be read off them. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

/** As `systemd-analyze security` scores: 0 locked up, 10 open. */
export const EXPOSURE_MAX = 1.5

/** The score of a unit; undefined where systemd-analyze is not to be had or is too old to work offline. */
export function exposure(unit: string): number | undefined {
  const run = spawnSync('systemd-analyze', ['security', '--offline=true', '--no-pager', unit], { encoding: 'utf8' })
  const found = /Overall exposure level for \S+: ([\d.]+)/.exec(run.stdout ?? '')
  return found ? Number(found[1]) : undefined
}

/** Directives that the unit must have, and why one would miss them. */
const UNIT: readonly (readonly [directive: RegExp, why: string])[] = [
  [/^DynamicUser=yes$/m, 'it would run as root'],
  [/^LimitCORE=0$/m, 'a core dump holds numbers and passwords'],
  [/^UMask=0077$/m, 'what it writes could be read by others'],
  [/^NoNewPrivileges=yes$/m, 'a set-uid program could lift it'],
  [/^CapabilityBoundingSet=$/m, 'it needs no capability'],
  [/^ProtectSystem=strict$/m, 'it writes to its state folder only'],
  [/^IPAddressDeny=any$/m, 'it would speak to anybody'],
  [/^LoadCredential=/m, 'secrets would be files that others can read, or environment'],
  [/^Restart=always$/m, 'it would stay down'],
  [/^StartLimitBurst=\d+$/m, 'a daemon that cannot start would hammer the SMSC'],
]

export function unitFaults(text: string): string[] {
  const faults = UNIT.filter(([directive]) => !directive.test(text)).map(
    ([directive, why]) => `${directive.source}: ${why}`,
  )
  if (/^Environment=[^=]*(PASSWORD|TOKEN|SECRET)(?!S?_FILE=)/im.test(text))
    faults.push('a secret in Environment=: anybody may read it')
  return faults
}

const SECRET = /(password|passwd|token|secret|api_?key)\s*[=:]\s*\S+/i

/** `root`: the folder that it is built in. */
export function dockerfileFaults(text: string, root: string): string[] {
  const faults: string[] = []
  const lines = text
    .replace(/\\\n/g, ' ')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line && !line.startsWith('#'))
  const args = new Map(
    lines
      .flatMap((line) => [/^ARG (\w+)=(\S+)$/.exec(line)])
      .flatMap((found) => (found ? [[found[1]!, found[2]!]] : [])),
  )
  const stages = lines.flatMap((line) => /^FROM (\S+)(?: AS (\S+))?/i.exec(line)?.slice(1) ?? [])
  const ours = new Set(lines.flatMap((line) => /^FROM \S+ AS (\S+)/i.exec(line)?.[1] ?? []))
  for (const line of lines.filter((one) => /^FROM /i.test(one))) {
    const image = line.split(/\s+/)[1]!.replace(/\$\{(\w+)\}/g, (_, name: string) => args.get(name) ?? '')
    if (!ours.has(image) && !isPinned(image)) faults.push(`${image}: name a version and a distribution, or a digest`)
  }
  const last = lines.slice(lines.findLastIndex((line) => /^FROM /i.test(line)))
  const user = last.findLast((line) => line.startsWith('USER '))?.slice(5) ?? 'root'
  if (!/^[1-9]\d{3,}(:\d+)?$/.test(user))
    faults.push(`USER ${user}: a number that is not root's, which a kubelet can check`)
  if (!last.some((line) => /^STOPSIGNAL SIGTERM$/.test(line))) faults.push('no STOPSIGNAL SIGTERM')
  if (!last.some((line) => /^HEALTHCHECK .*CMD \[/.test(line)))
    faults.push('no health check without a shell (CMD [ … ])')
  if (!last.some((line) => line.startsWith('ENTRYPOINT [')))
    faults.push('ENTRYPOINT in shell form: signals would go to the shell')
  if (lines.some((line) => /npm (ci|install|prune)/.test(line) && !line.includes('--ignore-scripts')))
    faults.push('npm runs install scripts')
  if (lines.some((line) => /^(ENV|ARG|RUN) /.test(line) && SECRET.test(line))) faults.push('a secret in a layer')
  if (lines.some((line) => line.startsWith('ADD '))) faults.push('ADD fetches and unpacks: COPY')
  if (lines.some((line) => line.startsWith('COPY . '))) faults.push('COPY . takes what lies about: name the folders')
  for (const line of lines.filter((one) => /^COPY (?!--from)/.test(one))) {
    for (const source of line.split(/\s+/).slice(1, -1))
      if (!existsSync(join(root, source))) faults.push(`COPY ${source}: is not there`)
  }
  return stages.length ? faults : ['no FROM']
}

/** A digest, or a tag with a version in it; never `latest`. */
function isPinned(image: string): boolean {
  if (/@sha256:[0-9a-f]{64}$/.test(image)) return true
  const tag = /:([\w.-]+)$/.exec(image)?.[1] ?? 'latest'
  return /^\d/.test(tag) && tag.includes('-')
}

interface ComposeService {
  image?: string
  build?: unknown
  read_only?: boolean
  cap_drop?: string[]
  security_opt?: string[]
  pids_limit?: number
  mem_limit?: string
  ulimits?: { core?: unknown }
  user?: string
  privileged?: boolean
  network_mode?: string
  ports?: string[]
  volumes?: string[]
  stop_grace_period?: string
  command?: string[]
  environment?: Record<string, unknown>
}

/** Stores: nobody but the daemon speaks to them. */
const STORES = /^(redis|postgres)/

export function composeFaults(text: string): string[] {
  const { services = {} } = parse(text, { merge: true }) as { services?: Record<string, ComposeService> }
  return Object.entries(services).flatMap(([name, it]) => serviceFaults(name, it).map((fault) => `${name}: ${fault}`))
}

function serviceFaults(name: string, it: ComposeService): string[] {
  const faults: string[] = []
  const need = (good: unknown, fault: string): void => void (good || faults.push(fault))
  need(it.read_only, 'read_only: true')
  need(it.cap_drop?.includes('ALL'), 'cap_drop: [ALL]')
  need(it.security_opt?.includes('no-new-privileges:true'), 'security_opt: no-new-privileges')
  need(it.pids_limit && it.pids_limit <= 256, 'pids_limit')
  need(it.mem_limit, 'mem_limit')
  need(it.ulimits?.core === 0, 'ulimits: core: 0, since a core dump holds numbers and passwords')
  need(it.stop_grace_period, 'stop_grace_period')
  need(
    it.build !== undefined || isPinned(it.image ?? ''),
    `image ${it.image}: name a version and a distribution, or a digest`,
  )
  // Our own image says its user; a store's starts as root unless told.
  need(it.build !== undefined || (it.user && !/^(0|root)\b/.test(it.user)), 'user: it would start as root')
  need(!it.privileged && it.network_mode !== 'host', 'privileged, or in the network of the host')
  need(!it.volumes?.some((volume) => /docker\.sock|^\/(:|$)/.test(volume)), 'the host itself as a volume')
  need(it.ports?.every((port) => port.startsWith('127.0.0.1:')) ?? true, 'a port that is published to everybody')
  need(!(STORES.test(name) && it.ports), 'a store that is published')
  need(
    !name.startsWith('redis') || it.command?.includes('/run/secrets/redis_conf'),
    'no file with requirepass: everybody in its network writes to it',
  )
  need(
    !Object.keys(it.environment ?? {}).some((key) => /(PASSWORD|TOKEN|SECRET)$/i.test(key)),
    'a secret in the environment: a file',
  )
  return faults
}
