/**
 * R12: subscribers in the middle of their dialogues, while one MSISDN sends a hundred messages a second, and while
 * hundreds of new MSISDNs dial at once. Quiet and flood take turns, so that each flood has its own measure beside it.
 */
import type { Settings } from '../src/config/schema.ts'
import type { Phone } from '../src/simulator/phone.ts'
import { aftermath, restingMetrics } from './aftermath.ts'
import { sumWhere } from './checker.ts'
import { fenced } from './fenced.ts'
import { percentile, sleep, told, type Campaign } from './outcome.ts'
import { openScene, type Scene } from './scene.ts'

const ROUNDS = { ci: 3, bounded: 8, long: 60 }
const PHASE_MS = 4_000
/** In an open dialogue; each presses a key a second. */
const RESIDENTS = 30
const PER_SECOND = { one: 100, many: 150 }
const OPEN_MAX = 200
/** Of the p99 of the quiet beside it; or what nobody can notice. */
const SLOWER_MAX = 1.2
const SLOWER_MS = 25
const BUSY = /busy/i

type Kind = keyof typeof PER_SECOND

export const floodCampaign: Campaign = async (parts) => {
  const startMs = performance.now()
  const rounds = parts.rounds ?? ROUNDS[parts.ci ? 'ci' : parts.mode]
  const scene = await openScene({ seed: parts.seed, smsc: { screenMs: 6_000, traceMax: 400 } })
  const fence = await fenced(scene, capped)
  const failures: string[] = []
  try {
    const residents = await moveIn(scene, failures)
    await sleep(2_000)
    const pairs: Record<Kind, { quietMs: number; floodMs: number }[]> = { one: [], many: [] }
    const busy = { texts: 0 }
    let turn = 0
    for (let round = 0; round < rounds; round++) {
      for (const kind of ['one', 'many'] as const) {
        const quiet = await residents.during(() => sleep(PHASE_MS))
        const flood = await residents.during(() => inundate(scene, kind, ++turn, busy))
        pairs[kind].push({ quietMs: percentile(quiet, 99), floodMs: percentile(flood, 99) })
      }
    }
    await residents.stop()
    const metrics = await restingMetrics(fence.adminPort)
    const tooFast = sumWhere(metrics, 'limits_total', 'subscriber_rate')
    const turnedAway = sumWhere(metrics, 'limits_total', 'open_max')
    if (tooFast === 0) failures.push('the flood of one MSISDN met no limit')
    if (turnedAway === 0) failures.push('the flood of new MSISDNs met no cap')
    if (busy.texts < turnedAway * 0.98) failures.push(`${turnedAway} turned away and ${busy.texts} told so`)
    failures.push(...await aftermath(fence))
    const told_ = (['one', 'many'] as const).map((kind) => verdict(kind, pairs[kind], failures))
    return [told(parts, startMs, {
      goal: 'R12', title: 'one MSISDN at 100 messages a second, then 150 new MSISDNs a second, in turns with quiet', failures, passed: failures.length === 0,
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
  settings.dialogue.perSubscriber = { perSecond: 20, burst: 200 }
  settings.dialogue.openMax = OPEN_MAX
  settings.dialogue.totalMs = 3_600_000
}

function verdict(kind: Kind, pairs: readonly { quietMs: number; floodMs: number }[], failures: string[]): string {
  const ratio = percentile(pairs.map((pair) => pair.floodMs / pair.quietMs), 50)
  const more = percentile(pairs.map((pair) => pair.floodMs - pair.quietMs), 50)
  const quiet = percentile(pairs.map((pair) => pair.quietMs), 50)
  const words = `${kind === 'one' ? 'one MSISDN' : 'many'} ${ratio.toFixed(2)} times the ${quiet.toFixed(1)} ms of the quiet beside it, ${more.toFixed(1)} ms more`
  if (ratio > SLOWER_MAX && more > SLOWER_MS) failures.push(words)
  return words
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

/** One phase of it; whoever got in hangs up at its end. */
async function inundate({ smsc }: Scene, kind: Kind, turn: number, busy: { texts: number }): Promise<void> {
  const phones = new Set<Phone>()
  const dials: Promise<unknown>[] = []
  let serial = 0
  const timer = setInterval(() => {
    const phone = smsc.phone(kind === 'one' ? '67532000000' : `6753${3_000_000 + turn * 10_000 + ++serial}`)
    phones.add(phone)
    // Of one handset's dials each ends the one before, and most are dropped: that no screen comes is what is wanted.
    dials.push(phone.dial('*123#').then(({ text }) => { if (BUSY.test(text)) busy.texts++ }, () => undefined))
  }, 1_000 / PER_SECOND[kind])
  await sleep(PHASE_MS)
  clearInterval(timer)
  if (kind === 'many') await Promise.all(dials)
  for (const phone of phones) if (phone.screen?.open) phone.hangUp()
}
