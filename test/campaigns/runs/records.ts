/**
 * R22: call detail records of two daemons that are killed at named points, with Postgres away for a while. The set of
 * dialogues that were opened (by the store, by what phones had on their displays, and by what a back end was asked for)
 * is the set of records, and the set of rows in the files for mediation; so is each SMS that met its end, each answer
 * that was promised for later, and each dial that was turned away while nobody died. Whoever left the screen that asks
 * for it gets one SMS, and nobody else. R23: the same of records for files alone, where a row may come twice.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import type { Settings } from '../../../src/config/schema.ts'
import type { Failpoint } from '../../../src/base/failpoints.ts'
import { stub, type Stub } from '../../backend/contracts/stub.ts'
import { paceOf } from '../settings.ts'
import { openFixture, sweepRedis, type CampaignFixture } from '../staging/fixture.ts'
import { reached, sleep, told, type Campaign, type CampaignDeps } from '../judging/outcome.ts'
import { startPack, type Pack } from '../staging/pack.ts'
import { faultProxy, targetOf, through, type FaultProxy } from '../staging/proxy.ts'
import { differences, readMediation, setBreaches } from '../judging/record-sets.ts'

/** On the way of a record: from the write that opens a dialogue to the file that is under its name. */
const POINTS: readonly Failpoint[] = [
  'after-write',
  'before-rest',
  'after-rest',
  'sms-in-settle',
  'cdr-written',
  'file-cut',
  'file-renamed',
]
/** `opened`: while Postgres is away. `fileMs`: how often each partner gets a file. */
const BOUNDS = {
  ci: { kills: 5, each: 0, awayMs: 4_000, opened: 10, fileMs: 1_000 },
  bounded: { kills: 28, each: 2, awayMs: 20_000, opened: 100, fileMs: 2_000 },
  long: { kills: 210, each: 20, awayMs: 60_000, opened: 500, fileMs: 10_000 },
}
/** Of records for files alone: on their way is no table. */
const FILE_POINTS: readonly Failpoint[] = ['after-write', 'before-rest', 'after-rest', 'file-cut', 'file-renamed']
const FILE_BOUNDS = {
  ci: { kills: 3, each: 0, awayMs: 2_000, opened: 5, fileMs: 1_000 },
  bounded: { kills: 15, each: 2, awayMs: 10_000, opened: 50, fileMs: 2_000 },
  long: { kills: 100, each: 15, awayMs: 60_000, opened: 500, fileMs: 10_000 },
}
type Bounds = (typeof BOUNDS)['ci']
type To = 'postgres' | 'files'
const STALLED_MS = 300_000
const DIALLERS = 6
const LOOK_MS = 60_000
const PAUSE_MS = 150
const SCREEN_MS = 20_000
/** A subscriber dials once, and what the store knows of a dialogue is the evidence: it is kept until the end. */
const KEPT_MS = 3_600_000
/** An SMS may be lost twice, each time with its lease and its grace; an abandoned dialogue is ended when it is idle. */
const SETTLE_MS = { defaults: 420_000, short: 120_000 }
const FLOW = `
flow: counted
spec: 1
start: open
languages: [en]
screens:
  open: { call: shop.open, once: true, as: it, expect: { id: text }, to: main, failed: sorry }
  main:
    menu: 'Nr {data.it.id}'
    choices: [{ label: Buy, to: buy }, { label: Leave, to: bye }, { label: Ask, to: ask }]
    LEFT
  ask: { call: office.ask, once: true, as: said, expect: { id: text }, to: answered, failed: sorry }
  answered: { end: 'Answer {data.said.id}.' }
  buy: { call: shop.buy, once: true, as: sold, expect: { id: text }, to: bought, failed: sorry }
  bought: { end: 'Bought {data.sold.id}.' }
  bye: { end: Goodbye. }
  sorry: { end: Not now. Please try again later. }
`
const LEFT = "abandoned: { sms: 'You left {data.it.id}.' }"
const LEFT_ENDS = ['idle', 'total', 'subscriber-abort', 'network-abort', 'superseded']
/** The network waits for no longer than the daemon; the back end takes longer. */
const PATIENCE_MS = 300
const ANSWER_MS = 1_200
/** No service has it. */
const NO_CODE = '*169#'
/** Dials that are turned away after the last kill: memory of a daemon that died has no record of any. */
const TURNED_AWAY = 8
const OVER = ['delivered', 'failed', 'expired', 'cancelled']
/** Not those that were accepted: while Postgres is away, the SMSC gives up delivering a receipt, and none comes. */
const UNDER_WAY = ['due', 'submitting', 'ambiguous']
const CODES = ['*160#', '*161#'] as const
/** Postgres went away in the middle of a start. */
const NOT_STARTED = /start again when Postgres answers|^(Postgres|Redis): /m

