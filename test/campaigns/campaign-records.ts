/**
 * R22: call detail records of two daemons that are killed at named points, with Postgres away for a while. The set of
 * dialogues that were opened (by the store, by what phones had on their displays, and by what a back end was asked for)
 * is the set of records, and the set of rows in the files for mediation; each SMS that met its end has one, too.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import type { Settings } from '../../src/config/schema.ts'
import type { Failpoint } from '../../src/base/failpoints.ts'
import { stub, type Stub } from '../backend/contracts/stub.ts'
import { paceOf } from './campaign-settings.ts'
import { openFixture, sweepRedis, type CampaignFixture } from './fixture.ts'
import { reached, sleep, told, type Campaign, type CampaignDeps } from './outcome.ts'
import { startPack, type Pack } from './pack.ts'
import { faultProxy, targetOf, through, type FaultProxy } from './proxy.ts'
import { readMediation, setBreaches } from './record-sets.ts'

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
    choices: [{ label: Buy, to: buy }, { label: Leave, to: bye }]
  buy: { call: shop.buy, once: true, as: sold, expect: { id: text }, to: bought, failed: sorry }
  bought: { end: 'Bought {data.sold.id}.' }
  bye: { end: Goodbye. }
  sorry: { end: Not now. Please try again later. }
`
const OVER = ['delivered', 'failed', 'expired', 'cancelled']
/** Not those that were accepted: while Postgres is away, the SMSC gives up delivering a receipt, and none comes. */
const UNDER_WAY = ['due', 'submitting', 'ambiguous']
const CODES = ['*160#', '*161#'] as const
/** Postgres went away in the middle of a start. */
const NOT_STARTED = /start again when Postgres answers|^(Postgres|Redis): /m

export const recordsCampaign: Campaign = async (parts) => {
  const startMs = performance.now()
  const bounds = boundsOf(parts)
  const play = await openPlay(parts, bounds.fileMs)
  const { pack, postgres } = play
  try {
    const dialling = dial(play)
    const each = Math.min(bounds.each, Math.floor(bounds.kills / POINTS.length))
    const isEnough = () => pack.kills().length >= bounds.kills && pack.fewest() >= each
    await reached(() => isEnough() || pack.stalledMs() > STALLED_MS, (parts.minutes ?? Infinity) * 60_000)
    const failures = isEnough() ? [] : ['too few kills: the run stalled']
    parts.say(`     ${pack.kills().length} kills after ${since(startMs)} s`)
    await pack.disarm()
    const whileAway = await takeAway(play, bounds)
    if (whileAway < bounds.opened) failures.push(`only ${whileAway} dialogues were opened while Postgres was away`)
    await postgres.set({ is: 'pass' })
    await dialling.stop()
    parts.say(`     Postgres is back after ${since(startMs)} s`)
    const found = await settled(play, bounds.fileMs)
    failures.push(...setBreaches(found.sets), ...found.files.wrong)
    failures.push(...pack.accidents().map(({ what }) => what))
    const { opened, recorded, filed } = found.sets
    return [
      told(parts, startMs, {
        goal: 'R22',
        title: `2 daemons killed at ${POINTS.length} points, then Postgres away for ${bounds.awayMs / 1_000} s, in which both were killed`,
        passed: failures.length === 0,
        figure: `${opened.length} dialogues opened and ${found.sets.sms.length} SMS settled: ${recorded.length} records, ${filed.length} rows in ${found.files.files} files; ${failures.length} wrong`,
        counts: {
          kills: pack.kills().length,
          ...pack.strikes(),
          whileAway,
          seen: found.sets.seen.length,
          emptyFiles: found.files.empty,
          dialled: play.dialled.count,
        },
        failures,
      }),
    ]
  } finally {
    await play.close()
  }
}

function since(startMs: number): number {
  return Math.round((performance.now() - startMs) / 1_000)
}

function boundsOf({ ci, mode, kills }: CampaignDeps) {
  return { ...BOUNDS[ci ? 'ci' : mode], ...(kills === undefined ? {} : { kills }) }
}

interface Play {
  scene: CampaignFixture
  pack: Pack
  postgres: FaultProxy
  /** Of the files. */
  dir: string
  /** What phones and the back end saw. */
  seen: Set<string>
  /** By the store, in which what is old goes: looked at all the while. */
  opened: Set<string>
  dialled: { count: number }
  look(): Promise<void>
  close(): Promise<void>
}

