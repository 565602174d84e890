/**
 * C1: daemons on one Redis and one Postgres whose wall clocks differ from those of the stores, by less than a second
 * and by more, and one whose clock is set under load. Who is wrong takes no turn, sweeps nothing, sends nothing, is not
 * ready and says so; the others lose nothing by it: no dialogue ends by a foreign clock, no SMS expires or leaves early.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { packageRoot } from '../../../src/base/package-root.ts'
import { paceOf } from '../settings.ts'
import { sumOf, sumWhere } from '../judging/checker.ts'
import { isReady, metricsOf, type DaemonProcess } from '../staging/daemon-process.ts'
import { openFixture, sweepRedis, type CampaignFixture } from '../staging/fixture.ts'
import { judged, outcomeOf } from '../judging/judged-run.ts'
import { reached, sleep, type Campaign } from '../judging/outcome.ts'
import { readyOf, severalDaemons, type Adding, type Several } from '../staging/several.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
/** A question to a store takes its time, which counts in favour of the clock: these are sure to be on one side. */
const BELOW = [600, -600]
const ABOVE = [1_500, -1_500]
const SIZES = {
  ci: { right: [-600], wrong: [1_500, -MINUTE, HOUR], walkers: 4, walkMs: 2_000 },
  bounded: { right: [0, ...BELOW], wrong: [...ABOVE, MINUTE, -MINUTE, HOUR, -HOUR], walkers: 6, walkMs: 10_000 },
  long: { right: [0, ...BELOW], wrong: [...ABOVE, MINUTE, -MINUTE, HOUR, -HOUR], walkers: 8, walkMs: 60_000 },
}
const UP_MS = 90_000
const SAID = 'the clock of this machine is wrong: no turns, no SMS'
/** By so much a daemon whose clock is right enough may be early. */
const EARLY_MS = SECOND
const PRELOAD = pathToFileURL(join(packageRoot, 'test/campaigns/staging/shifted-clock.mjs')).href

interface Clocked {
  daemon: DaemonProcess
  offMs: number
  set(offMs: number): void
}

export const clocksCampaign: Campaign = async (parts) => {
  const startMs = performance.now()
  const { right, wrong, walkers, walkMs } = SIZES[parts.ci ? 'ci' : parts.mode]
  const scene = await openFixture({
    seed: parts.seed,
    pace: paceOf(parts),
    spread: { fromMs: 2_000, toMs: 6_000 },
    // Most binds are those of daemons that turn a message away: the SMSC tries until another takes it.
    smsc: { deliveries: { responseMs: 3_000, attemptsMax: 60, temporaryMs: 50 } },
  })
  const several = await severalDaemons(scene, 0)
  try {
    const up = async (offsMs: readonly number[], serves: boolean) => {
      const all: Clocked[] = []
      for (const offMs of offsMs) all.push(await clocked(scene, several, offMs, serves))
      return all
    }
    const [spare, ...good] = (await up([0, ...right], true)) as [Clocked, ...Clocked[]]
    const bad = await up(wrong, false)
    const walking = scene.walkers(walkers)
    await sleep(walkMs)
    const failures = await stepped(spare, HOUR, walkMs)
    failures.push(...(await stepped(spare, -HOUR, walkMs)))
    for (const one of bad) failures.push(...(await did(one)))
    for (const { daemon, offMs } of good)
      if (!(await isReady(daemon.adminPort))) failures.push(`${offMs} ms off: not ready`)
    await walking.stop()
    const seen = await judged({ parts, scene, several })
    const sms = await smsOf(scene)
    const foreign = endedByClock(several)
    const turns = await Promise.all(good.map(({ daemon }) => messagesOf(daemon)))
    failures.push(...sms.wrong, ...foreign.map((line) => `ended for being idle or old: ${line}`))
    return [
      outcomeOf({ parts, scene, several }, startMs, seen, {
        goal: 'C1',
        title: `${right.length} daemons within a second of the stores (${right.join(', ')} ms), ${wrong.length} beyond it (${wrong.join(', ')} ms), and one that is set an hour forth and back under load`,
        figure: `${foreign.length} dialogues ended by a foreign clock, ${sms.expired} SMS expired unsent, ${sms.early} sent early`,
        isGood: turns.every((count) => count > 0),
        failures,
        counts: { daemons: several.daemons.length, turnedAway: await turnedAway(several), reminders: sms.reminders },
      }),
    ]
  } finally {
    await several.stop()
    await sweepRedis(scene.stage)
    await scene.close()
  }
}

let serial = 0

