import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadSettings, parseSettings } from '../../src/config/load.ts'
import { secretAt } from '../../src/config/explain.ts'
import { printSettings, settingsJsonSchema } from '../../src/config/print.ts'
import { settingsSchema } from '../../src/config/schema.ts'
import { ProblemsError, saidOf } from '../../src/base/errors.ts'
import { SECRET_OCTETS_MAX } from '../../src/base/secret-file.ts'

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

interface Schema {
  def: { type: string; innerType?: Schema; element?: Schema; valueType?: Schema; options?: Schema[] }
  shape?: Record<string, Schema>
}

/** Where the schema takes texts, or anything at all, under names of the operator's own. */
function freeTexts(schema: unknown, path: string[]): string[][] {
  const { def, shape = {} } = schema as Schema
  const isFree = def.type === 'record' && /^(string|unknown|any)$/.test(def.valueType!.def.type)
  return [
    ...(isFree ? [path] : []),
    ...[def.innerType, ...(def.options ?? [])].flatMap((inner) => (inner ? freeTexts(inner, path) : [])),
    ...[def.element, def.valueType].flatMap((inner) => (inner ? freeTexts(inner, [...path, '0']) : [])),
    ...Object.entries(shape).flatMap(([key, inner]) => freeTexts(inner, [...path, key])),
  ]
}

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
  it('takes a cap of a line of one a second and more, with its share for USSD', () => {
    const capped = (submits: string) =>
      GOOD.replace('    dialect: standard', `    dialect: standard\n    submits: ${submits}`)
    const { settings } = parseSettings(capped('{ perSecond: 100 }'), 'connector.yaml', {})
    assert.deepEqual(settings.lines[0]!.submits, { perSecond: 100, ussdShare: 0.05 })
    assert.match(
      problemsOf(capped('{ perSecond: 0 }'))[0]!,
      /connector\.yaml:6:\d+.*submits\.perSecond.*must be at least 1/,
    )
    assert.match(problemsOf(capped('{ perSecond: 2.5 }'))[0]!, /submits\.perSecond/)
    assert.match(problemsOf(capped('{ ussdShare: 1 }'))[0]!, /submits\.ussdShare.*must be at most 0\.9/)
    assert.equal(parseSettings(GOOD, 'connector.yaml', {}).settings.lines[0]!.submits.perSecond, undefined)
  })

  it('let lines share the cap of an account, and refuse two caps for one', () => {
    const both = (more: string) =>
      GOOD.replace(
        '    dialect: standard',
        '    dialect: standard\n    submits: { perSecond: 100, account: digicel }',
      ).replace(
        'services:',
        `  - name: texts\n    smsc: { host: 127.0.0.1, port: 2775, systemId: sms, password: b }\n    submits: ${more}\nservices:`,
      )
    assert.equal(parseSettings(both('{ perSecond: 100, account: digicel }'), 'c', {}).settings.lines.length, 2)
    assert.match(
      problemsOf(both('{ perSecond: 50, account: digicel }'))[0]!,
      /lines 'digicel' and 'texts' share the account 'digicel', with different caps \(give both the same/,
    )
    assert.match(problemsOf(both('{ account: digicel }'))[0]!, /line 'texts' names an account, and has no cap to share/)
  })

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

  it('refuse exact texts without a key to seal them with, or without records', () => {
    const kept = `${GOOD}support: { transcriptDays: 7 }\n`
    assert.deepEqual(problemsOf(kept), [
      'connector.yaml:15:12: support.transcriptDays keeps what subscribers read and typed, and there is no key to seal it with ' +
        '(set privacy.storeKeyFile (`ussd-connector store-key` makes the file), or support.transcriptDays: 0)',
    ])
    const sealed = `${kept}privacy: { storeKeyFile: keys }\n`
    const ofSupport = (source: string) => problemsOf(source).filter((one) => one.includes('transcriptDays'))
    assert.deepEqual(ofSupport(sealed), [])
    assert.match(
      ofSupport(`${sealed}records: { to: none }\n`)[0]!,
      /beside call detail records in Postgres, and there are none/,
    )
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
    assert.match(problemsOf(source)[0]!, /other users can read .* \(mode 0644\) \(chmod 600/)
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

  it('take every file of a token, a key or a password only if nobody else can read it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'ussd-secret-'))
    const file = join(folder, 'secret')
    const uses: [replaced: string | RegExp, by: string, place: string][] = [
      ['password: secret', `passwordFile: ${file}`, 'connector.yaml:3:58'],
      ['password: secret', `password: secret, tls: { key: ${file} }`, 'connector.yaml:3:83'],
      ['6379/5"', `6379/5", tls: { key: ${file} }`, ''],
      ['6379/5"', `6379/5", passwordFile: ${file}`, ''],
      ['ussd_connector"', `ussd_connector", tls: { key: ${file} }`, ''],
      ['timeoutMs: 2000', `tokenFile: ${file}`, ''],
      [/^redis:/m, `admin: { tokensFile: ${file} }\nredis:`, ''],
      [/^redis:/m, `door: { tokenFile: ${file} }\nredis:`, ''],
      [/^redis:/m, `privacy: { storeKeyFile: ${file} }\nredis:`, ''],
      [/^redis:/m, `log: { msisdnKeyFile: ${file} }\nredis:`, ''],
    ]
    writeFileSync(file, 'aL0ngEn0ughS3cret\n'.slice(0, 8))
    for (const mode of [0o640, 0o604, 0o620, 0o660, 0o644]) {
      chmodSync(file, mode)
      for (const [replaced, by, place] of uses) {
        const [first = 'taken'] = problemsOf(GOOD.replace(replaced, by))
        const said = `: other users can read ${file} (mode 0${mode.toString(8)}) (chmod 600 ${file}; in a container, mount it below /run/secrets)`
        assert.ok(first.startsWith(place) && first.endsWith(said), `${by}: ${first}`)
      }
    }
    chmodSync(file, 0o600)
    writeFileSync(file, Buffer.alloc(SECRET_OCTETS_MAX + 1, 'x'))
    assert.match(problemsOf(GOOD.replace('password: secret', `passwordFile: ${file}`))[0]!, /more than 65536 octets/)
  })

  it('refuse a settings file with a password that others can read, and name what else may be a secret', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'ussd-settings-')), 'connector.yaml')
    const load = (source: string, mode: number) => {
      writeFileSync(file, source)
      chmodSync(file, mode)
      return loadSettings(file, {})
    }
    const open = GOOD.replace('password: secret', 'password: ""').replace(':hush@', '')
    for (const source of [
      GOOD,
      open.replace('password: ""', 'password: secret'),
      GOOD.replace('password: secret', 'password: ""'),
    ]) {
      assert.deepEqual(load(source, 0o600).exposed, [])
      const far = source.replace('host: 127.0.0.1', 'host: smsc.example')
      assert.throws(
        () => load(far, 0o640),
        /is a secret, and other users can read .*mode 0640\) \(chmod 600 .*passwordFile/,
      )
      assert.ok(load(source, 0o640).exposed.length > 0, 'a trial on this machine: it is only told')
      for (const [from, to] of [
        ['@127.0.0.1:6379', '@redis.example:6379'],
        ['postgres://127.0.0.1', 'postgres://db.example'],
      ] as const)
        if (source.includes(from)) assert.throws(() => load(source.replace(from, to), 0o640), /is a secret/, from)
    }
    assert.deepEqual(load(open, 0o644).exposed, [])
    const perhaps = open
      .replace('timeoutMs: 2000', 'headers: { x-key: abc }')
      .replace('module: dental', 'module: dental, settings: { key: abc }')
      .replace('127.0.0.1:8675"', '127.0.0.1:8675/{operation}?key=abc"')
    assert.deepEqual(load(perhaps, 0o644).exposed, [
      'backends.dental.settings.key',
      'backends.wallet.http.url',
      'backends.wallet.http.headers.x-key',
    ])
    assert.deepEqual(load(perhaps, 0o600).exposed, [])
  })

  it('refuse an environment that accepts every certificate', () => {
    assert.match(
      problemsOf(GOOD, { NODE_TLS_REJECT_UNAUTHORIZED: '0' }).join(),
      /^NODE_TLS_REJECT_UNAUTHORIZED: .*`ca`/,
    )
    assert.deepEqual(problemsOf(GOOD, { NODE_TLS_REJECT_UNAUTHORIZED: '1' }), [])
  })

  it('refuse a weak token of the door, and say how to make one', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'ussd-door-')), 'token')
    const problems = (token: string) => {
      writeFileSync(file, token, { mode: 0o600 })
      return problemsOf(`${GOOD}door: { tokenFile: ${file} }\n`)
    }
    assert.deepEqual(problems(`${'8f2c01ab77de9b3d'}\n`), [])
    for (const weak of ['', 'short', 'x'.repeat(40), 'abcdef123abcdef123', '1234567890123456']) {
      const [problem = 'taken'] = problems(weak)
      assert.match(problem, /^connector\.yaml:\d+:9: the secret in .* \(openssl rand -hex 32\)$/, weak)
      assert.ok(weak.length < 10 || !problem.includes(weak))
    }
  })

  it('name what is wrong with the callers of the door', () => {
    const folder = mkdtempSync(join(tmpdir(), 'ussd-callers-'))
    const file = (name: string, text: string) => {
      writeFileSync(join(folder, name), text, { mode: 0o600 })
      return join(folder, name)
    }
    const good = file('good', '8f2c01ab77de9b3d')
    const callers = (...lines: string[]) =>
      problemsOf(`${GOOD}door:\n  tokens:\n${lines.map((line) => `    - { ${line} }\n`).join('')}`).map((problem) =>
        problem.replace(/^connector\.yaml:/, ''),
      )
    const all = `tokenFile: ${good}, services: ["*123#"], msisdn: ["675"], addresses: [192.0.2.0/24], perSecond: 5`
    assert.deepEqual(callers(`name: a, ${all}`, `name: b, hmac: { keyFile: ${good} }`), [])
    assert.deepEqual(
      callers(`name: a, tokenFile: ${good}`, `name: a, token: 8f2c01ab77de9b3d, tokenFile: ${good}`, 'name: c'),
      [
        "18:9: two callers of the door are called 'a'",
        "18:18: caller 'a' has both token and tokenFile (remove the token)",
        "19:9: caller 'c' has neither tokenFile nor hmac",
      ],
    )
    assert.deepEqual(callers(`name: a, tokenFile: ${good}, services: ["*124#"]`), [
      `17:${19 + 12 + good.length}: caller 'a': there is no service *124# (did you mean '*123#'?)`,
    ])
    const weak = file('weak', 'short')
    assert.match(
      callers(`name: a, hmac: { keyFile: ${weak} }`).join(),
      /^17:26: the secret in .* has 5 characters.*rand -hex/,
    )
    assert.match(callers('name: a, token: short').join(), /^17:18: the token of caller 'a' has 5 characters/)
    assert.match(
      callers(`name: a, tokenFile: ${good}, addresses: [host]`).join(),
      /addresses\.0' must be an address or a network/,
    )
    chmodSync(good, 0o644)
    assert.match(callers(`name: a, hmac: { keyFile: ${good} }`).join(), /^17:26: other users can read/)
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

  it('are printed without anything that may be a key: headers, queries, options of modules, passwords in addresses', () => {
    const source = GOOD.replace(
      /backends:[\s\S]*?redis:/,
      `backends:
  dental: { module: dental, settings: { apiKey: hush1, deep: { pins: [hush2, 12345] } } }
  wallet:
    http:
      url: "http://127.0.0.1:8675/{operation}?k=hush3&plain=hush4"
      headers: { x-any: hush5, X.Dotted: hush6 }
apps:
  shop:
    contract: africastalking
    url: "https://shop.example/ussd?hush0&token=hush7"
    headers: { authorization: hush8 }
redis:`,
    )
      .replace(':hush@127.0.0.1', ':hu@s@h:hush9@127.0.0.1')
      .replace(
        'postgres://127.0.0.1:5432/ussd_connector',
        'postgres://ussd:hush10@db:5432/u?password=hush11&sslmode=off',
      )
    const printed = printSettings(parseSettings(source, 'connector.yaml', {}))
    assert.doesNotMatch(printed, /hush|s@h|12345/)
    assert.match(printed, /backends\.wallet\.http\.headers\.x-any: "\*\*\*" +# file/)
    assert.match(printed, /backends\.dental\.settings\.deep\.pins\.1: "\*\*\*"/)
    assert.match(printed, /url: "http:\/\/127\.0\.0\.1:8675\/\{operation\}\?k=\*\*\*&plain=\*\*\*"/)
    assert.match(printed, /postgres\.url: "postgres:\/\/ussd:\*\*\*@db:5432\/u\?password=\*\*\*&sslmode=\*\*\*"/)
  })

  it('mark as secret every text of the operator that the schema knows nothing about', () => {
    const free = freeTexts(settingsSchema, [])
    assert.ok(free.length > 5)
    const open = free.filter((path) => !secretAt(path)).map((path) => path.join('.'))
    // What subscribers read, and names of networks.
    assert.deepEqual(open, [
      'apps.0.holding',
      'apps.0.networks',
      'sms.texts.stopped',
      'sms.texts.stoppedOne',
      'sms.texts.started',
      'sms.texts.help',
    ])
  })

  it('have a JSON Schema with a reason for each number', () => {
    const schema = JSON.stringify(settingsJsonSchema())
    assert.match(schema, /a dialogue ends at this age/)
  })
})