async function openPlay(parts: CampaignDeps, fileMs: number): Promise<Play> {
  const scene = await openFixture({ seed: parts.seed, pace: paceOf(parts), smsc: { screenMs: SCREEN_MS } })
  const { stage } = scene
  const postgres = await faultProxy(targetOf(stage.postgresUrl))
  const shop = await stub()
  const seen = new Set<string>()
  answering(shop, seen)
  const dir = join(stage.data, 'mediation')
  mkdirSync(dir)
  const pack = await startPack(scene, {
    seed: parts.seed,
    points: POINTS,
    postgresUrl: through(stage.postgresUrl, postgres),
    change: serving(stage.data, shop.url, { dir, everyMs: fileMs }),
    mayNotStart: NOT_STARTED,
  })
  const opened = new Set<string>()
  const redis = new Redis(stage.redis.url!)
  const look = async () => (await openedIn(redis, stage.prefix)).forEach((epoch) => opened.add(epoch))
  const looking = setInterval(() => void look().catch(() => undefined), LOOK_MS)
  return {
    look,
    scene,
    pack,
    postgres,
    dir,
    seen,
    opened,
    dialled: { count: 0 },
    async close() {
      clearInterval(looking)
      redis.disconnect()
      await pack.stop()
      await Promise.all([shop.close(), postgres.close()])
      await sweepRedis(stage)
      await scene.close()
    },
  }
}

/** The flow, its back end, and a file for each of three partners. */
function serving(data: string, url: string, files: { dir: string; everyMs: number }): (settings: Settings) => void {
  const dir = join(data, 'flows')
  mkdirSync(dir)
  writeFileSync(join(dir, 'counted.yaml'), FLOW)
  return (settings) => {
    settings.flows.dir = dir
    settings.services = CODES.map((code) => ({ code, flow: 'counted' })) as Settings['services']
    settings.backends = { shop: { http: { url } } } as never
    Object.assign(settings.dialogue, { tombstoneMs: KEPT_MS })
    // The pack makes dialogues outlive any machine in short runs; here those that are left must end.
    if (settings.dialogue.idleMs > 60_000) Object.assign(settings.dialogue, { idleMs: 8_000, totalMs: 60_000 })
    settings.records.files = {
      ...files,
      feeds: [
        { partner: 'acme', codes: [CODES[0]], kinds: ['dialogue'], unit: '20s', format: 'csv' },
        { partner: 'house', codes: [CODES[1]], kinds: ['dialogue'], unit: 'step', format: 'ndjson' },
        { partner: 'texts', codes: [], kinds: ['sms'], unit: 'session', format: 'csv' },
      ],
    }
  }
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

/** Each subscriber dials once: buys, leaves, hangs up, or lays the phone down. */
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

async function dialler({ scene, seen, dialled }: Play, state: { isOver: boolean }): Promise<void> {
  while (!state.isOver) {
    const serial = ++enrolled
    const phone = scene.smsc.phone(`6756${String(serial).padStart(7, '0')}`)
    phone.skipRepeats = true
    dialled.count++
    const text = await phone.dial(CODES[serial % CODES.length]!).then(
      (screen) => screen.text,
      () => '',
    )
    const shown = /^Nr (\S+)/.exec(text)?.[1]
    if (shown !== undefined) seen.add(shown)
    if (shown !== undefined && serial % 4 < 2) await phone.answer(serial % 4 === 0 ? '1' : '2').catch(() => undefined)
    if (serial % 4 === 2 && phone.screen?.open) phone.hangUp()
    await sleep(PAUSE_MS)
  }
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

/** Once all dialogues are over, all SMS settled, and each record is in a file. */
async function settled(play: Play, fileMs: number) {
  const withinMs = SETTLE_MS[play.scene.stage.pace]
  const look = async () => {
    await play.look()
    const [sms, recorded, files] = [await settledSms(play), await recordedRows(play), readMediation(play.dir)]
    return { sets: { seen: [...play.seen], opened: [...play.opened], sms, recorded, filed: files.rows }, files }
  }
  await reached(async () => {
    const { sets } = await look()
    return sets.recorded.length >= sets.opened.length + sets.sms.length && (await openSms(play)) === 0
  }, withinMs)
  await reached(async () => {
    const { sets } = await look()
    return sets.filed.length >= sets.recorded.length
  }, withinMs)
  // What comes twice comes now.
  await sleep(2 * fileMs)
  return look()
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

async function openSms({ scene }: Play): Promise<number> {
  const rows = await scene.stage.knex('sms_outbox').whereIn('state', UNDER_WAY).select('id')
  return rows.length
}

async function recordedRows({ scene }: Play): Promise<string[]> {
  const rows = await scene.stage.knex('cdr').whereIn('kind', ['dialogue', 'sms']).select<Row[]>('kind', 'epoch')
  return rows.map(({ kind, epoch }) => `${kind} ${epoch}`)
}

interface Row {
  kind: string
  epoch: string
}