/** A daemon whose clock is off by so much, up: ready, or bound and saying why it is not. */
async function clocked(scene: CampaignFixture, several: Several, offMs: number, serves: boolean): Promise<Clocked> {
  const file = join(scene.stage.data, `clock${++serial}`)
  writeFileSync(file, String(offMs))
  const env = { USSD_TEST_CLOCK_FILE: file, NODE_OPTIONS: `--import ${PRELOAD}` }
  const how: Adding = { env, ...(serves ? {} : { isUp: isWrong }) }
  const daemon = await several.add(how)
  return { daemon, offMs, set: (ms) => writeFileSync(file, String(ms)) }
}

/** Bound, and its clock is known to be wrong. */
async function isWrong({ adminPort }: DaemonProcess): Promise<boolean> {
  const told = await readyOf(adminPort)
  const { clock, lines } = (told ?? {}) as { clock?: { ok: boolean }; lines?: Record<string, { state: string }[]> }
  return clock?.ok === false && Object.values(lines ?? {}).some((binds) => binds.some(({ state }) => state === 'bound'))
}

/** What a daemon did that was wrong all the time. */
async function did({ daemon, offMs }: Clocked): Promise<string[]> {
  const metrics = await metricsOf(daemon.adminPort)
  const counts = {
    turns: sumOf(metrics, 'ussd_messages_total'),
    dialogues: sumOf(metrics, 'ussd_dialogues_total'),
    screens: sumOf(metrics, 'ussd_replies_total'),
    submits: sumOf(metrics, 'smpp_tx_submit_total'),
  }
  const failures = Object.entries(counts).flatMap(([what, count]) => (count > 0 ? [`${count} ${what}`] : []))
  if (sumWhere(metrics, 'limits_total', 'clock_wrong') === 0) failures.push('turned nothing away')
  if (await isReady(daemon.adminPort)) failures.push('is ready')
  if (!saysSo(daemon)) failures.push('does not say so')
  return failures.map((what) => `${offMs} ms off: ${what}`)
}

const saysSo = (daemon: DaemonProcess) => daemon.log().some(({ msg }) => msg === SAID)

/** The clock is set under load, and back: it serves no more, says so, and serves again. */
async function stepped({ daemon, set }: Clocked, ms: number, walkMs: number): Promise<string[]> {
  const failures: string[] = []
  const { adminPort } = daemon
  set(ms)
  if (!(await reached(async () => !(await isReady(adminPort)), UP_MS))) failures.push(`set by ${ms} ms: still ready`)
  const before = await messagesOf(daemon)
  await sleep(walkMs)
  const during = (await messagesOf(daemon)) - before
  if (during > 0) failures.push(`set by ${ms} ms: ${during} turns since it was not ready`)
  if (!saysSo(daemon)) failures.push(`set by ${ms} ms: does not say so`)
  set(0)
  if (!(await reached(() => isReady(adminPort), UP_MS))) failures.push(`set back from ${ms} ms: not ready again`)
  return failures
}

async function messagesOf({ adminPort }: DaemonProcess): Promise<number> {
  return sumOf(await metricsOf(adminPort), 'ussd_messages_total')
}

async function turnedAway({ daemons }: Several): Promise<number> {
  const all = await Promise.all(daemons.map(({ adminPort }) => metricsOf(adminPort)))
  return all.reduce((sum, metrics) => sum + sumWhere(metrics, 'limits_total', 'clock_wrong'), 0)
}

/** Subscribers here press at once: a dialogue that was idle for too long, or grew too old, ended by a wrong clock. */
function endedByClock({ daemons }: Several): string[] {
  const ended = daemons.flatMap((daemon) => daemon.log().filter(({ msg }) => msg === 'dialogue ended'))
  return ended.filter(({ reason }) => reason === 'idle' || reason === 'total').map((line) => JSON.stringify(line))
}

/** By the clock of the stores, which is this machine's. */
async function smsOf({ stage, smsc }: CampaignFixture) {
  const rows = (await stage.knex('sms_outbox').select('id', 'msisdn', 'kind', 'text', 'state', 'due_at')) as {
    id: string
    msisdn: string
    kind: string
    text: string
    state: string
    due_at: Date
  }[]
  const expired = rows.filter(({ state }) => state === 'expired')
  const arrived = new Map(
    smsc.phones().flatMap(({ msisdn, inbox }) => inbox.map((one) => [`${msisdn} ${one.text}`, one])),
  )
  const early = rows.filter((row) => {
    const sms = arrived.get(`${row.msisdn} ${row.text}`)
    return sms !== undefined && row.due_at.getTime() - sms.atMs > EARLY_MS
  })
  return {
    reminders: rows.filter(({ kind }) => kind === 'reminder').length,
    expired: expired.length,
    early: early.length,
    wrong: [
      ...expired.map(({ id, kind }) => `${kind} ${id} expired unsent`),
      ...early.map(({ id, kind }) => `${kind} ${id} was sent early`),
    ],
  }
}
