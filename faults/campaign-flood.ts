/**
 * R12: subscribers in the middle of their dialogues, while one MSISDN sends a hundred messages a second, and while
 * hundreds of new MSISDNs dial at once. Quiet and flood take turns, so that each flood has its own measure beside it.
 */
import type { Settings } from '../src/config/schema.ts'
import type { Phone } from '../src/simulator/phone.ts'
import { aftermath, restingMetrics } from './aftermath.ts'
import { areKept, series, untilCertain } from './certain.ts'
import { sumWhere } from './checker.ts'
import { fenced } from './fenced.ts'
import { shareOfCore } from './pace.ts'
import { percentile, sleep, told, type Campaign } from './outcome.ts'
import { openScene, type Scene } from './scene.ts'

const ROUNDS = { ci: 2, bounded: 8, long: 60 }
const PHASE_MS = 4_000
/** In an open dialogue; each presses a key a second. */
const RESIDENTS = 30
/** On a machine of its own: where neighbours leave a part of it, that part of them, or the machine and not the daemon would be what is flooded. */
const PER_SECOND = { one: 100, many: 150 }
/** Below it no limit is met. */
const SHARE_MIN = 0.3
const OPEN_MAX = 100
/** Of the p99 of the quiet beside it; or what nobody can notice: where the machine itself makes others wait longer, as much again. */
const SLOWER_MAX = 1.2
const SLOWER_MS = 25
const BUSY = /busy/i

type Kind = keyof typeof PER_SECOND

export const floodCampaign: Campaign = async (parts) => {
  const startMs = performance.now()
  const least = parts.rounds ?? ROUNDS[parts.ci ? 'ci' : parts.mode]
  const scene = await openScene({ seed: parts.seed, smsc: { screenMs: 6_000, traceMax: 400 } })
  const fence = await fenced(scene, capped)
  const failures: string[] = []
  try {
    const residents = await moveIn(scene, failures)
    await sleep(2_000)
    const pairs: Record<Kind, Pair[]> = { one: [], many: [] }
    const slower = series({ limit: SLOWER_MS, strict: parts.mode === 'long' })
    const busy = { texts: 0 }
    let turn = 0
    const rounds = await untilCertain([slower], least, async () => {
      for (const kind of slower.doubtful.length ? slower.doubtful as Kind[] : ['one', 'many'] as const) {
        const quiet = await residents.during(() => sleep(PHASE_MS))
        const perSecond = PER_SECOND[kind] * Math.max(SHARE_MIN, shareOfCore())
        const flood = await residents.during(() => inundate(scene, { kind, perSecond, turn: ++turn }, busy))
        const pair = { quietMs: percentile(quiet, 99), floodMs: percentile(flood, 99) }
        pairs[kind].push(pair)
        slower.add(pair.floodMs - pair.quietMs, { kind, isKept: isUnnoticed(pair) })
      }
    })
    await residents.stop()
    const metrics = await restingMetrics(fence.adminPort)
    const tooFast = sumWhere(metrics, 'limits_total', 'subscriber_rate')
    const turnedAway = sumWhere(metrics, 'limits_total', 'open_max')
    if (tooFast === 0) failures.push('the flood of one MSISDN met no limit')
    if (turnedAway === 0) failures.push('the flood of new MSISDNs met no cap')
    if (busy.texts < turnedAway * 0.98) failures.push(`${turnedAway} turned away and ${busy.texts} told so`)
    failures.push(...await aftermath(fence))
    const told_ = (['one', 'many'] as const).map((kind) => inWords(kind, pairs[kind]))
    if (!areKept(slower)) failures.push(`others wait longer: ${slower.missed} of ${pairs.one.length + pairs.many.length} floods, ${told_.join('; ')}`)
    return [told(parts, startMs, {
      goal: 'R12', title: 'one MSISDN at 100 messages a second, then 150 new MSISDNs a second (of a free machine), in turns with quiet', failures, passed: failures.length === 0,
      figure: `p99 of the others: ${told_.join('; ')}`,
      counts: { rounds, screens: residents.count(), tooFast, turnedAway, busyTexts: busy.texts },
    })]
  } finally {
    await fence.stop()
    await scene.close()
  }
}

