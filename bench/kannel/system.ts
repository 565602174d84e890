/**
 * Kannel with a small HTTP application behind it, and Redis: what an operator has who does not have the daemon. Debian:
 * `apt-get install kannel`, and a C compiler for nodelay.c.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { benchDir, crewOf, familyCpuSeconds, freePort, startPhones, startRedis, type Crew } from '../processes.ts'
import { WALK_SCREENS } from '../scenarios.ts'
import type { System } from '../systems.ts'

export interface KannelSystem extends System {
  /** Without Nagle's wait: there was a compiler. */
  isNoDelay: boolean
}

const here = join(benchDir, 'kannel')
const PATH = `${process.env.PATH}:/usr/sbin:/usr/local/sbin`
const LOOK_MS = 100
const READY_MS = 20_000
/** Its boxes write every octet to stderr unless told: warnings only, as in their log files. */
const QUIET = ['-v', '2']

export function isKannelInstalled(): boolean {
  return whereIs('bearerbox') !== undefined && whereIs('smsbox') !== undefined
}

function whereIs(program: string): string | undefined {
  try {
    const env = { ...process.env, PATH }
    return execFileSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8', env }).trim()
  } catch {
    return undefined
  }
}

export function kannelSystem(recordOctets: number): Promise<KannelSystem> {
  return crewOf('kannel', async (crew) => {
    const redis = await startRedis(crew)
    const phones = await startPhones(crew)
    const ports = { ADMIN: await freePort(), BOX: await freePort(), SENDSMS: await freePort(), APP: await freePort() }
    const conf = confAt(crew, { ...ports, SMPP: phones.port })
    const preload = withoutNagle(crew)
    const env = preload === undefined ? {} : { LD_PRELOAD: preload }
    const screens = JSON.stringify(WALK_SCREENS)
    const args = [ports.APP, redis.port, recordOctets].map(String)
    const program = ['--max-semi-space-size=64', join(here, 'application.mjs'), ...args, screens]
    const application = crew.start('application', process.execPath, program)
    const bearerbox = crew.start('bearerbox', whereIs('bearerbox')!, [...QUIET, conf], { env })
    await crew.until(phones.bound)
    const smsbox = crew.start('smsbox', whereIs('smsbox')!, [...QUIET, conf], { env })
    await crew.until(smsboxThere(ports.ADMIN))
    return {
      name: 'Kannel',
      isNoDelay: preload !== undefined,
      process: bearerbox,
      walk: (order) => crew.until(phones.walk(order)),
      cpu: () => ({
        bearerbox: familyCpuSeconds(bearerbox.pid!),
        smsbox: familyCpuSeconds(smsbox.pid!),
        application: familyCpuSeconds(application.pid!),
        Redis: familyCpuSeconds(redis.process.pid!),
      }),
      clear: redis.clear,
      stop: crew.stop,
    }
  })
}

function confAt({ dir }: Crew, ports: Record<string, number>): string {
  const text = readFileSync(join(here, 'kannel.conf'), 'utf8')
  const file = join(dir, 'kannel.conf')
  const filled = text
    .replace(/\b([A-Z]+)_PORT\b/g, (_, name: string) => String(ports[name]))
    .replaceAll('DIR/', `${dir}/`)
  writeFileSync(file, filled)
  return file
}

/** undefined: there is no C compiler. */
function withoutNagle({ dir }: Crew): string | undefined {
  const library = join(dir, 'nodelay.so')
  try {
    execFileSync('cc', ['-shared', '-fPIC', '-O2', '-o', library, join(here, 'nodelay.c'), '-ldl'], { stdio: 'ignore' })
    return library
  } catch {
    return undefined
  }
}

/** A message that comes before smsbox is there waits until Kannel looks again. */
async function smsboxThere(admin: number): Promise<void> {
  const untilMs = performance.now() + READY_MS
  while (performance.now() < untilMs) {
    const status = await fetch(`http://127.0.0.1:${admin}/status.txt?password=admin`).then((answer) => answer.text())
    if (/smsbox:.*on-line/.test(status)) return
    await new Promise((done) => setTimeout(done, LOOK_MS))
  }
  throw new Error('smsbox did not connect to bearerbox')
}
