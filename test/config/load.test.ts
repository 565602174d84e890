import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseSettings } from '../../src/config/load.ts'
import { printSettings, settingsJsonSchema } from '../../src/config/print.ts'
import { ProblemsError, saidOf } from '../../src/base/errors.ts'

const GOOD = `lines:
  - name: digicel
    smsc: { host: 127.0.0.1, port: 2775, systemId: ussd, password: secret }
    bind: transceiver
    dialect: standard
    sms: { source: "123" }
services:
  - { code: "*123#", flow: dental }
flows: { dir: ./flows }
backends:
  dental: { module: dental }
  wallet: { http: { url: "http://127.0.0.1:8675", timeoutMs: 2000 } }
redis: { url: "redis://:hush@127.0.0.1:6379/5" }
postgres: { url: "postgres://127.0.0.1:5432/ussd_connector" }
`

function problemsOf(source: string, env: Record<string, string> = {}): string[] {
  try {
    parseSettings(source, 'connector.yaml', env)
  } catch (error) {
    assert.ok(error instanceof ProblemsError)
    return error.problems.map(({ where, what, remedy }) => `${where}: ${what}${remedy ? ` (${remedy})` : ''}`)
  }
  return []
}

describe('the settings', () => {
  it('take what is given and have a default for the rest', () => {
    const { settings } = parseSettings(GOOD, 'connector.yaml', {})
    assert.equal(settings.lines[0]!.window, 10)
    assert.equal(settings.dialogue.totalMs, 180_000)
    assert.deepEqual(settings.reminders.leads, ['24h', '2h'])
  })

  it('tell all problems at once, with place and remedy', () => {
    const bad = GOOD.replace('port: 2775', 'port: 99999')
      .replace('    bind: transceiver', '    bnd: transceiver')
      .replace('redis: { url', 'redis: { ulr')
      .replace('flow: dental', 'flow: dental, lines: [digicell]')
    assert.deepEqual(problemsOf(bad), [
      "connector.yaml:3:30: 'lines.0.smsc.port' must be at most 65535",
      "connector.yaml:4:5: 'lines.0.bnd' is not a setting (did you mean 'bind'?)",
      "connector.yaml:13:10: 'redis.ulr' is not a setting (did you mean 'url'?)",
      "connector.yaml:13:1: 'redis' needs one of url, cluster, sentinel",
    ])
    assert.deepEqual(problemsOf(GOOD.replace('flow: dental', 'flow: dental, lines: [digicell]')), [
      "connector.yaml:8:36: service *123#: there is no line 'digicell' (did you mean 'digicel'?)",
    ])
  })

  it('say what to do where the mistake is a slip of the pen', () => {
    const slips: [string, string, string][] = [
      ['code: "*123#"', 'code: *123#', 'connector.yaml:8:13: put *123# in quotes: it begins with * (write "*123#")'],
      ['port: 2775', 'port: abc', "connector.yaml:3:30: 'lines.0.smsc.port' must be a number"],
      ['systemId: ussd, ', '', "connector.yaml:3:5: 'lines.0.smsc.systemId' is missing"],
      [
        'host: 127.0.0.1',
        'host: "smpp://mc"',
        "connector.yaml:3:13: 'lines.0.smsc.host' must be a host name or address, without smpp:// and without a path",
      ],
      [
        '6379/5',
        '6379/x',
        "connector.yaml:13:10: 'redis.url' must be redis://host:port/db or rediss://…; db is a number",
      ],
    ]
    for (const [right, wrong, said] of slips) assert.deepEqual(problemsOf(GOOD.replace(right, wrong)), [said])
    assert.match(problemsOf('- a\n')[0]!, /: the file must be a block of keys/)
  })

  it('are not blamed with a stack where a port is in use', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as { port: number }
    const [error] = await once(createServer().listen(port, '127.0.0.1'), 'error')
    taken.close()
    assert.equal(
      saidOf(error),
      `another program uses 127.0.0.1:${port}: stop it, or set another port (admin.port or door.port)`,
    )
  })

  it('say where the YAML itself is broken', () => {
    assert.match(problemsOf('lines: [\n  - {')[0]!, /^connector\.yaml:\d+:\d+: /)
  })

  it('are overridden by the environment, by name or index, and texts stay texts', () => {
    const { settings, origins } = parseSettings(GOOD, 'connector.yaml', {
      USSD_CONNECTOR_LINES__DIGICEL__SMSC__PASSWORD: '12345678',
      USSD_CONNECTOR_LINES__0__WINDOW: '25',
      USSD_CONNECTOR_DIALOGUE__IDLE_MS: '30000',
      USSD_CONNECTOR_FROZEN_CLOCK: '2025-05-01T09:00:00+10:00',
    })
    assert.deepEqual(
      [settings.lines[0]!.smsc.password, settings.lines[0]!.window, settings.dialogue.idleMs],
      ['12345678', 25, 30_000],
    )
    assert.equal(origins.get('lines.0.smsc.password'), 'USSD_CONNECTOR_LINES__DIGICEL__SMSC__PASSWORD')
    assert.match(
      problemsOf(GOOD, { USSD_CONNECTOR_REDDIS__URL: 'x' })[0]!,
      /^USSD_CONNECTOR_REDDIS__URL: 'reddis' is not a setting/,
    )
  })

  it('read secrets from files that nobody else can read', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'ussd-secret-')), 'password')
    writeFileSync(file, 'hush\n', { mode: 0o600 })
    const source = GOOD.replace('password: secret', `passwordFile: ${file}`)
    assert.equal(parseSettings(source, 'connector.yaml', {}).settings.lines[0]!.smsc.password, 'hush')
    assert.deepEqual(problemsOf(GOOD.replace('password: secret', `password: secret, passwordFile: ${file}`)), [
      "connector.yaml:3:76: 'lines.0.smsc' has both password and passwordFile (remove one of them, best the password)",
    ])
    const ofEnvironment = { USSD_CONNECTOR_LINES__DIGICEL__SMSC__PASSWORD: 'louder' }
    assert.equal(parseSettings(source, 'connector.yaml', ofEnvironment).settings.lines[0]!.smsc.password, 'louder')
    const both = { ...ofEnvironment, USSD_CONNECTOR_LINES__DIGICEL__SMSC__PASSWORD_FILE: file }
    assert.throws(() => parseSettings(GOOD, 'connector.yaml', both), /has both password and passwordFile/)
    chmodSync(file, 0o644)
    assert.match(problemsOf(source)[0]!, /other users can read .* \(chmod 600/)
    assert.match(
      problemsOf(GOOD.replace('password: secret', 'passwordFile: /nowhere/x'))[0]!,
      /cannot be read \(ENOENT\)/,
    )
    assert.match(problemsOf(GOOD.replace(', password: secret', ''))[0]!, /neither password nor passwordFile/)
    assert.match(
      problemsOf(GOOD.replace('password: secret', 'password: muchtoolong'))[0]!,
      /must have at most 8 characters/,
    )
  })

  it('refuse embedded stores at a real SMSC unless told', () => {
    const embedded = GOOD.replace(/redis: .*/, 'redis: embedded').replace('host: 127.0.0.1', 'host: smsc.example')
    assert.match(problemsOf(embedded)[0]!, /do not survive a power cut/)
    assert.deepEqual(problemsOf(`${embedded}embeddedInProduction: true\n`), [])
  })

  it('refuse a patience that the network does not have', () => {
    const slow = (ms: number) =>
      `${GOOD.replace(/^backends:/m, `backends:\n  bank: { http: { url: "http://127.0.0.1:1", patienceMs: ${ms} } }`)}`
    assert.match(problemsOf(slow(8_000))[0]!, /backends\.bank\.http\.patienceMs must be less than dialogue\.turnMs/)
    assert.deepEqual(problemsOf(slow(7_999)), [])
  })

  it('are printed with their origin, and without a secret', () => {
    const printed = printSettings(parseSettings(GOOD, 'connector.yaml', { USSD_CONNECTOR_LOG__LEVEL: 'warn' }))
    assert.match(printed, /lines\.0\.smsc\.port: 2775 +# file/)
    assert.match(printed, /lines\.0\.window: 10 +# default/)
    assert.match(printed, /log\.level: "warn" +# USSD_CONNECTOR_LOG__LEVEL/)
    assert.doesNotMatch(printed, /secret|hush/)
  })

  it('have a JSON Schema with a reason for each number', () => {
    const schema = JSON.stringify(settingsJsonSchema())
    assert.match(schema, /a dialogue ends at this age/)
  })
})