export const recordsCampaign: Campaign = async (parts) => [
  await ofTable(parts, 'postgres', POINTS, boundsOf(BOUNDS, parts)),
  await ofTable(parts, 'files', FILE_POINTS, boundsOf(FILE_BOUNDS, parts)),
]

async function ofTable(parts: CampaignDeps, to: To, points: readonly Failpoint[], bounds: Bounds) {
  const startMs = performance.now()
  const play = await openPlay(parts, { to, points, fileMs: bounds.fileMs })
  const { pack, postgres } = play
  try {
    const dialling = dial(play)
    const each = Math.min(bounds.each, Math.floor(bounds.kills / points.length))
    const isEnough = () => pack.kills().length >= bounds.kills && pack.fewest() >= each
    await reached(() => isEnough() || pack.stalledMs() > STALLED_MS, (parts.minutes ?? Infinity) * 60_000)
    const failures = isEnough() ? [] : ['too few kills: the run stalled']
    parts.say(`     ${to}: ${pack.kills().length} kills after ${since(startMs)} s`)
    await pack.disarm()
    const whileAway = await takeAway(play, bounds)
    if (whileAway < bounds.opened) failures.push(`only ${whileAway} dialogues were opened while Postgres was away`)
    await postgres.set({ is: 'pass' })
    await dialling.stop()
    parts.say(`     Postgres is back after ${since(startMs)} s`)
    await turnedAwayInPeace(play)
    const found = await settled(play, bounds.fileMs)
    failures.push(...breachesOf(play, found), ...pack.accidents().map(({ what }) => what))
    return told(parts, startMs, resultOf(play, found, { bounds, points, whileAway, failures }))
  } finally {
    await play.close()
  }
}

function breachesOf({ to, turnedAway, inPeace }: Play, { sets, files, refused, left }: Found): string[] {
  const rows = to === 'files' ? refused.filter((one, n) => refused.indexOf(one) === n) : refused
  return [
    ...setBreaches(to === 'files' ? { ...sets, filed: sets.recorded } : sets),
    ...files.wrong,
    ...differences('record of a dial turned away', inPeace, rows, turnedAway),
    ...differences('SMS for who left', left.screens, left.sms),
  ]
}

interface Told {
  bounds: Bounds
  points: readonly Failpoint[]
  whileAway: number
  failures: string[]
}

function resultOf(play: Play, { sets, files, refused, left }: Found, { bounds, points, whileAway, failures }: Told) {
  const { pack, to, dialled, turnedAway } = play
  const { opened, sms, recorded, filed } = sets
  const deferred = recorded.filter((row) => row.startsWith('deferred ')).length
  const isTable = to === 'postgres'
  const where = isTable ? 'records for the table and its files' : 'records for files alone'
  return {
    goal: isTable ? 'R22' : 'R23',
    title: `${where}: 2 daemons killed at ${points.length} points, then Postgres away for ${bounds.awayMs / 1_000} s, in which both were killed`,
    passed: failures.length === 0,
    figure:
      `${[...opened].length} dialogues opened, ${[...sms].length} SMS settled, ${deferred} answers for later and ${refused.length} dials turned away: ` +
      `${recorded.length} records, ${filed.length} rows in ${files.files} files; ${failures.length} wrong`,
    counts: {
      kills: pack.kills().length,
      ...pack.strikes(),
      whileAway,
      seen: [...sets.seen].length,
      promised: [...sets.promised].length,
      left: left.screens.length,
      turnedAway: turnedAway.size,
      emptyFiles: files.empty,
      dialled: dialled.count,
    },
    failures,
  }
}

