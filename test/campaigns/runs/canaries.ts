/**
 * R17: marked passwords, tokens, numbers, PINs and texts go through a whole daemon: binds refused and good, menus,
 * errors, a back end that fails in every way and quotes them, admin calls, a kill in mid-turn. A PIN is dialled behind
 * codes, known and unknown, and typed on every kind of screen, an application's and the HTTP door's too. Then
 * everything that the daemon wrote or said is searched, what it shows in clear for PINs; and after the subscriber is
 * erased, the stores too.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { storeKeyCommand } from '../../../src/cli/store-key.ts'
import type { Settings } from '../../../src/config/schema.ts'
import { packageRoot } from '../../../src/base/package-root.ts'
import type { Phone } from '../../../src/simulator/phone/phone.ts'
import { freePort } from '../../support/services.ts'
import { ownRedis } from '../../store/redis/own.ts'
import { paceOf } from '../settings.ts'
import { hits, type Canary } from '../canaries.ts'
import { isReady, startDaemonProcess, type DaemonProcess } from '../staging/daemon-process.ts'
import { reached, told, type Campaign } from '../judging/outcome.ts'
import { openFixture, type CampaignFixture } from '../staging/fixture.ts'
import { settingsOf } from '../staging/stage.ts'

const MSISDN = '67571239846'
const PIN = '48151623'
/**
 * Dialled behind codes, and typed on secret screens, behind them, and on those of an application: nobody is shown it,
 * in clear neither.
 */
const DIALLED = '739158'
const TEXT = 'ZanzibarQuokka'
const PASSWORD = 'cnryPw01'
const SECRETS: readonly Canary[] = [
  { name: 'SMSC password', value: PASSWORD },
  { name: 'wrong SMSC password', value: 'cnryPw99' },
  { name: 'Postgres password', value: 'canary-postgres-pass' },
  { name: 'admin token', value: 'canary-admin-operate-token' },
  { name: 'token of support', value: 'canary-admin-support-token' },
  { name: 'wrong admin token', value: 'canary-admin-guessed-token' },
  { name: 'back end token', value: 'canary-backend-bearer-token' },
]
const SECRET_PIN: Canary = { name: 'secret PIN', value: DIALLED, alone: true }
const PERSONAL: readonly Canary[] = [
  SECRET_PIN,
  { name: 'MSISDN', value: MSISDN },
  { name: 'PIN', value: PIN },
  { name: 'free text', value: TEXT },
  { name: 'code as dialled', value: '*900*4815162342#' },
  { name: 'screen', value: 'canaryscreen' },
  { name: 'SMS text', value: 'canarysms' },
  { name: 'answer of a back end', value: 'canaryanswer' },
]
/** What the back end does, by the letter that the subscriber answers with. */
const MOODS = ['good', 'error', 'refusal', 'nonsense', 'redirect', 'reset', 'html', 'silent'] as const

const FLOW = `
flow: canary
spec: 1
start: pin
languages: [en]
screens:
  pin: { input: "PIN?", to: text }
  text: { input: "Say", to: mood }
  mood: { input: "Mood", to: check }
  check:
    call: vault.check
    with: { pin: "{answers.pin}", text: "{answers.text}", mood: "{answers.mood}" }
    as: said
    expect: { line: text }
    to: show
    refused: { canary-no: sorry }
    failed: sorry
  show: { menu: "{data.said.line}", choices: [ { label: Again, to: pin }, { label: Done, to: bye } ] }
  sorry: { menu: "Sorry", choices: [ { label: Again, to: pin }, { label: Done, to: bye } ] }
  bye: { end: "Bye" }
`

