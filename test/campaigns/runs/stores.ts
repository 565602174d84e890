/**
 * R6, R7, R8, R9, R16: one daemon behind proxies; Redis, Postgres or the SMSC goes away in each of the ways that they
 * go, and comes back. What a subscriber meets meanwhile and how soon all is well again are the figures.
 */
import type { Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { FOUND_MS_MAX, halfOpen as halfOpenings } from '../../simulation/half-open.ts'
import { paceOf, type Pace } from '../settings.ts'
import { areKept, series, untilCertain } from '../judging/certain.ts'
import { figuresOf, isReady, loadingMs } from '../staging/daemon-process.ts'
import { fenced, type Fenced } from '../staging/fenced.ts'
import { reached, sleep, told, type Campaign, type CampaignDeps, type Outcome } from '../judging/outcome.ts'
import { openFixture, type CampaignFixture } from '../staging/fixture.ts'

/** On default settings longer than a reply waits for its response (confirmMs, 12 s). */
const AWAY_MS = { ci: 1_000, bounded: 15_000, long: 30_000 }
const SCREEN_MS = { short: 30_000, defaults: 60_000 }
const END_MS_MAX = 2_000
const BACK_MS_MAX = 2_000
/** One way for the SMSC to go away and come back. */
interface Outage {
  kind: string
  /** The link has been up for so long. */
  steadyMs: number
  awayMs: number
  /** So soon after its return the daemon must be bound. */
  boundMs: number
}
/**
 * On default timers a link that was up for 10 s (steadyMs) is tried again within a second, and one that was lost sooner
 * within 5 s (servedMaxMs). Tries that fail come at twice the pause each, to 10 s (reconnectMaxMs) and a quarter.
 */
const OUTAGES: Record<Pace, readonly Outage[]> = {
  short: [{ kind: 'restart', steadyMs: 0, awayMs: 150, boundMs: BACK_MS_MAX }],
  defaults: [
    { kind: 'restart', steadyMs: 11_000, awayMs: 150, boundMs: BACK_MS_MAX },
    { kind: 'again, soon', steadyMs: 0, awayMs: 150, boundMs: 6_000 },
    { kind: 'outage', steadyMs: 11_000, awayMs: 20_000, boundMs: 14_000 },
  ],
}
const BOUND_WITHIN_MS = 60_000
/**
 * From the start to the first screen. Nearly all of it is Node reading modules: on a machine that is slow, or that
 * others have, too, it is held to what reading them alone takes beside it.
 */
const UP_MS_MAX = 2_000
const UP_TIMES_MAX = 2.5
/** stopMs is 5 s in short runs and 15 s by default: what takes longer by 5 s hangs. */
const STOP_MS_MAX = { short: 10_000, defaults: 20_000 }
const REDIS_BACK_MS_MAX = 1_000
const HALF_OPENINGS = {
  ci: { virtual: 50, real: 1 },
  bounded: { virtual: 200, real: 3 },
  long: { virtual: 2_000, real: 20 },
}
/** What is not found by then never is. */
const FOUND_REAL_MS = 60_000
/** Live, once collected. */
const HELD_MB_MAX = 10
const DESCRIPTORS_MAX = 3

interface Ground {
  scene: CampaignFixture
  fence: Fenced
  parts: CampaignDeps
  /** Each trial counts: see certain.ts. */
  strict: boolean
}

export const storesCampaign: Campaign = async (parts) => {
  const pace = paceOf(parts)
  const screenMs = SCREEN_MS[pace]
  const scene = await openFixture({ seed: parts.seed, pace, smsc: { screenMs } })
  // A dialogue, and its last screen, outlive the start of a daemon, however slow the machine is.
  const fence = await fenced(scene, ({ dialogue }) => {
    if (pace === 'short') Object.assign(dialogue, { idleMs: screenMs, tombstoneMs: screenMs })
  })
  const ground = { scene, fence, parts, strict: parts.mode === 'long' }
  try {
    await scene.stage.refill(60, { fromMs: 600_000, toMs: 3_600_000 })
    return [
      await redisAway(ground),
      await postgresAway(ground),
      await smscAway(ground),
      await halfOpen(ground),
      await restarts(ground),
    ]
  } finally {
    await fence.stop()
    await scene.close()
  }
}

let serial = 0

async function newcomer({ scene }: Ground): Promise<ReturnType<Smsc['phone']>> {
  const msisdn = `6758${String(++serial).padStart(7, '0')}`
  await scene.stage.enrol([msisdn])
  return scene.smsc.phone(msisdn)
}

/** Dials once: how long until a screen, and whether it is the service's. */
async function dial(ground: Ground): Promise<{ ms: number; text: string }> {
  const phone = await newcomer(ground)
  const startMs = performance.now()
  const screen = await phone.dial('*123#').catch(() => undefined)
  const ms = performance.now() - startMs
  if (screen?.open) phone.hangUp()
  return { ms, text: screen?.text ?? '' }
}

const isGood = (text: string) => text.startsWith('Welcome, ')

/** Milliseconds from now until a dial is served again. */
async function servedAgain(ground: Ground, withinMs = 20_000): Promise<number> {
  const startMs = performance.now()
  const isBack = await reached(async () => isGood((await dial(ground)).text), withinMs)
  return isBack ? performance.now() - startMs : Infinity
}

async function redisAway(ground: Ground): Promise<Outcome> {
  const { fence, parts, scene, strict } = ground
  const startMs = performance.now()
  const before = await fence.daemon.heldMb()
  const [ends, backs] = [series({ limit: END_MS_MAX, strict }), series({ limit: REDIS_BACK_MS_MAX, strict })]
  const failures: string[] = []
  let dials = 0
  const links = new Set(scene.smsc.binds().map((bind) => bind.id))
  const away = async (is: 'refuse' | 'black-hole'): Promise<void> => {
    await fence.redis.set({ is })
    const untilMs = performance.now() + AWAY_MS[parts.ci ? 'ci' : parts.mode]
    let slowest = 0
    while (performance.now() < untilMs) {
      const { ms, text } = await dial(ground)
      dials++
      slowest = Math.max(slowest, ms)
      if (!/busy/i.test(text)) failures.push(`${is}: shown ${JSON.stringify(text.slice(0, 60))}`)
      await sleep(50)
    }
    ends.add(slowest, { kind: is })
    await fence.redis.set({ is: 'pass' })
    backs.add(await servedAgain(ground), { kind: is })
  }
  const rounds = await untilCertain([ends, backs], 2, async () => {
    for (const is of ['refuse', 'black-hole'] as const) await away(is)
  })
  if (scene.smsc.binds().some((bind) => !links.has(bind.id))) failures.push('the bind was lost')
  const grown = (await fence.daemon.heldMb()) - before
  if (grown > HELD_MB_MAX) failures.push(`${grown.toFixed(1)} MB are held for good`)
  return told(parts, startMs, {
    goal: 'R6',
    title: 'Redis refused, then black-holed',
    failures,
    passed: failures.length === 0 && areKept(ends, backs),
    figure: `polite end after ${ends.figure}, served again after ${backs.figure}, ${grown.toFixed(1)} MB more held`,
    counts: { dialsMeanwhile: dials, awayMsEach: AWAY_MS[parts.ci ? 'ci' : parts.mode], rounds },
  })
}

/** Walks to the question, runs `fault`, confirms; says what was shown and whether it is booked. */
async function confirmUnder(ground: Ground, fault: () => Promise<void>): Promise<{ text: string; booked: boolean }> {
  const phone = await newcomer(ground)
  phone.skipRepeats = true
  await phone.dial('*123#')
  await phone.answer('2')
  await phone.answer('1')
  const question = await phone.answer('1')
  if (!question.text.startsWith('Book')) throw new Error(`no question: ${question.text}`)
  await fault()
  const screen = await phone.answer('1').catch(() => undefined)
  await ground.fence.postgres.set({ is: 'pass' })
  const rows = await ground.scene.stage.knex('dental_appointment').where({ msisdn: phone.msisdn, status: 'booked' })
  if (screen?.open) phone.hangUp()
  return { text: screen?.text ?? '', booked: rows.length > 0 }
}

const BOOK = Buffer.from('dental_appointment')
const isBooking = (request: Buffer) => request.includes(BOOK) || request.includes('dental-book')

async function postgresAway(ground: Ground): Promise<Outcome> {
  const { fence, parts, strict } = ground
  const startMs = performance.now()
  const failures: string[] = []
  const shown: Record<string, number> = { booked: 0, notBooked: 0 }
  const rounds = parts.ci ? 1 : parts.mode === 'bounded' ? 3 : 20
  const faults = {
    refuse: () => fence.postgres.set({ is: 'refuse' }),
    'black-hole': () => fence.postgres.set({ is: 'black-hole' }),
    'reply lost at once': () => fence.postgres.set({ is: 'drop-reply', at: 0, when: isBooking }),
    'reply lost within': () => fence.postgres.set({ is: 'drop-reply', at: 9, when: isBooking }),
  }
  const backs = series({ limit: BACK_MS_MAX, strict })
  let confirmations = 0
  await untilCertain([backs], rounds, async () => {
    for (const [name, fault] of Object.entries(faults)) {
      const { text, booked } = await confirmUnder(ground, fault)
      const saysBooked = /confirmed/.test(text)
      shown[booked ? 'booked' : 'notBooked']!++
      if (saysBooked && !booked) failures.push(`${name}: told that it is booked, and it is not`)
      if (!saysBooked && booked) failures.push(`${name}: booked, and shown ${JSON.stringify(text.slice(0, 60))}`)
      if (text === '') failures.push(`${name}: nothing was shown`)
      confirmations++
      backs.add(await servedAgain(ground), { kind: name })
    }
  })
  return told(parts, startMs, {
    goal: 'R7',
    title: 'Postgres refused, black-holed, and its reply to the booking lost',
    failures,
    passed: failures.length === 0 && areKept(backs),
    figure: `${failures.length} false or missing answers in ${confirmations} confirmations, served again after ${backs.figure}`,
    counts: { ...shown, repliesLost: fence.postgres.counts.struck },
  })
}

async function smscAway(ground: Ground): Promise<Outcome> {
  const { fence, parts, scene, strict } = ground
  const startMs = performance.now()
  const least = parts.ci ? 4 : parts.mode === 'bounded' ? 10 : 100
  const before = figuresOf(fence.daemon.pid)
  const [bounds, serves] = [series({ limit: BACK_MS_MAX, strict }), series({ limit: BACK_MS_MAX, strict })]
  const outages = OUTAGES[scene.stage.pace]
  const slowest = new Map<string, number>()
  const flaps = await untilCertain([bounds, serves], least, async (round) => {
    const doubtful = outages.filter(({ kind }) => bounds.doubtful.includes(kind))
    const { kind, steadyMs, awayMs, boundMs } = doubtful[0] ?? outages[round % outages.length]!
    await sleep(steadyMs)
    await fence.smsc.set({ is: 'refuse' })
    await reached(() => scene.smsc.binds().length === 0, 10_000)
    await sleep(awayMs)
    await fence.smsc.set({ is: 'pass' })
    const backMs = performance.now()
    const isBound = await reached(() => scene.smsc.binds().length > 0, BOUND_WITHIN_MS)
    const tookMs = isBound ? performance.now() - backMs : Infinity
    bounds.add(tookMs, { kind, isKept: tookMs <= boundMs })
    slowest.set(kind, Math.max(slowest.get(kind) ?? 0, Math.round(tookMs)))
    serves.add(await servedAgain(ground))
  })
  // A socket that is closing has its descriptor a moment longer.
  const leaked = (): number => figuresOf(fence.daemon.pid).fds - before.fds
  await reached(() => leaked() <= DESCRIPTORS_MAX, 10_000)
  const failures = leaked() > DESCRIPTORS_MAX ? [`${leaked()} descriptors more`] : []
  return told(parts, startMs, {
    goal: 'R8',
    title: 'the SMSC stops listening and comes back, again and again',
    failures,
    passed: failures.length === 0 && areKept(bounds, serves),
    figure: `bound after its return after ${bounds.figure}, ${leaked()} descriptors more`,
    counts: { flaps, servedMs: serves.worst, ...Object.fromEntries(slowest) },
  })
}

/**
 * How soon it is found is asked under the virtual clock, at many moments; the real daemon must find it, and serve again,
 * however long the machine takes.
 */
async function halfOpen(ground: Ground): Promise<Outcome> {
  const { fence, parts, scene } = ground
  const startMs = performance.now()
  const size = parts.ci ? 'ci' : parts.mode
  const foundMs = await halfOpenings({ seed: parts.seed, times: HALF_OPENINGS[size].virtual })
  const late = foundMs.filter((ms) => ms > FOUND_MS_MAX)
  const failures = late.map((ms) => `found after ${ms} ms of virtual time`)
  for (let round = 0; round < HALF_OPENINGS[size].real; round++) {
    const before = fence.smsc.counts.connections
    await fence.smsc.set({ is: 'black-hole' })
    if (!(await reached(() => fence.smsc.counts.connections > before, FOUND_REAL_MS))) failures.push('never found')
    await fence.smsc.set({ is: 'pass' })
    const isBack = async () =>
      scene.smsc.binds().some((bind) => bind.state === 'bound') && (await isReady(fence.adminPort))
    if (!(await reached(isBack, FOUND_REAL_MS))) failures.push('not bound again')
  }
  return told(parts, startMs, {
    goal: 'R9',
    title: 'the SMSC connection black-holed, at many moments under a virtual clock, and for a daemon',
    failures,
    passed: failures.length === 0,
    figure: `${foundMs.length - late.length} of ${foundMs.length} found within ${FOUND_MS_MAX} ms of virtual time, the slowest after ${Math.max(...foundMs)} ms`,
    counts: { virtual: foundMs.length, real: HALF_OPENINGS[size].real },
  })
}

async function restarts(ground: Ground): Promise<Outcome> {
  const { fence, parts, scene, strict } = ground
  const startMs = performance.now()
  const least = parts.rounds ?? (parts.ci ? 4 : parts.mode === 'bounded' ? 10 : 100)
  const ups = series({ limit: UP_MS_MAX, strict })
  const [stops, failures]: [number[], string[]] = [[], []]
  let loading = 0
  const rounds = await untilCertain([ups], least, async (round) => {
    const isHard = round % 2 === 0
    const walking = scene.walkers(3)
    await sleep(700)
    loading = await loadingMs()
    // What was delivered and not answered before the link closed is delivered again: that is how it is counted. What
    // was put off with ESME_RX_T_APPN comes again, too, and was answered.
    const { counts } = scene.smsc.deliveries
    const unanswered = (): number => counts.redelivered - counts.putOff
    const before = unanswered()
    const stopMs = performance.now()
    fence.daemon.kill(isHard ? 'SIGKILL' : 'SIGTERM')
    const { code } = await fence.daemon.exited
    if (!isHard) {
      stops.push(performance.now() - stopMs)
      if (code !== 0) failures.push(`SIGTERM ended with ${code}`)
    }
    const upMs = performance.now()
    await fence.restart()
    const served = await servedAgain(ground)
    const up = performance.now() - upMs
    ups.add(up, { isKept: up <= Math.max(UP_MS_MAX, loading * UP_TIMES_MAX) })
    if (served === Infinity) failures.push('not served again')
    await walking.stop()
    if (!isHard && unanswered() > before) failures.push(`${unanswered() - before} PDUs unanswered at SIGTERM`)
  })
  failures.push(...scene.diary.hung.map((story) => `no screen came: ${story}`))
  const stop = Math.max(...stops, 0)
  if (stop > STOP_MS_MAX[scene.stage.pace]) failures.push(`SIGTERM took ${Math.round(stop)} ms`)
  return told(parts, startMs, {
    goal: 'R16',
    title: 'kill -9 and SIGTERM in turn, subscribers walking',
    failures,
    passed: failures.length === 0 && areKept(ups),
    figure: `serving after ${ups.figure}; reading the modules alone takes ${Math.round(loading)} ms; SIGTERM took ${Math.round(stop)} ms at most`,
    counts: {
      rounds,
      loadingMs: Math.round(loading),
      hung: scene.diary.hung.length,
      putOff: scene.smsc.deliveries.counts.putOff,
      dialogues: scene.diary.dialogues,
    },
  })
}