function since(startMs: number): number {
  return Math.round((performance.now() - startMs) / 1_000)
}

function boundsOf(all: typeof BOUNDS, { ci, mode, kills }: CampaignDeps): Bounds {
  return { ...all[ci ? 'ci' : mode], ...(kills === undefined ? {} : { kills }) }
}

interface Play {
  scene: CampaignFixture
  pack: Pack
  postgres: FaultProxy
  to: To
  /** Of the files. */
  dir: string
  /** What phones and the back end saw. */
  seen: Set<string>
  /** By the store, in which what is old goes: looked at all the while. */
  opened: Set<string>
  /** Dialogues whose holding text was seen, and those of which the back end was asked for it. */
  promised: Set<string>
  asked: Set<string>
  /** Numbers that were shown no screen of a service; and those that dialled what no service has after the last kill. */
  turnedAway: Set<string>
  inPeace: Set<string>
  dialled: { count: number }
  look(): Promise<void>
  close(): Promise<void>
}

interface PlayOptions {
  to: To
  points: readonly Failpoint[]
  fileMs: number
}

async function openPlay(parts: CampaignDeps, { to, points, fileMs }: PlayOptions): Promise<Play> {
  const scene = await openFixture({ seed: parts.seed, pace: paceOf(parts), smsc: { screenMs: SCREEN_MS } })
  const { stage } = scene
  const postgres = await faultProxy(targetOf(stage.postgresUrl))
  const shop = await stub()
  const seen = new Set<string>()
  answering(shop, seen)
  const office = await stub()
  const asked = new Set<string>()
  answeringLate(office, asked)
  const dir = join(stage.data, 'mediation')
  mkdirSync(dir)
  const pack = await startPack(scene, {
    seed: parts.seed,
    points,
    postgresUrl: through(stage.postgresUrl, postgres),
    change: serving(stage.data, { shop: shop.url, office: office.url }, { to, dir, everyMs: fileMs }),
    mayNotStart: NOT_STARTED,
  })
  const opened = new Set<string>()
  const redis = new Redis(stage.redis.url!)
  const look = async () => (await openedIn(redis, stage.prefix)).forEach((epoch) => opened.add(epoch))
  const looking = setInterval(() => void look().catch(() => undefined), LOOK_MS)
  return {
    to,
    look,
    scene,
    pack,
    postgres,
    dir,
    seen,
    opened,
    asked,
    promised: new Set(),
    turnedAway: new Set(),
    inPeace: new Set(),
    dialled: { count: 0 },
    async close() {
      clearInterval(looking)
      redis.disconnect()
      await pack.stop()
      await Promise.all([shop.close(), office.close(), postgres.close()])
      await sweepRedis(stage)
      await scene.close()
    },
  }
}

/** The flow, its back ends, and a file for each of four partners. */
function serving(
  data: string,
  urls: Record<'shop' | 'office', string>,
  { to, ...files }: { to: To; dir: string; everyMs: number },
): (settings: Settings) => void {
  const dir = join(data, 'flows')
  mkdirSync(dir)
  // Who left is told by the table.
  writeFileSync(join(dir, 'counted.yaml'), FLOW.replace('LEFT', to === 'postgres' ? LEFT : ''))
  return (settings) => {
    settings.flows.dir = dir
    settings.services = CODES.map((code) => ({ code, flow: 'counted' })) as Settings['services']
    settings.backends = {
      shop: { http: { url: urls.shop } },
      office: { http: { url: urls.office, patienceMs: PATIENCE_MS } },
    } as never
    Object.assign(settings.dialogue, { tombstoneMs: KEPT_MS })
    // The pack makes dialogues outlive any machine in short runs; here those that are left must end.
    if (settings.dialogue.idleMs > 60_000) Object.assign(settings.dialogue, { idleMs: 8_000, totalMs: 60_000 })
    settings.records.to = to
    settings.records.files = {
      ...files,
      feeds: [
        { partner: 'acme', codes: [CODES[0]], kinds: ['dialogue'], unit: '20s', format: 'csv' },
        { partner: 'house', codes: [CODES[1]], kinds: ['dialogue'], unit: 'step', format: 'ndjson' },
        { partner: 'texts', codes: [], kinds: ['sms'], unit: 'session', format: 'csv' },
        { partner: 'others', codes: [], kinds: ['deferred', 'refused'], unit: 'session', format: 'csv' },
      ],
    }
  }
}