/** Every kind of screen that is typed on, and an answer that is promised for later. */
const SCREENS = `
flow: screens
spec: 1
start: main
languages: [en, tpi]
screens:
  main: { menu: "Main", choices: [ { label: Pin, to: pin }, { label: Rows, to: rows }, { label: Later, to: later } ] }
  pin: { input: "PIN?", secret: true, to: verify }
  verify: { call: vault.verify, with: { pin: "{answers.pin}" }, to: shops, failed: shops }
  rows: { call: vault.rows, as: near, expect: { rows: rows }, to: shop, failed: bye }
  shops: { call: vault.rows, as: near, expect: { rows: rows }, to: shop, failed: bye }
  shop: { list: "Shops", from: data.near.rows, row: "{row.name}", keep: [id], choices: [ { label: Languages, to: tongue } ], to: inside, empty: bye }
  tongue: { language: "Language", to: inside }
  inside: { menu: "Inside", choices: [ { label: Out, to: bye } ] }
  later: { call: slow.later, to: bye, failed: bye }
  bye: { end: "Bye" }
texts:
  en: { holding: "We will tell you" }
`

export const canariesCampaign: Campaign = async (parts) => {
  const startMs = performance.now()
  const failures: string[] = []
  const counts: Record<string, number> = {
    canaries: SECRETS.length + PERSONAL.length,
    searched: 0,
    octets: 0,
    dialogues: 0,
    answers: 0,
  }
  const redis = await ownRedis('--appendonly', 'yes', '--appendfsync', 'always')
  if (!redis) throw new Error('no redis-server on this machine')
  const accounts = [{ systemId: 'ussd', password: PASSWORD }]
  const scene = await openFixture({ seed: parts.seed, pace: paceOf(parts), smsc: { accounts } })
  const vault = await openVault()
  const play: Play = {
    scene,
    redisUrl: `redis://127.0.0.1:${redis.port}`,
    vault: vault.port,
    said: [],
    logs: [],
    counts,
    failures,
  }
  const search = (where: string, octets: Buffer | string, canaries: readonly Canary[]): void => {
    counts.searched!++
    counts.octets! += octets.length
    failures.push(...hits(where, octets, canaries))
  }
  try {
    await perform(play)
    const all = [...SECRETS, ...PERSONAL, ...play.keys!]
    const store = redisFiles(redis.dir, play.redisUrl)
    if (!store.length || hits('x', play.seenBy!, PERSONAL).length === 0)
      failures.push('the canaries never came through: the search shows nothing')
    for (const [name, octets] of store) search(`Redis ${name}`, octets, all)
    const before = dump(scene)
    if (!before.includes(MSISDN)) failures.push('no row has the number: erasing shows nothing')
    if (!before.includes('*901*#')) failures.push('no promised answer is in the dump: its code shows nothing')
    search('pg_dump', before, [
      ...SECRETS,
      ...play.keys!,
      ...PERSONAL.filter(({ name }) => /PIN|free text|answer of a back end/.test(name)),
    ])
    for (const [at, log] of play.logs.entries()) search(`log ${at + 1}`, log(), all)
    for (const { what, body, isClear } of play.said)
      search(`answer of ${what}`, body, isClear ? [...SECRETS, ...play.keys!, SECRET_PIN] : all)
    for (const [name, octets] of files(scene.stage.data, ['settings', 'secrets', 'flows']))
      search(`data ${name}`, octets, all)
    failures.push(...unseen(play))
    search('export', cli(['subscriber', 'export', '--config', play.config!, '--msisdn', MSISDN]), [
      ...SECRETS,
      ...play.keys!,
      SECRET_PIN,
    ])

    const erased = cli(['subscriber', 'erase', '--config', play.config!, '--msisdn', MSISDN])
    search('report of erasure', erased, all)
    await rewritten(play.redisUrl)
    for (const [name, octets] of redisFiles(redis.dir, play.redisUrl))
      search(`Redis ${name} after erasure`, octets, all)
    search('pg_dump after erasure', dump(scene), all)
    counts.dialogues = MOODS.length + 2 + SECRETLY
    counts.answers = play.said.length
    return [
      told(parts, startMs, {
        goal: 'R17',
        title:
          'marked secrets, numbers, PINs and texts through binds, menus, failing back ends, admin calls and a kill; then everything searched, and again after erasure',
        passed: failures.length === 0,
        counts,
        failures,
        figure: `${failures.length} hits of ${all.length} canaries in ${counts.searched} logs, answers, files and dumps`,
      }),
    ]
  } finally {
    for (const daemon of play.running ?? []) if (daemon.alive) daemon.kill('SIGKILL')
    vault.stop()
    await scene.close()
    await redis.stop()
  }
}

