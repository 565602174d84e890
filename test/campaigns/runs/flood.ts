/**
 * R12: subscribers in the middle of their dialogues, while one MSISDN sends a hundred messages a second, and while
 * hundreds of new MSISDNs dial at once. As many subscribers have another daemon, on the same machine at the same
 * moment, that nobody floods: it is the measure, so that whatever the machine and its neighbours do to the one they do
 * to the other. But the daemon that has more to do is also the one that a busy machine keeps waiting for longer: so
 * waits are counted without the time in which neighbours kept the daemon, or us, from running. What a message of the
 * flood costs is measured in the processor's time, which no neighbour changes.
 * In the end a crowd dials at once: each that is acknowledged must be shown a screen or a text.
 */
import type { Settings } from '../../../src/config/schema.ts'
import type { Phone } from '../../../src/simulator/phone/phone.ts'
import { aftermath, restingMetrics } from '../judging/aftermath.ts'
import { paceOf, type Pace } from '../settings.ts'
import { areKept, series, untilCertain } from '../judging/certain.ts'
import { sumWhere } from '../judging/checker.ts'
import { processorMs } from '../staging/daemon-process.ts'
import { fenced, type Fenced } from '../staging/fenced.ts'
import { shareOfCore, watchOwnTime } from '../judging/pace.ts'
import { percentile, reached, sleep, told, type Campaign } from '../judging/outcome.ts'
import { typical, type Pulse } from '../staging/pulse.ts'
import { openFixture, type CampaignFixture } from '../staging/fixture.ts'
import { rush } from '../staging/rush.ts'

const ROUNDS = { ci: 2, bounded: 8, long: 60 }
/** On default settings one MSISDN has 200 messages and then 20 a second: the flood must be far over them. */
const PHASE_MS = { short: 5_000, defaults: 20_000 }
/** With fewer most of the flood would be served, and cost what keys cost. */
const ONE_PER_SECOND_MIN = { short: 40, defaults: 60 }
/** Of each daemon, in an open dialogue; each presses a key a second. */
const RESIDENTS = 20
/**
 * On a machine of its own: where neighbours leave a part of it, that part of them, or the machine and not the daemon
 * would be what is flooded.
 */
const PER_SECOND = { one: 100, many: 150 }
/** Below it no limit is met: both are so low that a tenth of the flood is well over them. */
const SHARE_MIN = 0.1
const OPEN_MAX = 40
const RATE = { perSecond: 3, burst: 12 }
/** Who lives in a house dials anew between two floods: a second until the next key, and the dial. */
const ANEW_MS = 10_000
/** Of the p99 of those that nobody floods; or what nobody can notice. */
const SLOWER_MAX = 1.2
const SLOWER_MS = 25
/** Of the processor's time for a key of a subscriber: what is dropped or turned away is cheaper than what is served. */
const COST_MAX = 1
const BUSY = /busy/i
/** Whoever is turned away is told so; a screen in fifty is lost with what a machine loses. */
const MUTE_MAX = 0.02
/** Of those that dial at once at the end. */
const CROWD = { ci: 1_000, bounded: 3_000, long: 10_000 }
/** What a text of apology counts as: nobody waits for it, and nobody is served by it. */
const BUSY_MS = 10_000

type Kind = keyof typeof PER_SECOND
const KINDS = Object.keys(PER_SECOND) as Kind[]