/** Later than the daemon waits. */
function answeringLate(office: Stub, asked: Set<string>): void {
  office.says(async ({ headers }, response) => {
    const [epoch = ''] = String(headers['idempotency-key']).split(':')
    asked.add(epoch)
    await sleep(ANSWER_MS)
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ id: epoch }))
  })
}

/** Says the epoch, so that it stands on a display; a purchase asks for an SMS. */
function answering(shop: Stub, seen: Set<string>): void {
  shop.says(({ headers }, response) => {
    const [epoch = '', turn] = String(headers['idempotency-key']).split(':')
    seen.add(epoch)
    const sms = turn === '1' ? [] : [{ text: `Bought ${epoch}.`, key: epoch }]
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ id: epoch, ...(sms.length ? { sms } : {}) }))
  })
}

let enrolled = 0

/** Each subscriber dials once: buys, leaves, asks, hangs up, lays the phone down, or dials what no service has. */
function dial(play: Play): { stop(): Promise<void> } {
  const state = { isOver: false }
  const all = Promise.all(Array.from({ length: DIALLERS }, () => dialler(play, state)))
  return {
    async stop() {
      state.isOver = true
      await all
    },
  }
}

async function dialler(play: Play, state: { isOver: boolean }): Promise<void> {
  for (; !state.isOver; await sleep(PAUSE_MS)) {
    const serial = ++enrolled
    play.dialled.count++
    if (serial % 6 === 5) await turnAway(play, serial)
    else await serve(play, serial)
  }
}

async function serve({ scene, seen, promised, turnedAway }: Play, serial: number): Promise<void> {
  const msisdn = numberOf(serial)
  const phone = scene.smsc.phone(msisdn)
  phone.skipRepeats = true
  const textOf = (shown: Promise<{ text: string }>) =>
    shown.then(
      ({ text }) => text,
      () => '',
    )
  const epoch = /^Nr (\S+)/.exec(await textOf(phone.dial(CODES[serial % CODES.length]!)))?.[1]
  // A machine that has much else to do is too busy for a dial now and then.
  if (epoch === undefined) return void turnedAway.add(msisdn)
  seen.add(epoch)
  const key = { 0: '1', 1: '2', 4: '3' }[serial % 6]
  const said = key === undefined ? '' : await textOf(phone.answer(key))
  if (/You will be told/.test(said)) promised.add(epoch)
  if (serial % 6 === 2 && phone.screen?.open) phone.hangUp()
}

async function turnAway({ scene, turnedAway }: Play, serial: number): Promise<string> {
  const msisdn = numberOf(serial)
  turnedAway.add(msisdn)
  const phone = scene.smsc.phone(msisdn)
  return phone.dial(NO_CODE).then(
    () => msisdn,
    () => '',
  )
}

/** Nobody dies any more: each of them has a record. */
async function turnedAwayInPeace(play: Play): Promise<void> {
  await play.scene.smsc.bound(1, LOOK_MS)
  for (let tries = 0; play.inPeace.size < TURNED_AWAY && tries < 10 * TURNED_AWAY; tries++) {
    const msisdn = await turnAway(play, ++enrolled)
    if (msisdn !== '') play.inPeace.add(msisdn)
  }
}

function numberOf(serial: number): string {
  return `6756${String(serial).padStart(7, '0')}`
}