/** What the search would be worth nothing without. */
function unseen({ seenBy, said, scene, logs }: Play): string[] {
  const clear = said.filter(({ isClear }) => isClear)
  const ended = logs.map((log) => log()).join('')
  return [
    ...(hits('x', seenBy!, [SECRET_PIN]).length > 0 ? [] : ['the PIN never reached the vault or the application']),
    ...(clear.some(({ body }) => body.includes(MSISDN) && body.includes(TEXT)) ? [] : ['no trace was in clear']),
    ...(clear.some(({ body }) => body.includes('*901*******#')) && ended.includes('"code":"*901*#"')
      ? []
      : ['no code was dialled with a PIN behind it']),
    ...(ended.includes('"line":"door"') ? [] : ['nobody came through the door']),
    ...(files(scene.stage.data, []).some(([name]) => name.endsWith('.pcap'))
      ? []
      : ['no line dropped: no capture is searched']),
  ]
}

interface Play {
  scene: CampaignFixture
  redisUrl: string
  vault: number
  /** What the daemon answered over HTTP, or a command said. */
  said: { what: string; body: string; isClear?: boolean }[]
  logs: (() => string)[]
  counts: Record<string, number>
  failures: string[]
  running?: DaemonProcess[]
  config?: string
  keys?: Canary[]
  /** What reached the vault and the phones: proof that the canaries were under way. */
  seenBy?: string
}

async function perform(play: Play): Promise<void> {
  const { scene } = play
  const { stage, smsc } = scene
  const adminPort = await freePort()
  const doorPort = await freePort()
  const settings = settle(play, adminPort, doorPort)
  play.running = []
  const start = async (config: string, isUp: () => Promise<boolean>): Promise<DaemonProcess> => {
    const daemon = startDaemonProcess(config, adminPort)
    play.running!.push(daemon)
    play.logs.push(() => daemon.raw())
    if (!(await reached(isUp, 20_000))) throw new Error(`the daemon does not come up: ${daemon.raw().slice(-600)}`)
    return daemon
  }
  // A bind that is refused.
  const wrong = structuredClone(settings)
  wrong.lines[0]!.smsc.password = 'cnryPw99'
  const refused = await start(stage.configure('settings-wrong', wrong), async () =>
    play.running![0]!.raw().includes('refused'),
  )
  await ask(play, adminPort, '/ready')
  refused.kill('SIGTERM')
  await refused.exited
  // A good one.
  play.config = stage.configure('settings', settings)
  play.said.push({ what: 'ussd-connector config', body: cli(['config', '--config', play.config]) })
  const first = await start(play.config, () => isReady(adminPort))
  const john = smsc.phone(MSISDN)
  john.skipRepeats = true
  await stage.enrol([MSISDN])
  await stage.refill(20, { fromMs: 60_000, toMs: 90_000 })
  await book(john)
  for (const mood of MOODS) await visit(john, mood)
  await john.send('123', 'canarysms is no keyword')
  await secretly(john, doorPort)
  odd(scene)
  await admin(play, adminPort)
  // A line that drops leaves its trace.
  smsc.peers().forEach((peer) => peer.close())
  await reached(async () => smsc.peers().some(({ state }) => state === 'bound'), 10_000)
  // Killed while the back end is asked; another takes over.
  await john.dial('*900*4815162342#')
  await john.answer(PIN)
  await john.answer(TEXT)
  john.type('silent')
  await reached(() => vaultSaw.filter((body) => body.includes('silent')).length >= 2, 5_000)
  first.kill('SIGKILL')
  await first.exited
  const second = await start(play.config, () => isReady(adminPort))
  await john.next(10_000).catch(() => undefined)
  await admin(play, adminPort)
  await john.dial('*900*4815162342#').catch(() => undefined)
  await john.answer(PIN).catch(() => undefined)
  second.kill('SIGTERM')
  await second.exited
  play.seenBy = `${vaultSaw.join()} ${john.story.join()}`
}

