/**
 * R21: SMS that a back end's answers and an application over POST /v1/sms ask for, while two daemons are killed at named
 * points and Postgres and Redis go away. By the key of each: what was accepted is taken by the SMSC once, or there is a
 * recorded loss; what was taken back is not; and nothing is that nobody asked for.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Settings } from '../../../src/config/schema.ts'
import { tokenHash } from '../../../src/admin/access.ts'
import type { Failpoint } from '../../../src/base/failpoints.ts'
import { stub, type Stub } from '../../backend/contracts/stub.ts'
import { metricsAtRest } from '../judging/aftermath.ts'
import { askedBreaches, takenTwice, type AskedEntry, type AskedRow } from '../judging/asked-ledger.ts'
import { paceOf } from '../settings.ts'
import { books, sumOf } from '../judging/checker.ts'
import { openFixture, RECEIPT_MS, sweepRedis, type CampaignFixture } from '../staging/fixture.ts'
import { reached, sleep, told, type Campaign } from '../judging/outcome.ts'
import { startPack, type Pack } from '../staging/pack.ts'
import { faultProxy, targetOf, through, type FaultProxy } from '../staging/proxy.ts'

/** On the way of an SMS that is asked for, from the answer of the back end to the response of the SMSC. */
const POINTS: readonly Failpoint[] = [
  'after-ack',
  'after-call',
  'before-rest',
  'after-rest',
  'sms-before-submitting',
  'sms-after-submitting',
  'sms-after-octets',
  'sms-after-response',
  'sms-in-settle',
]
const BOUNDS = {
  ci: { kills: 5, each: 0, accepted: 30, outages: 4 },
  bounded: { kills: 36, each: 3, accepted: 200, outages: 8 },
  long: { kills: 300, each: 20, accepted: 3_000, outages: 60 },
}
const STALLED_MS = 300_000
const BOOKERS = 5
const POSTERS = 3
/** With the defaults, a line sends ten SMS a second. */
const POST_EVERY_MS = 400
/** For so long a store is away, and then it is there, before the next goes. */
const AWAY_MS = 2_500
const THERE_MS = 5_000
/** Every so many requests of the application is cancelled again, and every so many replaced. */
const CANCEL_EACH = 7
const REPLACE_EACH = 5
const CALL_MS = 5_000
const AGAIN_MS = 200
/** An SMS may be lost twice, each time with its lease and its grace. */
const SETTLE_MS = { defaults: 420_000, short: 120_000 }
const SCREEN_MS = 60_000
const FLOW = `
flow: asked
spec: 1
start: main
languages: [en]
screens:
  main: { menu: Visits, choices: [{ label: Book, to: book }] }
  book: { call: clinic.book, once: true, expect: { id: text }, to: booked, failed: sorry }
  booked: { end: 'Booked {data.book.id}.' }
  sorry: { end: Not now. Please try again later. }
`
/** A store went away in the middle of a start. */
const NOT_STARTED = /start again when Postgres answers|^(Postgres|Redis): /m
const BACKEND = 'backend:clinic'
const APPLICATION = 'token:shop'