/** Postgres is away; the one daemon dies in the middle, the other before Postgres is back. Answers how many were opened. */
async function takeAway(play: Play, { awayMs, opened }: { awayMs: number; opened: number }): Promise<number> {
  const { postgres, pack } = play
  const before = play.seen.size
  await postgres.set({ is: 'refuse' })
  const [first, second] = pack.daemons()
  await sleep(awayMs / 2)
  first!.kill('SIGKILL')
  await sleep(awayMs / 2)
  await reached(() => play.seen.size - before >= opened, awayMs)
  second!.kill('SIGKILL')
  return play.seen.size - before
}

type Found = Awaited<ReturnType<typeof settled>>

/** What there is now. Without a table, what is in the files is what is recorded. */
async function looked(play: Play) {
  await play.look()
  const { to, promised, asked } = play
  const [sms, rows, files] = [await settledSms(play), await recordedRows(play), readMediation(play.dir)]
  const refused =
    to === 'files' ? files.numbers : rows.flatMap(({ kind, msisdn }) => (kind === 'refused' ? msisdn : []))
  const recorded = to === 'files' ? [...new Set(files.rows)] : rows.map(({ kind, epoch }) => `${kind} ${epoch}`)
  const turnedAway = recorded.flatMap((row) => (row.startsWith('refused ') ? row.split(' ')[1]! : []))
  const sets = { seen: [...play.seen], opened: [...play.opened], sms, promised, asked, turnedAway, recorded }
  return { sets: { ...sets, filed: files.rows }, files, refused, left: await leftOnes(play, rows) }
}

/** Once all dialogues are over, all SMS settled, all answers told, and each record is in a file. */
async function settled(play: Play, fileMs: number) {
  const withinMs = SETTLE_MS[play.scene.stage.pace]
  await reached(async () => {
    const { sets } = await looked(play)
    return (await openWork(play)) === 0 && setBreaches({ ...sets, filed: sets.recorded }).length === 0
  }, withinMs)
  await reached(async () => {
    const { sets } = await looked(play)
    return new Set(sets.filed).size >= sets.recorded.length
  }, withinMs)
  // What comes twice comes now.
  await sleep(2 * fileMs)
  return looked(play)
}

/** Epochs of those who left the screen that asks for an SMS, and those of which there is one. */
async function leftOnes({ scene, to }: Play, rows: readonly Row[]) {
  const sms = await scene.stage
    .knex('sms_outbox')
    .where('text', 'like', 'You left %')
    .select<{ text: string }[]>('text')
  const isLeft = ({ kind, screen, reason }: Row) =>
    to === 'postgres' && kind === 'dialogue' && screen === 'main' && LEFT_ENDS.includes(reason)
  return {
    screens: rows.filter(isLeft).map(({ epoch }) => epoch),
    sms: sms.map(({ text }) => /^You left (\S+)\.$/.exec(text)![1]!),
  }
}

/** The head of each entry has its epoch (src/store/record.ts). */
async function openedIn(redis: Redis, prefix: string): Promise<string[]> {
  const epochs: string[] = []
  for await (const keys of redis.scanStream({ match: `${prefix}:{b*}:u:*`, count: 1_000 })) {
    const heads = await Promise.all((keys as string[]).map((key) => redis.getrange(key, 0, 255)))
    epochs.push(...heads.flatMap((head) => head.split('\n')[0]!.split(' ')[2] ?? []))
  }
  return [...new Set(epochs)]
}

async function settledSms({ scene }: Play): Promise<string[]> {
  const rows = await scene.stage.knex('sms_outbox').whereIn('state', OVER).select<{ id: string }[]>('id')
  return rows.map(({ id }) => `sms-${id}`)
}

/** SMS that are to leave, and answers that nobody was told yet. */
async function openWork({ scene: { stage } }: Play): Promise<number> {
  const rows = await stage.knex('sms_outbox').whereIn('state', UNDER_WAY).select('id')
  return rows.length + (await stage.knex('ussd_late').select('epoch')).length
}

async function recordedRows({ scene }: Play): Promise<Row[]> {
  return scene.stage.knex('cdr').select<Row[]>('kind', 'epoch', 'msisdn', 'screen', 'reason')
}

interface Row {
  kind: string
  epoch: string
  msisdn: string
  screen: string
  reason: string
}
