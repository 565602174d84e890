import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import { readTokens, tokenHash } from '../../src/admin/access.ts'
import { parseSettings } from '../../src/config/load.ts'
import { settingsSchema } from '../../src/config/schema.ts'
import { parseStoreKeys } from '../../src/store/key-file.ts'
import { composeFaults, dockerfileFaults, exposure, EXPOSURE_MAX, unitFaults } from '../campaigns/hardening.ts'
import { root } from './tree.ts'

const read = (file: string) => readFileSync(join(root, file), 'utf8')

const UNITS = ['deploy/ussd-connector.service', 'deploy/ussd-connector@.service'] as const

for (const file of UNITS) {
  describe(`the systemd unit ${file}`, () => {
    const unit = read(file)
    it('has what it must have', () => {
      assert.deepEqual(unitFaults(unit), [])
      assert.deepEqual(unitFaults(unit.replace('LimitCORE=0', '')).length, 1)
      assert.deepEqual(unitFaults(unit.replace('DynamicUser=yes', 'User=root')).length, 1)
      assert.deepEqual(unitFaults(`${unit}\nEnvironment=SMSC_PASSWORD=x\n`).length, 1)
    })
    it(`is scored ${EXPOSURE_MAX} at most by systemd itself`, function () {
      const score = exposure(join(root, file))
      if (score === undefined) return this.skip() // no systemd-analyze here, or one that cannot work offline
      assert.ok(score <= EXPOSURE_MAX, String(score))
    })
    it('is understood by systemd', function () {
      const run = spawnSync('systemd-analyze', ['verify', '--man=no', join(root, file)], { encoding: 'utf8' })
      if (run.error) return this.skip() // no systemd-analyze here
      const said = run.stderr.split('\n').filter((line) => line.includes('ussd-connector'))
      // The program need not be installed on this machine.
      assert.deepEqual(
        said.filter((line) => !/is not executable|Failed to prepare filename/.test(line)),
        [],
      )
    })
  })
}

describe('the template of a unit for each core', () => {
  const template = read(UNITS[1])
  const settings = `
lines: [{ name: north, smsc: { host: 127.0.0.1, port: 2775, systemId: ussd, passwordFile: /run/credentials/x } }]
services: [{ code: "*1#", flow: menu }]
redis: { url: "redis://127.0.0.1:6379/0", passwordFile: /run/credentials/x }
postgres: { url: "postgres://ussd@127.0.0.1:5432/ussd", passwordFile: /run/credentials/x }
`
  it('is the plain unit, but for what an instance has of its own', () => {
    const own = /^(Description|WorkingDirectory|StateDirectory|Environment=USSD_CONNECTOR_\w+)=/
    const rest = (unit: string) => unit.split('\n').filter((line) => !line.startsWith('#') && !own.test(line))
    assert.deepEqual(rest(template), rest(read(UNITS[0])))
  })
  it('sets, over one settings file, what instances must not share', () => {
    const dir = mkdtempSync(join(tmpdir(), 'ussd-credentials-'))
    try {
      for (const name of ['smsc', 'postgres', 'redis']) {
        writeFileSync(join(dir, `${name}_password`), `${name}-pw\n`, { mode: 0o600 })
      }
      const set = (port: string) => {
        const lines = [
          ...template
            .replaceAll('%i', port)
            .replaceAll('%d', dir)
            .matchAll(/^Environment=(\w+)=(.*)$/gm),
        ]
        return parseSettings(settings, 'test', Object.fromEntries(lines.map(([, name, value]) => [name!, value!])))
          .settings
      }
      const [one, two] = [set('8123'), set('8124')]
      assert.deepEqual([one.admin.port, two.admin.port], [8123, 8124])
      assert.notEqual(one.data, two.data)
      assert.equal(one.lines[0]?.smsc.password, 'smsc-pw')
      assert.match((one.postgres as { url: string }).url, /:postgres-pw@/)
      assert.match((one.redis as { url: string }).url, /:redis-pw@/)
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  })
})

describe('the systemd units', () => {
  const unit = read(UNITS[0])
  it('is given longer to stop than the daemon takes at most', () => {
    const settings = settingsSchema.parse(parse(read('deploy/compose-connector.yaml')))
    const hardMs = settings.stopMs + 10_000
    assert.ok(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)![1]) * 1_000 > hardMs)
    assert.ok(
      Number(/connector:[\s\S]*stop_grace_period: (\d+)s/.exec(read('deploy/compose.yaml'))![1]) * 1_000 > hardMs,
    )
  })
})