/** Settings with a secret in each place that takes one, all from files; and the flow that carries them about. */
function settle(play: Play, adminPort: number, doorPort: number): Settings {
  const { stage, smsc } = play.scene
  const secrets = join(stage.data, 'secrets')
  mkdirSync(secrets, { mode: 0o700 })
  const secret = (name: string, text: string): string => {
    writeFileSync(join(secrets, name), text, { mode: 0o600 })
    return join(secrets, name)
  }
  storeKeyCommand(join(secrets, 'store-keys'), {}, () => undefined)
  const keys = readFileSync(join(secrets, 'store-keys'), 'utf8')
  play.keys = [...keys.matchAll(/: (\S+)/g)].map((found, i) => ({
    name: `store key ${i}`,
    value: found[1]!.slice(0, 40),
  }))
  const dir = join(stage.data, 'flows')
  mkdirSync(dir)
  for (const name of readdirSync(join(packageRoot, 'flows')))
    if (/^(dental|reminder)/.test(name) && name.endsWith('.yaml'))
      writeFileSync(join(dir, name), readFileSync(join(packageRoot, 'flows', name)))
  writeFileSync(join(dir, 'canary.yaml'), FLOW)
  writeFileSync(join(dir, 'screens.yaml'), SCREENS)
  return settingsOf(stage, {
    smscPort: smsc.port,
    adminPort,
    redis: { url: play.redisUrl },
    change: (settings) => {
      settings.lines[0]!.smsc.password = PASSWORD
      settings.flows.dir = dir
      settings.services.push(
        { code: '*900#', flow: 'canary' },
        { code: '*901#', flow: 'screens' },
        { code: '*902*1#', app: 'shop' },
      )
      const url = `http://127.0.0.1:${play.vault}`
      settings.backends.vault = {
        http: {
          ...(settings.backends.vault && 'http' in settings.backends.vault ? settings.backends.vault.http : {}),
          url,
          timeoutMs: 1_500,
          tokenFile: secret('vault', 'canary-backend-bearer-token'),
          headers: {},
          concurrent: 5,
          retries: 1,
          octetsMax: 65_536,
          ended: false,
        },
      }
      settings.backends.slow = {
        http: {
          url,
          timeoutMs: 1_500,
          patienceMs: 100,
          headers: {},
          concurrent: 5,
          retries: 0,
          octetsMax: 65_536,
          ended: false,
        },
      }
      // Until the dump is taken.
      settings.late.waitMs = 600_000
      settings.apps.shop = {
        contract: 'africastalking',
        url: `${url}/shop`,
        timeoutMs: 1_500,
        headers: {},
        networks: {},
        concurrent: 5,
        octetsMax: 65_536,
      }
      settings.door = {
        name: 'door',
        host: '127.0.0.1',
        port: doorPort,
        path: '/ussd',
        contract: 'africastalking',
        tokens: [],
        proxies: [],
      }
      settings.trace.dropDir = join(stage.data, 'drops')
      settings.privacy.storeKeyFile = join(secrets, 'store-keys')
      settings.push.freeText = true
      settings.admin.tokensFile = secret(
        'tokens',
        `read,operate,publish,push,trace:${sha256('canary-admin-operate-token')} boss\n` +
          `read,support,trace:${sha256('canary-admin-support-token')} desk\n`,
      )
      settings.log.level = 'trace'
      if (settings.postgres !== 'embedded') {
        const url = new URL(settings.postgres.url)
        if (!url.password) settings.postgres.passwordFile = secret('postgres', 'canary-postgres-pass')
      }
    },
  })
}

