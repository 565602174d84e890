/** What people expect of a command line: exit codes, the environment, completion, standard input, one sentence. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { checkAlso } from '../../src/cli/check/check-stdin.ts'
import { tableOf, coloured } from '../../src/cli/table.ts'
import { sinceSaid } from '../../src/cli/ages.ts'
import { ProblemsError } from '../../src/base/errors.ts'
import { parseSettings } from '../../src/config/load.ts'
import { root } from '../style/tree.ts'

/** Runs a command to its end, beside a server in this process. */
async function ran(words: string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, ['--import', 'tsx', join(root, 'src/cli/main.ts'), ...words], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk) => (stdout += String(chunk)))
  child.stderr.on('data', (chunk) => (stderr += String(chunk)))
  const [code] = (await once(child, 'close')) as [number]
  return { code, stdout, stderr }
}

const FLOW = `flow: shop
spec: 1
start: main
languages: [en]
screens:
  main: { end: 'Hello.' }
`

describe('the command line', function () {
  this.timeout(60_000)
  const folder = mkdtempSync(join(tmpdir(), 'ussd-cli-'))
  let server: Server
  let asked: IncomingMessage[]
  let url: string
  before(async () => {
    server = createServer((request, answer) => {
      asked.push(request)
      const isKnown = request.url!.startsWith('/v1/dialogues')
      answer.writeHead(isKnown ? 200 : 403, { 'content-type': 'application/json' })
      answer.end(JSON.stringify(isKnown ? { dialogues: [] } : { error: 'this token may only read' }))
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  beforeEach(() => (asked = []))
  after(() => {
    server.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it('has exit code 0, 1 for what failed, and 2 for a command that is wrong, with one sentence', async () => {
    const env = { USSD_CONNECTOR_URL: url }
    const [right, failed, ...wrong] = await Promise.all([
      ran(['dialogues', '--msisdn', '67570000001'], env),
      ran(['lines', '--stop', 'north'], env),
      ran(['lines', '--nope'], env),
      ran(['nonsense'], env),
      ran(['dialogues'], env),
      ran(['trace', 'north'], env),
      ran(['token', 'boss'], env),
      ran(['lines', '--url', 'north'], env),
      ran(['health'], { USSD_CONNECTOR_URL: 'not an address' }),
    ])
    assert.deepEqual([right!.code, right!.stdout], [0, 'none\n'])
    assert.deepEqual([failed!.code, failed!.stderr], [1, '403: this token may only read\n'])
    for (const { code, stderr } of wrong) {
      assert.equal(code, 2, stderr)
      assert.match(stderr, /^error: [^\n]+\n(\(ussd-connector help lists all commands\)\n)?$/)
    }
  })

  it('takes address and token from the environment; what is written goes first', async () => {
    const file = join(folder, 'token')
    writeFileSync(file, 'of-a-file', { mode: 0o600 })
    const ask = (env: Record<string, string>, ...more: string[]) =>
      ran(['dialogues', '--msisdn', '67570000001', '--json', ...more], { USSD_CONNECTOR_URL: url, ...env })
    const first = await ask({ USSD_CONNECTOR_TOKEN: 'of-the-environment' })
    await ask({ USSD_CONNECTOR_TOKEN: 'of-the-environment', USSD_CONNECTOR_TOKEN_FILE: file })
    await ask(
      { USSD_CONNECTOR_URL: 'http://127.0.0.1:1', USSD_CONNECTOR_TOKEN: 'x' },
      '--url',
      url,
      '--token-file',
      file,
    )
    assert.deepEqual([first.code, first.stdout], [0, '[]\n'])
    assert.deepEqual(
      asked.map(({ headers }) => headers.authorization),
      ['Bearer of-the-environment', 'Bearer of-a-file', 'Bearer of-a-file'],
    )
    // A daemon in the same environment does not take them for settings.
    const settings = 'door: { port: 1 }\nredis: embedded\npostgres: embedded\nservices: [{ code: "*1#", flow: a }]\n'
    parseSettings(settings, 'test', {
      USSD_CONNECTOR_URL: url,
      USSD_CONNECTOR_TOKEN: 'x',
      USSD_CONNECTOR_TOKEN_FILE: 'y',
    })
  })

  it('completes commands and options in bash', async () => {
    const { code, stdout } = await ran(['completion', 'bash'])
    assert.equal(code, 0)
    const complete = (...words: string[]) => {
      const script = `${stdout}\nCOMP_WORDS=(ussd-connector ${words.map((word) => `'${word}'`).join(' ')})\nCOMP_CWORD=${words.length}\n_ussd_connector\necho "\${COMPREPLY[*]}"`
      return spawnSync('bash', ['-c', script], { encoding: 'utf8' }).stdout.trim().split(' ')
    }
    assert.deepEqual(complete('sta'), ['status'])
    assert.deepEqual(complete('flow', 'pub'), ['publish'])
    assert.deepEqual(complete('lines', '--token-file', 'x', '--st'), ['--stop', '--start'])
    assert.deepEqual(complete('flow', 'canary', '--sh'), ['--share'])
    assert.equal((await ran(['completion', 'fish'])).code, 2)
  })

  it('answers as JSON what asks no daemon, and nothing else on standard output', async () => {
    const settings = join(folder, 'settings.yaml')
    writeFileSync(
      settings,
      'lines: [{ name: north, smsc: { host: 127.0.0.1, port: 2775, systemId: u, password: hush }, dialect: standard }]\n' +
        'services: [{ code: "*123#", flow: dental }]\nredis: embedded\npostgres: embedded\n',
    )
    const json = async (...words: string[]) => {
      const { code, stdout, stderr } = await ran([...words, '--json'])
      assert.equal(code, 0, `${words.join(' ')}: ${stderr}`)
      return JSON.parse(stdout) as never
    }
    const [config, talk, dialects, token] = await Promise.all([
      json('config', '--config', settings) as Promise<{ setting: string; value: unknown; from: string }[]>,
      json('talk', 'flows') as Promise<{ passed: number; failed: number; talks: { ok: boolean }[] }>,
      json('dialect', 'list') as Promise<{ name: string }[]>,
      json('token', 'read', 'trace') as Promise<{ roles: string[]; token: string; line: string }>,
    ])
    const valueOf = (name: string) => config.find(({ setting }) => setting === name)
    assert.deepEqual(valueOf('lines.0.smsc.password'), {
      setting: 'lines.0.smsc.password',
      value: '***',
      from: 'file',
    })
    assert.equal(valueOf('lines.0.smsc.host')?.value, '127.0.0.1')
    assert.ok(talk.passed > 0 && talk.passed === talk.talks.length && talk.failed === 0)
    assert.ok(dialects.some(({ name }) => name === 'standard'))
    assert.deepEqual(token.roles, ['read', 'trace'])
    assert.ok(/^read,trace:\w+$/.test(token.line) && !token.line.includes(token.token))
  })

  it('says in one sentence that its Node.js is too old', () => {
    const older = join(folder, 'older.mjs')
    writeFileSync(
      older,
      `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.20.4' } })\n`,
    )
    const words = ['--import', 'tsx', '--import', older, join(root, 'src/cli/main.ts'), 'lines']
    const { status, stderr, stdout } = spawnSync(process.execPath, words, { cwd: root, encoding: 'utf8' })
    assert.deepEqual([status, stdout], [1, ''])
    assert.equal(
      stderr,
      'ussd-connector needs Node.js 20.19 or later, and this is 18.20.4: install a newer one (nodejs.org)\n',
    )
  })

  it('names the folder of a demo that cannot be written', async () => {
    const file = join(folder, 'a-file')
    writeFileSync(file, '')
    const { code, stdout, stderr } = await ran(['demo', '--http-port', '0', '--data', join(file, 'demo')])
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(stderr, /^data: cannot write in \S+a-file\/demo \(ENOTDIR\): make the folder, [^\n]+\n$/)
  })

  it('checks a flow on standard input', async () => {
    process.exitCode = undefined
    const said: string[] = []
    await checkAlso(
      ['-'],
      (line) => said.push(line),
      {},
      () => FLOW,
    )
    assert.match(said[0]!, /^-: good, shop@/)
    assert.equal(process.exitCode, undefined)
    said.length = 0
    await checkAlso(
      ['-'],
      (line) => said.push(line),
      {},
      () => FLOW.replace('start: main', 'start: mian'),
    )
    assert.match(said.join('\n'), /-:3:8: .*mian/)
    assert.equal(process.exitCode, 1)
    process.exitCode = undefined
  })
})

/** These print what is made for a program anyhow, or what only a person can use: files, pictures, a phone, a process. */
const WITHOUT_JSON = [
  'completion',
  'contract test',
  'demo',
  'dev',
  'dial',
  'dialect infer',
  'dialect show',
  'dialect test',
  'draw',
  'flow draw',
  'flow import',
  'flow new',
  'flow paths',
  'flow schema',
  'import',
  'probe',
  'run',
  'seed',
  'simulate',
  'store-key',
  'subscriber export',
  'trace',
  'wallet',
]

/** One name for one thing, in all commands: what it was called elsewhere is taken, but not shown. */
const OTHER_NAMES = { '--limit': '--last', '--to': '--msisdn', '--note': '--reason', '--service': '--code' }

describe('every command', () => {
  const commands = new Map<string, Command>()
  before(async () => {
    const program = new Command('ussd-connector')
    const folder = join(root, 'src/cli/commands')
    for (const file of readdirSync(folder)) {
      const made = (await import(join(folder, file))) as Record<string, unknown>
      for (const [name, register] of Object.entries(made))
        if (name.startsWith('register'))
          (register as (program: Command, say: () => void) => void)(program, () => undefined)
    }
    const walk = (command: Command, path: string[]): void => {
      if (command.commands.length === 0) return void commands.set(path.join(' '), command)
      for (const one of command.commands) walk(one, [...path, one.name()])
    }
    walk(program, [])
  })

  it('has --json, or has a reason to have none', () => {
    assert.ok(commands.size > 50)
    const without = [...commands].filter(([, { options }]) => !options.some(({ long }) => long === '--json'))
    assert.deepEqual(without.map(([name]) => name).toSorted(), WITHOUT_JSON)
  })

  it('has one name for one thing, and the address of the daemon and its token from the environment', () => {
    for (const [name, { options }] of commands) {
      const shown = options.filter(({ hidden }) => !hidden).map(({ long }) => String(long))
      for (const [other, own] of Object.entries(OTHER_NAMES))
        assert.ok(!shown.includes(other), `${name} ${other}: it is ${own} in other commands`)
      const url = options.find(({ long, defaultValue }) => long === '--url' && String(defaultValue).endsWith(':8123'))
      if (!url) continue
      assert.equal(url.envVar, 'USSD_CONNECTOR_URL', name)
      assert.equal(options.find(({ long }) => long === '--token-file')?.envVar, 'USSD_CONNECTOR_TOKEN_FILE', name)
    }
  })
})

describe('what the command line prints', () => {
  it('has a header and columns as wide as what is in them, and no blanks at the ends', () => {
    assert.deepEqual(
      tableOf(
        ['ID', 'LINE'],
        [
          ['1', 'north'],
          ['222', ''],
        ],
      ),
      ['ID   LINE', '1    north', '222'],
    )
    assert.deepEqual(tableOf(['ID'], []), [])
    // What a person or another system wrote does not break a row, nor speak to the terminal.
    assert.deepEqual(tableOf(['ID', 'WHY'], [['1', 'down\r\n2  \u001B[2Jnorth\u2028']]), [
      'ID  WHY',
      '1   down 2   [2Jnorth',
    ])
  })

  it('is coloured on terminals only', () => {
    const before = process.env.NO_COLOR
    delete process.env.NO_COLOR
    assert.equal(coloured('x', 'red', { isTTY: false }), 'x')
    assert.equal(coloured('x', 'red', { isTTY: true }), '\u001B[31mx\u001B[0m')
    process.env.NO_COLOR = '1'
    assert.equal(coloured('x', 'red', { isTTY: true }), 'x')
    if (before === undefined) delete process.env.NO_COLOR
    else process.env.NO_COLOR = before
  })

  it('says ages in two units at most', () => {
    const [minute, hour, day] = [60_000, 3_600_000, 86_400_000]
    assert.deepEqual(
      [900, 59_000, minute, 59 * minute, hour, 2 * hour + 10 * minute, day, 5 * day + 3 * hour].map(sinceSaid),
      ['1 s', '59 s', '1 min', '59 min', '1 h', '2 h 10 min', '1 d', '5 d 3 h'],
    )
  })
})

describe('a settings file that is not YAML', () => {
  const lines = [
    'lines:',
    '  - name: north',
    '    smsc:',
    '      host: 10.0.0.5',
    '      port: 2775',
    '    dialect: mica',
  ]
  const GOOD = `${lines.join('\n')}\nredis: embedded\npostgres: embedded\n`

  function faults(text: string): string[] {
    try {
      parseSettings(text, 'test', {})
      return []
    } catch (error) {
      assert.ok(error instanceof ProblemsError)
      return error.problems.map(({ where, what }) => `${where} ${what}`)
    }
  }

  it('has one problem, at the line that is wrong, in plain words', () => {
    for (const [from, to, said] of [
      ['      port', '     port', /^test:5:\d+ the line begins in another column/],
      ['      port', '        port', /^test:5:9 the line is indented further than the one before it/],
      ['      port', '\tport', /^test:5:1 the line begins with a tab$/],
      ['  - name', '\t- name', /^test:2:1 the line begins with a tab$/],
      ['    dialect', '   dialect', /^test:6:1 /],
      ['host: 10.0.0.5', 'host: "10.0.0.5', /^test:\d+:\d+ /],
      ['redis: embedded', 'lines: []', /^test:7:1 the key is there twice$/],
    ] as const) {
      const found = faults(GOOD.replace(from, to))
      assert.equal(found.length, 1, `${to}: ${found.join(' · ')}`)
      assert.match(found[0]!, said)
    }
  })
})
