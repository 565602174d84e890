/** What the campaigns over several daemons have in common: subscribers walk, something breaks, everything is judged. */
import { check, tally, type Breach } from './checker.ts'
import { percentile, sleep, told, type CampaignDeps, type Outcome } from './outcome.ts'
import type { CampaignFixture } from '../staging/fixture.ts'
import type { Several } from '../staging/several.ts'

export interface JudgedRun {
  parts: CampaignDeps
  scene: CampaignFixture
  several: Several
}

export interface Patience {
  quietMs?: number
  /** Longer than any goal allows: a daemon that never serves again is a goal missed, not a campaign that never ends. */
  limitMs?: number
}

export interface Apologies {
  /** From the beginning of `act` to the last of them. */
  ms: number
  /** From its end. */
  afterMs: number
  count: number
}

/**
 * How long after `act` the last apology was shown: looked at all the while, until `act` is over and none came for
 * `quietMs`.
 */
export async function apologiesAfter(
  { scene }: JudgedRun,
  act: () => Promise<void>,
  { quietMs = 4_000, limitMs = 120_000 }: Patience = {},
): Promise<Apologies> {
  const { diary } = scene
  const seen = () => diary.apologies + diary.undelivered
  const [startMs, before] = [performance.now(), seen()]
  let [count, lastMs, overMs] = [before, startMs, Infinity]
  const acting = act().finally(() => {
    overMs = performance.now()
  })
  acting.catch(() => undefined) // told below, where it is awaited
  while (performance.now() - Math.max(lastMs, overMs) < quietMs && performance.now() - overMs < limitMs) {
    if (seen() !== count) lastMs = performance.now()
    count = seen()
    await sleep(50)
  }
  await acting
  const since = (ms: number): number => (count === before ? 0 : Math.max(0, Math.round(lastMs - ms)))
  return { ms: since(startMs), afterMs: since(overMs), count: count - before }
}

export interface Judged {
  breaches: Breach[]
  /** Screens that follow from an older state: what asynchronous replication may cost, where `mayFallBehind`. */
  behind: number
  counts: Record<string, number>
}

/** Once nobody walks any more: what every promise came to. */
export async function judged({ scene, several }: JudgedRun, mayFallBehind = false): Promise<Judged> {
  const evidence = await scene.evidence(() => several.metrics())
  const behind = mayFallBehind ? evidence.diary.odd.length : 0
  const seen = mayFallBehind ? { ...evidence, diary: { ...evidence.diary, odd: [] } } : evidence
  const accidents = several.accidents().map((what): Breach => ({ invariant: 'I6', what }))
  const { diary } = scene
  return {
    breaches: [...check(seen), ...accidents],
    behind,
    counts: {
      dialogues: diary.dialogues,
      steps: diary.steps,
      confirmed: diary.confirmed.length,
      bookings: evidence.bookings.length,
      sms: evidence.sms.length,
      apologies: diary.apologies,
      undelivered: diary.undelivered,
      screenP99Ms: Math.round(percentile(diary.waitsMs, 99)),
    },
  }
}

export interface Finding {
  goal: string
  title: string
  /** What is said before the promises. */
  figure: string
  isGood: boolean
  counts?: Record<string, number>
  failures?: string[]
}

export function outcomeOf(
  { parts }: JudgedRun,
  startMs: number,
  { breaches, behind, counts }: Judged,
  finding: Finding,
): Outcome {
  const sums = tally(breaches)
  const failures = [...(finding.failures ?? []), ...breaches.map((one) => `${one.invariant} ${one.what}`)]
  const late = behind ? `, ${behind} screens of a lost turn` : ''
  return told(parts, startMs, {
    goal: finding.goal,
    title: finding.title,
    passed: failures.length === 0 && finding.isGood && (counts['confirmed'] ?? 0) > 0,
    figure: `${finding.figure}; ${sums.I1} hung, ${sums.I2} false confirmations, ${sums.I3} doubled bookings, ${sums.I5} foreign or odd screens${late}, ${sums.I4} SMS wrong`,
    counts: { ...counts, ...finding.counts },
    failures,
  })
}