export const askedCampaign: Campaign = async (parts) => {
  const startMs = performance.now()
  const bounds = {
    ...BOUNDS[parts.ci ? 'ci' : parts.mode],
    ...(parts.kills === undefined ? {} : { kills: parts.kills }),
  }
  const scene = await openFixture({ seed: parts.seed, pace: paceOf(parts), smsc: { screenMs: SCREEN_MS } })
  const play = await openPlay(scene, parts.seed)
  const { pack, books: entries } = play
  try {
    const asking = ask(play)
    const outages = takeAway(play)
    const accepted = (owner: string) =>
      [...entries.values()].filter((one) => one.owner === owner && one.is === 'owed').length
    const each = Math.min(bounds.each, Math.floor(bounds.kills / POINTS.length))
    const isEnough = () =>
      pack.kills().length >= bounds.kills &&
      pack.fewest() >= each &&
      outages.count() >= bounds.outages &&
      [BACKEND, APPLICATION].every((owner) => accepted(owner) >= bounds.accepted)
    await reached(() => isEnough() || pack.stalledMs() > STALLED_MS, (parts.minutes ?? Infinity) * 60_000)
    await outages.stop()
    await pack.disarm()
    await asking.stop()
    const { rows, taken } = await settled(scene, entries)
    const metrics = await metricsAtRest(pack.daemons())
    const broken = askedBreaches([...entries.values()], rows, taken)
    const accidents = [...pack.accidents(), ...books(metrics)].map(({ invariant, what }) => `${invariant} ${what}`)
    const failures = [...broken.map((what) => `I4 ${what}`), ...accidents]
    const [ofBackend, ofApplication] = [accepted(BACKEND), accepted(APPLICATION)]
    if (!isEnough()) failures.push('too few kills, outages or SMS: the run stalled')
    return [
      told(parts, startMs, {
        goal: 'R21',
        title: `SMS asked for by a back end's answers and over POST /v1/sms: 2 daemons killed at ${POINTS.length} points, Postgres and Redis away in turn`,
        passed: failures.length === 0,
        figure: `${broken.length} of ${ofBackend} (back end) and ${ofApplication} (application) accepted SMS wrong by their key; ${takenTwice(taken)} taken twice after a recorded loss`,
        counts: {
          kills: pack.kills().length,
          ...pack.strikes(),
          outages: outages.count(),
          open: [...entries.values()].filter(({ is }) => is === 'open').length,
          withdrawn: [...entries.values()].filter(({ is }) => is === 'withdrawn').length,
          withALoss: rows.filter(({ losses }) => losses > 0).length,
          waitedForPostgres: metrics.reduce((sum, text) => sum + sumOf(text, 'sms_owed_total'), 0),
        },
        failures,
      }),
    ]
  } finally {
    await play.close()
  }
}

interface Play {
  scene: CampaignFixture
  pack: Pack
  clinic: Stub
  redis: FaultProxy
  postgres: FaultProxy
  tokens: Record<'sms' | 'read', string>
  /** By their texts. */
  books: Map<string, AskedEntry>
  close(): Promise<void>
}

async function openPlay(scene: CampaignFixture, seed: number): Promise<Play> {
  const { stage } = scene
  const [redis, postgres] = [
    await faultProxy(targetOf(stage.redis.url!)),
    await faultProxy(targetOf(stage.postgresUrl)),
  ]
  const clinic = await stub()
  const entries = new Map<string, AskedEntry>()
  answering(clinic, entries)
  const tokens = { sms: randomBytes(24).toString('hex'), read: randomBytes(24).toString('hex') }
  const pack = await startPack(scene, {
    seed,
    points: POINTS,
    redis: { url: through(stage.redis.url!, redis) },
    postgresUrl: through(stage.postgresUrl, postgres),
    change: serving(stage.data, clinic.url, tokens),
    readToken: tokens.read,
    mayNotStart: NOT_STARTED,
  })
  return {
    scene,
    pack,
    clinic,
    redis,
    postgres,
    tokens,
    books: entries,
    async close() {
      await pack.stop()
      await Promise.all([clinic.close(), redis.close(), postgres.close()])
      await sweepRedis(stage)
      await scene.close()
    },
  }
}

/** The flow, its back end, and the token of the application. */
function serving(data: string, url: string, tokens: Play['tokens']): (settings: Settings) => void {
  const dir = join(data, 'flows')
  mkdirSync(dir)
  writeFileSync(join(dir, 'asked.yaml'), FLOW)
  const tokensFile = join(data, 'tokens')
  const line = (role: string, of: string, name: string) => `${role}:${tokenHash(of).toString('hex')} ${name}\n`
  writeFileSync(tokensFile, line('sms', tokens.sms, 'shop') + line('read', tokens.read, 'campaign'), { mode: 0o600 })
  return (settings) => {
    settings.flows.dir = dir
    settings.services = [{ code: '*150#', flow: 'asked' }] as Settings['services']
    settings.backends = { clinic: { http: { url } } } as never
    settings.admin.tokensFile = tokensFile
  }
}