/** Limits as an operator has them: the stage's own are for subscribers without thumbs. */
function capped(settings: Settings): void {
  settings.dialogue.perSubscriber = { perSecond: 10, burst: 40 }
  settings.dialogue.openMax = OPEN_MAX
  settings.dialogue.totalMs = 3_600_000
}

interface Pair {
  quietMs: number
  floodMs: number
}

function isUnnoticed({ quietMs, floodMs }: Pair): boolean {
  return floodMs <= quietMs * SLOWER_MAX || floodMs - quietMs <= Math.max(SLOWER_MS, quietMs)
}

function inWords(kind: Kind, pairs: readonly Pair[]): string {
  const ratio = percentile(pairs.map((pair) => pair.floodMs / pair.quietMs), 50)
  const more = percentile(pairs.map((pair) => pair.floodMs - pair.quietMs), 50)
  const quiet = percentile(pairs.map((pair) => pair.quietMs), 50)
  return `${kind === 'one' ? 'one MSISDN' : 'many'} ${ratio.toFixed(2)} times the ${quiet.toFixed(1)} ms of the quiet beside it, ${more.toFixed(1)} ms more`
}

interface Residents {
  /** Waits for a screen, in milliseconds, of the time that it takes. */
  during(run: () => Promise<unknown>): Promise<number[]>
  count(): number
  stop(): Promise<void>
}

async function moveIn({ smsc, stage }: Scene, failures: string[]): Promise<Residents> {
  const msisdns = Array.from({ length: RESIDENTS }, (_, n) => `67531${String(n).padStart(6, '0')}`)
  await stage.enrol(msisdns)
  await stage.refill(5, { fromMs: 3_600_000, toMs: 7_200_000 })
  const waits: number[] = []
  const state = { stopped: false }
  const live = async (phone: Phone): Promise<void> => {
    let { text } = await phone.dial('*123#')
    while (!state.stopped) {
      const startMs = performance.now()
      text = (await phone.answer(/^(\d+)\. Back$/m.exec(text)?.[1] ?? '2')).text
      waits.push(performance.now() - startMs)
      if (!/^Welcome|^Select/.test(text)) throw new Error(`a resident was shown ${JSON.stringify(text)}`)
      await sleep(Math.max(0, 1_000 - (performance.now() - startMs)))
    }
    phone.hangUp()
  }
  const all = Promise.all(msisdns.map((msisdn) => live(smsc.phone(msisdn)).catch((error: Error) => void failures.push(error.message.slice(0, 400)))))
  return {
    count: () => waits.length,
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

interface Flood {
  kind: Kind
  perSecond: number
  turn: number
}

/** One phase of it; whoever got in hangs up at its end. */
async function inundate({ smsc }: Scene, { kind, perSecond, turn }: Flood, busy: { texts: number }): Promise<void> {
  const phones = new Set<Phone>()
  const dials: Promise<unknown>[] = []
  let serial = 0
  const timer = setInterval(() => {
    const phone = smsc.phone(kind === 'one' ? '67532000000' : `6753${3_000_000 + turn * 10_000 + ++serial}`)
    phones.add(phone)
    // Of one handset's dials each ends the one before, and most are dropped: that no screen comes is what is wanted.
    dials.push(phone.dial('*123#').then(({ text }) => { if (BUSY.test(text)) busy.texts++ }, () => undefined))
  }, 1_000 / perSecond)
  await sleep(PHASE_MS)
  clearInterval(timer)
  if (kind === 'many') await Promise.all(dials)
  for (const phone of phones) if (phone.screen?.open) phone.hangUp()
}