const vaultSaw: string[] = []

/** A back end that hears everything, and says it again in all its failures. */
async function openVault(): Promise<{ port: number; stop(): void }> {
  vaultSaw.length = 0
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    vaultSaw.push(`${body} ${request.headers.authorization}`)
    if (served(request.url ?? '', response)) return
    answer(/"mood":"(\w+)"/.exec(body)?.[1] ?? '', `canaryanswer ${PIN} ${TEXT} ${MSISDN}`, response)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return { port: (server.address() as AddressInfo).port, stop: () => (server.closeAllConnections(), server.close()) }
}

/** What is not asked for in a mood; true: it is answered, or never will be. */
function served(url: string, response: ServerResponse): boolean {
  const rows = [
    { id: 1, name: 'Koki' },
    { id: 2, name: 'Boroko' },
  ]
  if (url.endsWith('/shop')) response.writeHead(200, { 'content-type': 'text/plain' }).end('CON Your PIN?')
  else if (/\/(verify|rows)$/.test(url))
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ rows }))
  else return url.endsWith('/later')
  return true
}

function answer(mood: string, quoted: string, response: ServerResponse): void {
  const json = (status: number, body: unknown, more: Record<string, string> = {}) =>
    void response.writeHead(status, { 'content-type': 'application/json', ...more }).end(JSON.stringify(body))
  switch (mood) {
    case 'good':
      return json(200, { line: `canaryscreen ${TEXT}` })
    case 'error':
      return json(500, { error: quoted })
    case 'refusal':
      return json(409, { refusal: 'canary-no', data: { why: quoted } })
    case 'redirect':
      return json(302, {}, { location: `http://${TEXT}.example/${MSISDN}?pin=${PIN}` })
    case 'reset':
      return void response.socket!.resetAndDestroy()
    case 'html':
      return void response.writeHead(200, { 'content-type': `text/${TEXT}` }).end(`<p>${quoted}`)
    case 'nonsense':
      return void response.writeHead(200, { 'content-type': 'application/json' }).end(`{"line": ${quoted}`)
    default:
      return undefined
  }
}

/** One dialogue with the canary flow. */
async function visit(phone: Phone, mood: string): Promise<void> {
  await phone.dial('*900*4815162342#')
  await phone.answer(PIN)
  await phone.answer(TEXT)
  await phone.answer(mood, { withinMs: 10_000 })
  if (phone.screen?.open) await phone.answer('2')
}

/** Dialogues of `secretly`: seven on the line, two through the door. */
const SECRETLY = 9

/**
 * A PIN behind codes and on screens of every kind: a secret input, a list, a menu, languages, an application, the HTTP
 * door.
 */
async function secretly(phone: Phone, doorPort: number): Promise<void> {
  for (const code of [`*777*${DIALLED}#`, `*777*1*${DIALLED}#`, `*901*${DIALLED}#`]) {
    await phone.dial(code)
    if (phone.screen?.open) phone.hangUp()
  }
  await phone.dial('*901#')
  for (const key of ['1', DIALLED, DIALLED, `*${DIALLED}#`, '3', DIALLED, '1', DIALLED])
    if (phone.screen?.open) await phone.answer(key)
  if (phone.screen?.open) phone.hangUp()
  // On a screen that nobody thinks of as secret, another: whoever may see texts sees it.
  await phone.dial('*901#')
  for (const key of [PIN, '2', PIN]) if (phone.screen?.open) await phone.answer(key)
  if (phone.screen?.open) phone.hangUp()
  await phone.dial(`*902*1*${DIALLED}#`)
  for (const key of [DIALLED, '7']) if (phone.screen?.open) await phone.answer(key)
  if (phone.screen?.open) phone.hangUp()
  // Turned away with a number that is none, and served with one that is.
  for (const [text, phoneNumber] of [
    [DIALLED, 'x'],
    [DIALLED, `+${MSISDN}`],
    [`${DIALLED}*1*${DIALLED}`, `+${MSISDN}`],
  ] as const) {
    const fields = { sessionId: 'ATUid_1', phoneNumber, networkCode: '53703', serviceCode: '*901#' }
    const door = (more: Record<string, string>) =>
      fetch(`http://127.0.0.1:${doorPort}/ussd`, { method: 'POST', body: new URLSearchParams({ ...fields, ...more }) })
    await door({ text })
    await door({ status: 'Incomplete' })
  }
  // Last: while its answer is promised, the row stands.
  await phone.dial(`*901*3*${DIALLED}#`)
}