export const floodCampaign: Campaign = async (parts) => {
  const startMs = performance.now()
  const least = parts.rounds ?? ROUNDS[parts.ci ? 'ci' : parts.mode]
  const strict = parts.mode === 'long'
  const failures: string[] = []
  const houses: House[] = []
  try {
    // One after the other: the first may have to start the servers for both.
    for (let n = 0; n < 2; n++) houses.push(await openHouse({ seed: parts.seed + n, pace: paceOf(parts), failures }))
    const [flooded, spared] = houses as [House, House]
    await sleep(2_000)
    const phases: Phase[] = []
    const [slower, dearer] = [series({ limit: SLOWER_MS, strict }), series({ limit: COST_MAX, strict })]
    const dialled: Dialled = { busy: 0, mute: 0, sent: 0 }
    const rounds = await untilCertain([slower, dearer], least, async () => {
      const doubtful = [...new Set([...slower.doubtful, ...dearer.doubtful])] as Kind[]
      for (const kind of doubtful.length ? doubtful : KINDS) {
        const phase = await play(flooded, spared, { kind, turn: phases.length + 1 }, dialled)
        phases.push(phase)
        slower.add(phase.floodedMs - phase.sparedMs, { kind, isKept: isUnnoticed(phase) })
        dearer.add(phase.cost, { kind })
      }
    })
    for (const house of houses) await house.residents.stop()
    const size = CROWD[parts.ci ? 'ci' : parts.mode]
    const crowd = await rush(
      flooded.scene,
      Array.from({ length: size }, (_, n) => `67534${String(n).padStart(6, '0')}`),
    )
    if (crowd.mute.length)
      failures.push(`of ${crowd.acknowledged} acknowledged dials, ${crowd.mute.length} were shown nothing`)
    const metrics = await restingMetrics(flooded.fence.adminPort)
    const tooFast = sumWhere(metrics, 'limits_total', 'subscriber_rate')
    const turnedAway = sumWhere(metrics, 'limits_total', 'open_max')
    if (tooFast === 0) failures.push('the flood of one MSISDN met no limit')
    if (turnedAway === 0) failures.push('the flood of new MSISDNs met no cap')
    if (dialled.mute > dialled.sent * MUTE_MAX)
      failures.push(`${dialled.mute} of ${dialled.sent} that dialled were shown nothing`)
    for (const { fence } of houses) failures.push(...(await aftermath(fence)))
    const words = KINDS.map((kind) =>
      inWords(
        kind,
        phases.filter((phase) => phase.kind === kind),
      ),
    )
    if (!areKept(slower)) failures.push(`others wait longer in ${slower.missed} of ${phases.length} floods`)
    if (!areKept(dearer))
      failures.push(`a message of the flood costs more than a key in ${dearer.missed} of ${phases.length} floods`)
    return [
      told(parts, startMs, {
        goal: 'R12',
        failures,
        passed: failures.length === 0,
        title:
          'one MSISDN at 100 messages a second, then 150 new MSISDNs a second (of what neighbours leave of a processor), beside a daemon without a flood',
        figure: `p99 of the others: ${words.join('; ')}`,
        counts: {
          rounds,
          screens: flooded.residents.count() + spared.residents.count(),
          tooFast,
          turnedAway,
          busyTexts: dialled.busy,
          mute: dialled.mute,
          crowd: crowd.dials,
          acknowledged: crowd.acknowledged,
          shown: crowd.shown,
        },
      }),
    ]
  } finally {
    for (const { fence, scene } of houses.toReversed()) {
      await fence.stop()
      await scene.close()
    }
  }
}

/** A daemon, and those who live with it. */
interface House {
  scene: CampaignFixture
  fence: Fenced
  residents: Residents
}

async function openHouse({ seed, pace, failures }: { seed: number; pace: Pace; failures: string[] }): Promise<House> {
  const scene = await openFixture({ seed, pace, smsc: { screenMs: 30_000, traceMax: 400 } })
  const fence = await fenced(scene, (settings) => capped(settings, pace))
  return { scene, fence, residents: await moveIn(scene, fence.daemon.pid, failures) }
}

/**
 * One flood: p99 of those in either house, of a middling second of it (of five seconds together it would be the one key
 * that a neighbour held up longest), and what a message of it cost in keys.
 */
interface Phase {
  kind: Kind
  floodedMs: number
  sparedMs: number
  cost: number
}

async function play(
  flooded: House,
  spared: House,
  { kind, turn }: Pick<Flood, 'kind' | 'turn'>,
  dialled: Dialled,
): Promise<Phase> {
  const { pace } = flooded.scene.stage
  const scaled = PER_SECOND[kind] * Math.max(SHARE_MIN, shareOfCore())
  const perSecond = kind === 'one' ? Math.max(ONE_PER_SECOND_MIN[pace], scaled) : scaled
  // No dialogue of theirs meets its end (totalMs) in the middle of it.
  for (const { residents } of [flooded, spared]) await residents.dialAnew()
  const usedMs = () => [flooded, spared].map(({ fence }) => processorMs(fence.daemon.pid))
  const before = usedMs()
  let sent = 0
  const waits: Waits[] = []
  await flooded.residents
    .during(async () => {
      waits.push(
        await spared.residents.during(async () => {
          sent = await inundate(flooded.scene, { kind, perSecond, turn }, dialled)
        }),
      )
    })
    .then((own) => waits.push(own))
  const [sparedWaits, floodedWaits] = waits as [Waits, Waits]
  const [floodedUsed, sparedUsed] = usedMs().map((ms, n) => ms - before[n]!) as [number, number]
  const ofKey = sparedUsed / Math.max(1, sparedWaits.length)
  const ofFlood = (floodedUsed - floodedWaits.length * ofKey) / Math.max(1, sent)
  const [middling, sparedMs] = [floodedWaits, sparedWaits].map((all) => typical(all, 99, () => true)) as [
    number,
    number,
  ]
  // Whoever got no screen at all has no wait.
  const floodedMs = floodedWaits.length * 2 < sparedWaits.length ? Infinity : middling
  return { kind, floodedMs, sparedMs, cost: ofFlood / ofKey }
}