/**
 * The same answer to each repetition of a call. Every second SMS has no key of its own: then the turn and the call are
 * its key, and only its text tells which it is.
 */
function answering(clinic: Stub, entries: Map<string, AskedEntry>): void {
  const known = new Map<string, number>()
  clinic.says(({ headers }, response) => {
    const intention = String(headers['idempotency-key'])
    const serial = known.get(intention) ?? known.size + 1
    known.set(intention, serial)
    const [id, text] = [`b-${serial}`, bookingText(serial)]
    const key = serial % 2 === 0 ? id : undefined
    if (!entries.has(text)) entries.set(text, { owner: BACKEND, key: key ?? '', text, is: 'open' })
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ id, sms: [{ text, ...(key ? { key } : {}) }] }))
  })
}

function bookingText(serial: number | string): string {
  return `You booked b-${serial}.`
}

let enrolled = 0

/** Subscribers book, and an application posts, until they are called off; then each sees its last request through. */
function ask(play: Play): { stop(): Promise<void> } {
  const state = { isOver: false }
  const all = Promise.all([
    ...Array.from({ length: BOOKERS }, () => booker(play, state)),
    ...Array.from({ length: POSTERS }, (_, n) => poster(play, state, n)),
  ])
  return {
    async stop() {
      state.isOver = true
      await all
    },
  }
}

/** A screen that says "booked" is a promise: its SMS is owed. */
async function booker({ scene, books: entries }: Play, state: { isOver: boolean }): Promise<void> {
  const phone = scene.smsc.phone(`6754${String(++enrolled).padStart(7, '0')}`)
  phone.skipRepeats = true
  while (!state.isOver) {
    const text = await phone
      .dial('*150#')
      .then(() => phone.answer('1'))
      .then(
        (screen) => screen.text,
        () => '',
      )
    const serial = /^Booked b-(\d+)\.$/.exec(text)?.[1]
    if (serial !== undefined) entries.get(bookingText(serial))!.is = 'owed'
    else if (phone.screen?.open) phone.hangUp()
    await sleep(AGAIN_MS)
  }
}

/** Repeats each request, at one daemon and the other, until it has an answer. */
async function poster(play: Play, state: { isOver: boolean }, n: number): Promise<void> {
  const to = `6755${String(++enrolled).padStart(7, '0')}`
  for (let serial = 1; !state.isOver; serial++) {
    const key = `a-${n}-${serial}`
    const entry = (text: string): AskedEntry => {
      const made: AskedEntry = { owner: APPLICATION, key, text, is: 'open' }
      play.books.set(text, made)
      return made
    }
    if (serial % CANCEL_EACH === 0) await putAndCancel(play, { to, key }, entry)
    else if (serial % REPLACE_EACH === 0) await putAndReplace(play, { to, key }, entry)
    else {
      const now = entry(`Bill ${key}.`)
      const body = { to, key, text: now.text }
      // The same request at both daemons at once is one SMS.
      const said = await Promise.all(
        Array.from({ length: serial % 2 ? 2 : 1 }, (_, at) => insist(play, 'POST', body, at)),
      )
      if (said.some(({ status }) => status < 300)) now.is = 'owed'
    }
    await sleep(POST_EVERY_MS)
  }
}

interface Asking {
  to: string
  key: string
}

async function putAndCancel(play: Play, { to, key }: Asking, entry: (text: string) => AskedEntry): Promise<void> {
  const later = entry(`Never ${key}.`)
  await insist(play, 'POST', { to, key, text: later.text, in: '1h', class: 'transactional' })
  const { status } = await insist(play, 'DELETE', { key })
  later.is = status === 200 ? 'withdrawn' : 'open'
}

