/** The result of one campaign: a line of RELIABILITY.md, kept as JSON. */
export interface Outcome {
  /** An id of goals.ts. */
  goal: string
  /** What was done, in one sentence. */
  title: string
  passed: boolean
  /** The figure that the goal is about. */
  figure: string
  counts: Record<string, number | string>
  /** What went wrong, the first few. */
  failures: string[]
  seed: number
  seconds: number
  mode: 'bounded' | 'long'
  /** The settings that its daemons had other than the defaults. Absent: not noted. */
  changed?: string[]
}

/** Options of `npm run faults` that are numbers: each overrides a campaign's own, where it has one. */
export const NUMBERS = ['kills', 'minutes', 'seeds', 'pdus', 'rounds', 'mutants'] as const

export interface CampaignDeps extends Partial<Record<(typeof NUMBERS)[number], number>> {
  seed: number
  mode: Outcome['mode']
  /** A commit or tag of this repository, where a campaign compares with an earlier build. */
  previous?: string
  /** Of all that a campaign may try, what has this in its path. */
  of?: string
  /** CI's share: bounded, and the smallest counts that still tell. */
  ci: boolean
  say(text: string): void
}

export type Campaign = (deps: CampaignDeps) => Promise<Outcome[]>

export const FAILURES_MAX = 8

/** At rank p of the sorted numbers; 0 for none. */
export function percentile(numbers: readonly number[], p: number): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor((p / 100) * sorted.length))] ?? 0
}

export function sleep(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms))
}

/** Looks every 50 ms; false when the time is over. */
export async function reached(is: () => Promise<boolean> | boolean, withinMs: number): Promise<boolean> {
  const endMs = performance.now() + withinMs
  while (!(await is())) {
    if (performance.now() > endMs) return false
    await sleep(50)
  }
  return true
}

type Verdict = Pick<Outcome, 'goal' | 'title' | 'passed' | 'figure' | 'counts' | 'failures'>

/** The outcome of what began at `startMs` (performance.now). */
export function told({ seed, mode, say }: CampaignDeps, startMs: number, verdict: Verdict): Outcome {
  say(`     ${verdict.goal} ${verdict.figure}`)
  return {
    ...verdict,
    failures: verdict.failures.slice(0, FAILURES_MAX),
    seed,
    mode,
    seconds: Math.round((performance.now() - startMs) / 1000),
  }
}