/** Limits as an operator has them: the stage's own in a short run are for subscribers without thumbs. */
function capped({ dialogue }: Settings, pace: Pace): void {
  dialogue.openMax = OPEN_MAX
  if (pace === 'short') dialogue.perSubscriber = RATE
}

function isUnnoticed({ sparedMs, floodedMs }: Phase): boolean {
  return floodedMs <= sparedMs * SLOWER_MAX || floodedMs - sparedMs <= SLOWER_MS
}

function inWords(kind: Kind, phases: readonly Phase[]): string {
  const middle = (of: (phase: Phase) => number) => percentile(phases.map(of), 50)
  return (
    `${kind === 'one' ? 'one MSISDN' : 'many'} ${middle((phase) => phase.floodedMs).toFixed(1)} ms, and ${middle((phase) => phase.sparedMs).toFixed(1)} ms ` +
    `without it, ${middle((phase) => phase.cost).toFixed(2)} of a key for a message`
  )
}

type Waits = Pulse['samples']

interface Residents {
  /** Each dials anew; resolves once all have. */
  dialAnew(): Promise<void>
  /** Waits for a screen, of the time that it takes. */
  during(run: () => Promise<unknown>): Promise<Waits>
  count(): number
  stop(): Promise<void>
}

async function moveIn({ smsc, stage }: CampaignFixture, pid: number, failures: string[]): Promise<Residents> {
  const msisdns = Array.from({ length: RESIDENTS }, (_, n) => `67531${String(n).padStart(6, '0')}`)
  await stage.enrol(msisdns)
  await stage.refill(5, { fromMs: 3_600_000, toMs: 7_200_000 })
  const waits: Waits = []
  const state = { stopped: false, round: 0, settled: 0 }
  const live = async (phone: Phone): Promise<void> => {
    let [text, round] = ['', 0]
    while (!state.stopped) {
      const isAnew = round !== state.round
      // The dial is read together with the hang-up.
      if (isAnew && phone.screen?.open) phone.hangUp()
      if (isAnew || text === '' || BUSY.test(text)) ({ text } = await phone.dial('*123#'))
      if (isAnew) state.settled++
      round = state.round
      const startMs = performance.now()
      const readMs = watchOwnTime([pid, process.pid])
      if (!BUSY.test(text)) {
        text = (await phone.answer(/^(\d+)\. Back$/m.exec(text)?.[1] ?? '2')).text
        waits.push({ atMs: startMs, ms: BUSY.test(text) ? BUSY_MS : readMs() })
      }
      if (!/^Welcome|^Select/.test(text) && !BUSY.test(text))
        throw new Error(`a resident was shown ${JSON.stringify(text)}`)
      await sleep(Math.max(0, 1_000 - (performance.now() - startMs)))
    }
    if (phone.screen?.open) phone.hangUp()
  }
  const all = Promise.all(
    msisdns.map((msisdn) =>
      live(smsc.phone(msisdn)).catch((error: Error) => void failures.push(error.message.slice(0, 400))),
    ),
  )
  return {
    count: () => waits.length,
    async dialAnew() {
      state.settled = 0
      state.round++
      await reached(() => state.settled >= RESIDENTS || failures.length > 0, ANEW_MS)
    },
    async during(run) {
      const from = waits.length
      await run()
      return waits.slice(from)
    },
    async stop() {
      state.stopped = true
      await all
    },
  }
}

/** Of the new MSISDNs. */
interface Dialled {
  busy: number
  /** Were shown nothing. */
  mute: number
  sent: number
}

interface Flood {
  kind: Kind
  perSecond: number
  turn: number
}

/** One phase of it; whoever got in hangs up at its end. Answers how many messages it had. */
async function inundate(
  { smsc, stage }: CampaignFixture,
  { kind, perSecond, turn }: Flood,
  dialled: Dialled,
): Promise<number> {
  const phones = new Set<Phone>()
  const dials: Promise<unknown>[] = []
  let serial = 0
  const timer = setInterval(() => {
    const phone = smsc.phone(kind === 'one' ? '67532000000' : `6753${3_000_000 + turn * 10_000 + ++serial}`)
    phones.add(phone)
    // Of one handset's dials each ends the one before, and most are dropped: that no screen comes is what is wanted.
    dials.push(
      phone.dial('*123#').then(
        ({ text }) => {
          if (BUSY.test(text)) dialled.busy++
        },
        () => {
          if (kind === 'many') dialled.mute++
        },
      ),
    )
  }, 1_000 / perSecond)
  await sleep(PHASE_MS[stage.pace])
  clearInterval(timer)
  if (kind === 'many') {
    await Promise.all(dials)
    dialled.sent += dials.length
  }
  for (const phone of phones) if (phone.screen?.open) phone.hangUp()
  return dials.length
}