async function putAndReplace(play: Play, { to, key }: Asking, entry: (text: string) => AskedEntry): Promise<void> {
  const [first, second] = [entry(`Old ${key}.`), entry(`New ${key}.`)]
  await insist(play, 'POST', { to, key, text: first.text, in: '1h', class: 'transactional' })
  const { status } = await insist(play, 'POST', { to, key, text: second.text, class: 'transactional' })
  if (status < 300) [first.is, second.is] = ['withdrawn', 'owed']
}

/** Until a daemon says what became of it. One that is away, or has no Postgres, says nothing. */
async function insist(
  { pack, tokens }: Play,
  method: 'POST' | 'DELETE',
  body: Record<string, string>,
  at = 0,
): Promise<{ status: number }> {
  for (let tries = at; ; tries++) {
    const { adminPort } = pack.daemons()[tries % 2]!
    const query = method === 'DELETE' ? `?key=${body['key']}` : ''
    const answer = await fetch(`http://127.0.0.1:${adminPort}/v1/sms${query}`, {
      method,
      headers: { authorization: `Bearer ${tokens.sms}` },
      signal: AbortSignal.timeout(CALL_MS),
      ...(method === 'POST' ? { body: JSON.stringify(body) } : {}),
    }).catch(() => undefined)
    const isBusy = answer?.status === 409 && ((await answer.json()) as { is?: string }).is === 'busy'
    if (answer && answer.status < 500 && answer.status !== 429 && !isBusy) return { status: answer.status }
    await sleep(AGAIN_MS)
  }
}

/** Postgres refuses, Redis refuses, Postgres is silent, Redis is silent: one after the other, again and again. */
function takeAway({ redis, postgres }: Play): { count(): number; stop(): Promise<void> } {
  const state = { isOver: false, count: 0 }
  const ways = (['refuse', 'black-hole'] as const).flatMap((is) => [postgres, redis].map((proxy) => ({ proxy, is })))
  const running = (async () => {
    while (!state.isOver) {
      await sleep(THERE_MS)
      const { proxy, is } = ways[state.count % ways.length]!
      await proxy.set({ is })
      await sleep(AWAY_MS)
      await proxy.set({ is: 'pass' })
      state.count++
    }
  })()
  return {
    count: () => state.count,
    async stop() {
      state.isOver = true
      await running
    },
  }
}

/** Once every SMS has met its end, and those that waited for Postgres are in the outbox. */
async function settled({ stage, smsc }: CampaignFixture, entries: ReadonlyMap<string, AskedEntry>) {
  const look = async (): Promise<AskedRow[]> => {
    const rows: AskedRow[] = await stage
      .knex('sms_outbox')
      .whereNotNull('owner')
      .select('owner', 'key', 'text', 'state', 'losses')
    // Without a key of its own: its text says which it is.
    for (const { owner, key, text } of rows) {
      const entry = entries.get(text)
      if (entry?.owner === owner && entry.key === '') entry.key = key
    }
    return rows
  }
  await reached(async () => {
    const rows = await look()
    const found = new Set(rows.map(({ owner, key }) => `${owner} ${key}`))
    const isThere = [...entries.values()].every(({ owner, key, is }) => is !== 'owed' || found.has(`${owner} ${key}`))
    return isThere && rows.every(({ state }) => !['due', 'submitting', 'ambiguous'].includes(state))
  }, SETTLE_MS[stage.pace])
  // What was accepted last is at its handset when its receipt is written.
  await sleep(2 * RECEIPT_MS)
  const rows = await look()
  const taken = new Map<string, number>()
  for (const { text } of smsc.phones().flatMap(({ inbox }) => inbox)) taken.set(text, (taken.get(text) ?? 0) + 1)
  return { rows, taken }
}