/** A booking, so that rows and an SMS have the number. */
async function book(phone: Phone): Promise<void> {
  await phone.dial('*123#')
  for (const key of ['2', '1', '1', '1', '1']) if (phone.screen?.open) await phone.answer(key)
  if (phone.screen?.open) phone.hangUp()
}

/** PDUs that are refused, with canaries where they hurt: in texts, addresses, TLVs and past the end. */
function odd({ smsc }: CampaignFixture): void {
  const field = (text: string) => Buffer.from(`${text}\0`)
  const pdu = (body: Buffer, command = 5) => {
    const head = Buffer.alloc(16)
    head.writeUInt32BE(16 + body.length)
    head.writeUInt32BE(command, 4)
    head.writeUInt32BE(9_000_000 + Math.abs(body.length), 12)
    return Buffer.concat([head, body])
  }
  const addresses = (more: Buffer) =>
    Buffer.concat([
      field('USSD'),
      Buffer.from([1, 1]),
      field(MSISDN),
      Buffer.from([1, 1]),
      field('900'),
      Buffer.alloc(3),
      Buffer.from('\0\0'),
      Buffer.alloc(4),
      more,
    ])
  const text = Buffer.from(`${PIN} ${TEXT} canarysms`)
  const all = [
    pdu(addresses(Buffer.concat([Buffer.from([text.length + 90]), text]))),
    pdu(addresses(Buffer.concat([Buffer.from([text.length]), text, Buffer.from([5, 1, 0, 99, 1])]))),
    pdu(Buffer.concat([text, text])),
    pdu(text, 0x7777),
    pdu(Buffer.concat([field('canarysms'), text]), 0x102),
    pdu(Buffer.concat([field(MSISDN), text]), 0x80000004),
  ]
  // A begin with its code in the address and in a parameter of somebody's own, and the SMSC's end of it.
  const code = Buffer.from(`*901*${DIALLED}#`)
  const tlv = (tag: number, value: Buffer) =>
    Buffer.concat([Buffer.from([tag >> 8, tag & 0xff, 0, value.length]), value])
  const dial = Buffer.concat([
    field('USSD'),
    Buffer.from([1, 1]),
    field(MSISDN),
    Buffer.from([1, 1]),
    field(code.toString()),
    Buffer.alloc(3),
    Buffer.from('\0\0'),
    Buffer.alloc(5),
    tlv(0x0501, Buffer.from([1])),
    tlv(0x1383, Buffer.from([250, 0])),
    tlv(0x1400, code),
    tlv(0x1401, Buffer.from(code.toString(), 'utf16le').swap16()),
  ])
  all.push(pdu(dial))
  for (const peer of smsc.peers()) for (const one of all) peer.write(one)
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

/** What the role support sees in clear: the number that it asked for. */
const SUPPORTED = /^\/v1\/dialogues/

/** Every route, with the tokens of two desks, a wrong one and none; numbers in paths, queries and bodies. */
async function admin(play: Play, port: number): Promise<void> {
  const [right, support] = ['canary-admin-operate-token', 'canary-admin-support-token']
  const paths = [
    '/live',
    '/ready',
    '/metrics',
    '/v1/flows',
    '/v1/lines',
    `/v1/dialogues?msisdn=${MSISDN}`,
    `/v1/dialogues?msisdn=${MSISDN}x`,
    `/v1/nothing/${MSISDN}?pin=${PIN}`,
    '/v1/lines/test/trace?form=text&last=5000&clear=true',
    '/v1/lines/test/trace?last=5000&clear=true',
    '/v1/flows/canary/revisions',
    '/v1/lines/test/trace?form=text&last=500',
    '/v1/lines/test/trace?last=500',
    `/v1/lines/test/trace?form=text&msisdn=${MSISDN}`,
  ]
  for (const path of paths) {
    for (const token of [undefined, right, support, 'canary-admin-guessed-token']) {
      if (token !== 'canary-admin-guessed-token' || path === '/metrics') await ask(play, port, path, token)
    }
  }
  await ask(play, port, `/metrics?token=${right}`)
  const posts: [string, string, unknown][] = [
    ['DELETE', `/v1/dialogues/test/${MSISDN}`, undefined],
    ['DELETE', `/v1/dialogues/${MSISDN}/${PIN}`, undefined],
    ['POST', '/v1/push', { msisdn: MSISDN, text: `canaryscreen ${TEXT}`, ttlMs: 500 }],
    ['POST', '/v1/push', { msisdn: `${MSISDN}${PIN}`, text: TEXT }],
    ['POST', '/v1/push', `not JSON ${TEXT} ${PIN}`],
    ['POST', '/v1/flows/canary/rollback', { revision: 'canary@000000000000' }],
  ]
  for (const [method, path, body] of posts) {
    for (const token of [right, support])
      await ask(play, port, path, token, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
    await ask(play, port, path, undefined, { method })
  }
}

async function ask(play: Play, port: number, path: string, token?: string, init: RequestInit = {}): Promise<void> {
  const headers = { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) }
  const got = await fetch(`http://127.0.0.1:${port}${path}`, { ...init, headers, signal: AbortSignal.timeout(10_000) })
  const body = Buffer.from(await got.arrayBuffer()).toString('latin1')
  play.said.push({
    what: `${init.method ?? 'GET'} ${path.split('?')[0]!.replace(/\d{8,}/g, '…')} ${got.status}`,
    body: `${JSON.stringify([...got.headers])} ${body}`,
    isClear: got.ok && (path.includes('clear=true') || SUPPORTED.test(path)),
  })
}

/** Runs a command as an operator would; answers all that it said. */
function cli(args: string[]): string {
  const run = spawnSync(process.execPath, [join(packageRoot, 'dist/campaigns/src/cli/main.js'), ...args], {
    encoding: 'utf8',
    cwd: packageRoot,
  })
  if (run.status !== 0) throw new Error(`${args.slice(0, 2).join(' ')}: ${run.stderr.slice(0, 500)}`)
  return run.stdout + run.stderr
}

function dump({ stage }: CampaignFixture): Buffer {
  const url = new URL(stage.postgresUrl)
  const schema = /search_path=(\w+)/.exec(url.searchParams.get('options') ?? '')![1]!
  url.search = ''
  return execFileSync('pg_dump', ['--schema', schema, url.toString()], { maxBuffer: 256 * 1_048_576 })
}

/** The append-only files and a snapshot, as they lie on disk. */
function redisFiles(dir: string, url: string): [string, Buffer][] {
  execFileSync('redis-cli', ['-u', url, 'SAVE'])
  return files(dir, [])
}

/** Waits until Redis has written its append-only file anew: what was removed is then gone from there, too. */
async function rewritten(url: string): Promise<void> {
  const redis = new Redis(url)
  await redis.bgrewriteaof()
  await reached(
    async () => /aof_rewrite_in_progress:0[\s\S]*aof_rewrite_scheduled:0/.test(await redis.info('persistence')),
    10_000,
  )
  redis.disconnect()
}

function files(dir: string, without: string[]): [string, Buffer][] {
  return readdirSync(dir)
    .filter((name) => !without.some((one) => name.startsWith(one)))
    .flatMap((name): [string, Buffer][] => {
      const path = join(dir, name)
      return statSync(path).isDirectory() ? files(path, without) : [[name, readFileSync(path)]]
    })
}