describe('the installation for systemd in docs/OPERATIONS.md', () => {
  let prefix: string
  const installed = (path: string) => statSync(join(prefix, path)).mode & 0o777
  before(() => {
    prefix = mkdtempSync(join(tmpdir(), 'ussd-install-'))
    const clone = join(prefix, 'clone')
    const folders = ['dist/src/cli', 'flows', 'dialects', 'contracts', 'node_modules', 'docs', 'deploy']
    const files = [
      'package.json',
      'connector.yaml',
      'smsc_password',
      'postgres_password',
      'redis_password',
      'dist/src/cli/main.js',
      'docs/OPERATIONS.md',
    ]
    for (const folder of folders) mkdirSync(join(clone, folder), { recursive: true })
    for (const file of files) writeFileSync(join(clone, file), '')
    cpSync(join(root, 'deploy/ussd-connector.service'), join(clone, 'deploy/ussd-connector.service'))
    mkdirSync(join(prefix, 'etc/systemd/system'), { recursive: true })
    const block = /## systemd[\s\S]*?```sh\n([\s\S]*?)```/.exec(read('docs/OPERATIONS.md'))![1]!
    const copies = block
      .split('\n')
      .filter((line) => !/^(npm|systemctl|systemd-analyze)/.test(line))
      .join('\n')
    const here = copies.replace(/ \/(opt|etc)\//g, ` ${prefix}/$1/`)
    execFileSync('sh', ['-eu', '-c', `mkdir -p ${prefix}/opt; umask 022; ${here}`], { cwd: clone })
  })
  after(() => rmSync(prefix, { recursive: true, force: true }))

  it('puts every file where the unit looks for it', () => {
    const unit = read('deploy/ussd-connector.service')
    const named = [
      ...unit.matchAll(/(?:file:|LoadCredential=\w+:|--config | )\/((?:opt|etc)\/ussd-connector\/[\w./]+)/g),
    ]
      .filter((found) => !unit.slice(unit.lastIndexOf('\n', found.index) + 1).startsWith('#'))
      .map((found) => found[1]!)
    assert.equal(named.length, 6)
    for (const file of named) assert.ok(existsSync(join(prefix, file)), file)
  })
  it('lets the daemon, who is nobody, read its settings, and nobody but root the secrets', () => {
    const modes = (...names: string[]) => names.map((name) => installed(`etc/ussd-connector/${name}`))
    assert.deepEqual(modes('', 'connector.yaml', 'flows'), [0o755, 0o644, 0o755])
    assert.deepEqual(modes('smsc_password', 'postgres_password', 'redis_password'), [0o600, 0o600, 0o600])
  })
})

describe('the Dockerfile', () => {
  const text = read('Dockerfile')
  const faults = (from: string | RegExp, to: string) => dockerfileFaults(text.replace(from, to), root)
  it('runs as nobody in particular, pinned, without scripts, shells or secrets', () => {
    assert.deepEqual(dockerfileFaults(text, root), [])
    assert.match(faults('USER 65532:65532\nEXPOSE', 'EXPOSE')[0]!, /USER root/)
    assert.match(faults('node:24-bookworm-slim\n', 'node:latest\n').join(), /node:latest/)
    assert.deepEqual(faults('node:24-bookworm-slim\n', `node@sha256:${'a'.repeat(64)}\n`), [])
    assert.match(faults('npm ci --ignore-scripts', 'npm ci')[0]!, /scripts/)
    assert.match(faults('ENV NODE_ENV=production', 'ENV SMSC_PASSWORD=hunter2')[0]!, /secret/)
    assert.match(faults('COPY flows flows', 'COPY . .')[0]!, /lies about/)
    assert.match(faults('COPY flows flows', 'COPY menus menus')[0]!, /menus: is not there/)
    assert.match(
      faults(
        'ENTRYPOINT ["node", "--max-semi-space-size=64", "/app/dist/src/cli/main.js"]',
        'ENTRYPOINT node dist',
      )[0]!,
      /ENTRYPOINT/,
    )
    assert.match(faults('STOPSIGNAL SIGTERM', '')[0]!, /STOPSIGNAL/)
  })
})

describe('the compose file', () => {
  const text = read('deploy/compose.yaml')
  const faults = (from: string | RegExp, to: string) => composeFaults(text.replace(from, to))
  it('locks every service up and publishes no store', () => {
    assert.deepEqual(composeFaults(text), [])
    for (const [from, to, names] of [
      ['read_only: true', 'read_only: false', /read_only/],
      ['cap_drop: [ALL]', 'cap_drop: []', /cap_drop/],
      ['["no-new-privileges:true"]', '[]', /no-new-privileges/],
      ['pids_limit: 64', 'pids_limit: 0', /pids_limit/],
      ['ulimits: { core: 0 }', 'ulimits: { core: 1 }', /connector: ulimits/],
      ['    mem_limit: 768m # 450 MB at 14,000 turns a second\n', '', /connector: mem_limit/],
      ['    stop_grace_period: 45s\n', '', /connector: stop_grace/],
      ['user: redis', 'user: root', /redis: user/],
      ['/run/secrets/redis_conf, ', '', /redis: no file with requirepass/],
      ['redis:7.2-bookworm', 'redis', /redis: image/],
      ['"127.0.0.1:8123:8123"', '"8123:8123"', /connector: a port/],
      ['    user: postgres\n', '    user: postgres\n    ports: ["127.0.0.1:5432:5432"]\n', /postgres: a store/],
      ['POSTGRES_PASSWORD_FILE', 'POSTGRES_PASSWORD', /postgres: a secret/],
      ['    build: ..\n', '    build: ..\n    privileged: true\n', /simulator: privileged/],
    ] as const)
      assert.match(faults(from, to).join('\n'), names, from)
  })

  it('comes with a script that makes every secret it mounts, once, in a form that the daemon takes', () => {
    const dir = mkdtempSync(join(tmpdir(), 'ussd-compose-'))
    try {
      cpSync(join(root, 'deploy/make-secrets.sh'), join(dir, 'make-secrets.sh'))
      const run = () => execFileSync('sh', [join(dir, 'make-secrets.sh')], { encoding: 'utf8' })
      const said = run()
      const secret = (name: string) => readFileSync(join(dir, 'secrets', name), 'utf8')
      assert.equal(statSync(join(dir, 'secrets')).mode & 0o777, 0o700)
      const mounted = [...text.matchAll(/\.\/secrets\/(\w+)/g)].map((found) => found[1]!)
      assert.equal(mounted.length, 7)
      for (const name of mounted) assert.ok(secret(name).length > 0, name)
      assert.ok(secret('smsc_password').length <= 8)
      assert.equal(secret('redis_conf'), `requirepass ${secret('redis_password')}\n`)
      const token = /^ {2}([0-9a-f]{64})$/m.exec(said)![1]!
      assert.ok(readTokens('admin_tokens', secret('admin_tokens'))[0]!.sha256.equals(tokenHash(token)))
      assert.equal(parseStoreKeys('store_keys', secret('store_keys')).keys.length, 1)
      const before = mounted.map(secret)
      assert.doesNotMatch(run(), /[0-9a-f]{64}/)
      assert.deepEqual(mounted.map(secret), before)
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  })

  it('gives the daemon settings that name those secrets, and a door that no one enters without a token', () => {
    const settings = read('deploy/compose-connector.yaml')
    const named = [...settings.matchAll(/\/run\/secrets\/(\w+)/g)].map((found) => found[1]!)
    const mounted = /connector:[\s\S]*?secrets: \[(.*)\]/.exec(text)![1]!.split(', ')
    assert.deepEqual(named.toSorted(), mounted.toSorted())
    assert.match(settings, /tokensFile/)
  })
})
