/**
 * Test dials: can somebody dial this code on this line now? On a schedule, for metrics and an alarm, and when an
 * operator asks. Only the first screen is looked at, and nothing is changed by it.
 */
import { isoOf, gate, type Log, type Metrics } from '../base/index.ts'
import { expectedBy, type Settings } from '../config/index.ts'
import type { Chance, Clock } from '../ussd/index.ts'
import { TEST_DIAL_REMEDIES, type TestDialHeard, type TestDialOutcome } from './outcome.ts'
import { askedDials, dialKey, planDials, type PlannedDial } from './plan.ts'

export interface TestDialsDeps {
  settings: Pick<Settings, 'lines' | 'services' | 'testDials'>
  clock: Clock
  chance: Chance
  log: Log
  metrics: Pick<Metrics, 'count' | 'gauges'>
  /** Null: there is nothing to test here now, as the line is stopped, or another daemon has it. Never rejects. */
  run(one: PlannedDial, expected: ((text: string) => boolean) | undefined): Promise<TestDialHeard | null>
}

/** As an operator sees it. */
export interface TestDialRow {
  line: string
  service: string
  result: TestDialOutcome['result']
  why: string
  remedy: string
  ms: number
  at: string
  /** When it was last ok. Null: not since this daemon runs. */
  lastOkAt: string | null
  /** Since when it has not been ok. Null: it is. */
  failingSince: string | null
  /** The first screen, only for who asked for this dial. */
  screen?: string
}

export interface TestDials {
  /** Of the schedule, as they were last. */
  rows(): TestDialRow[]
  /** Dials now. A line that is not here, or is stopped, or of another daemon, has no row. */
  dial(asked: { line?: string | undefined; service?: string | undefined }): Promise<TestDialRow[]>
  start(): void
  stop(): Promise<void>
}

/** How many dial at the same time: a back end that is slow must not hold up all others. */
const AT_ONCE = 4
/** How often to look for test dials that are due. */
const LOOK_MS = 1_000
/** After a start the lines bind first. With chance, so that daemons that start together do not dial together. */
const FIRST_MS = { least: 3_000, most: 8_000 }

interface Known {
  planned: PlannedDial
  dueMs: number
  isRunning: boolean
  last: (TestDialOutcome & { atMs: number }) | undefined
  okMs: number | undefined
  failingMs: number | undefined
  failed: number
}

export function createTestDials(deps: TestDialsDeps): TestDials {
  return new ScheduledDials(deps)
}

class ScheduledDials implements TestDials {
  readonly #deps: TestDialsDeps
  readonly #known = new Map<string, Known>()
  readonly #gate = gate(AT_ONCE)
  readonly #running = new Set<Promise<unknown>>()
  #cancel = (): void => undefined
  #isStopped = false

  constructor(deps: TestDialsDeps) {
    this.#deps = deps
    registerGauges(deps.metrics, () => this.#told())
  }

  rows(): TestDialRow[] {
    return this.#told().map((known) => rowOf(known, known.last))
  }

  async dial(asked: { line?: string | undefined; service?: string | undefined }): Promise<TestDialRow[]> {
    const wanted = askedDials(asked, this.#planned(), this.#deps.settings)
    const rows = await Promise.all(
      wanted.map(async (planned) => {
        // What is not on the schedule leaves no trace in metrics: anybody may ask for any code.
        const known = this.#known.get(dialKey(planned)) ?? newKnown(planned, 0)
        const outcome = await this.#run(known)
        const screen = outcome?.text
        return outcome && { ...rowOf(known, outcome), ...(screen === undefined ? {} : { screen }) }
      }),
    )
    return rows.filter((row) => row !== null)
  }

  start(): void {
    this.#cancel = this.#deps.clock.after(LOOK_MS, () => {
      this.#look()
      if (!this.#isStopped) this.start()
    })
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#cancel()
    await Promise.all(this.#running)
  }

  #look(): void {
    const { clock, chance } = this.#deps
    const nowMs = clock.now()
    const planned = this.#planned()
    const keys = new Set(planned.map(dialKey))
    for (const key of this.#known.keys()) if (!keys.has(key)) this.#known.delete(key)
    for (const one of planned) {
      const firstMs = FIRST_MS.least + chance() * (FIRST_MS.most - FIRST_MS.least)
      const known = this.#known.get(dialKey(one)) ?? newKnown(one, nowMs + firstMs)
      this.#known.set(dialKey(one), known)
      // A clock that was set back must not stop them.
      const isDue = nowMs >= known.dueMs || known.dueMs - nowMs > one.wish.everyMs + FIRST_MS.most
      if (!isDue || known.isRunning) continue
      known.dueMs = nowMs + one.wish.everyMs
      const running = this.#run(known).finally(() => this.#running.delete(running))
      this.#running.add(running)
    }
  }

  #planned(): PlannedDial[] {
    const { testDials } = this.#deps.settings
    return testDials.length === 0 ? [] : planDials(testDials, this.#deps.settings)
  }

  /** Those of the schedule that have dialled. */
  #told(): (Known & Required<Pick<Known, 'last'>>)[] {
    return [...this.#known.values()].filter((known): known is Known & { last: NonNullable<Known['last']> } =>
      Boolean(known.last),
    )
  }

  async #run(known: Known): Promise<(TestDialOutcome & { atMs: number }) | null> {
    const { clock, run } = this.#deps
    known.isRunning = true
    try {
      return await this.#gate(async () => {
        const startedMs = clock.now()
        const heard = await run(known.planned, expectedBy(known.planned.wish.expect))
        const atMs = clock.now()
        const outcome = heard && { ...heard, ms: Math.max(0, atMs - startedMs), atMs }
        this.#note(known, outcome)
        return outcome
      })
    } finally {
      known.isRunning = false
    }
  }

  #note(known: Known, outcome: (TestDialOutcome & { atMs: number }) | null): void {
    const { metrics, log } = this.#deps
    const { line, service } = known.planned
    if (!outcome) return void Object.assign(known, { last: undefined, failingMs: undefined, failed: 0 })
    const { result, why, atMs, ms } = outcome
    known.last = outcome
    const isScheduled = this.#known.get(dialKey(known.planned)) === known
    if (isScheduled) metrics.count('ussd_test_dials_total', { line, service, result })
    if (result === 'ok') {
      if (isScheduled && known.failed > 0)
        log.info({ line, service, failed: known.failed }, 'test dials are answered again')
      return void Object.assign(known, { okMs: atMs, failingMs: undefined, failed: 0 })
    }
    known.failingMs ??= atMs
    known.failed++
    const remedy = TEST_DIAL_REMEDIES[result]
    // One warning an outage.
    if (isScheduled && known.failed === 1) log.warn({ line, service, result, why, ms, remedy }, 'a test dial failed')
  }
}

function newKnown(planned: PlannedDial, dueMs: number): Known {
  return { planned, dueMs, isRunning: false, last: undefined, okMs: undefined, failingMs: undefined, failed: 0 }
}

function rowOf(
  { planned, okMs, failingMs }: Known,
  last: (TestDialOutcome & { atMs: number }) | undefined,
): TestDialRow {
  const { result, why, ms, atMs } = last!
  return {
    line: planned.line,
    service: planned.service,
    result,
    why,
    remedy: TEST_DIAL_REMEDIES[result],
    ms,
    at: isoOf(atMs),
    lastOkAt: okMs === undefined ? null : isoOf(okMs),
    failingSince: failingMs === undefined ? null : isoOf(failingMs),
  }
}

function registerGauges(metrics: TestDialsDeps['metrics'], told: () => Known[]): void {
  const each = (valueOf: (known: Known) => number | undefined) => () =>
    told().flatMap((known) => {
      const { line, service } = known.planned
      const value = valueOf(known)
      return value === undefined ? [] : [{ labels: { line, service }, value }]
    })
  const labels = ['line', 'service']
  metrics.gauges(
    'ussd_test_dial_up',
    '1: a test dial gets its first screen; 0: it does not. None while the line is stopped or held, or another daemon has it',
    labels,
    each(({ last }) => Number(last!.result === 'ok')),
  )
  metrics.gauges(
    'ussd_test_dial_seconds',
    'How long the last test dial took',
    labels,
    each(({ last }) => last!.ms / 1_000),
  )
  metrics.gauges(
    'ussd_test_dial_last_success_seconds',
    'When a test dial last got its first screen, Unix time',
    labels,
    each(({ okMs }) => (okMs === undefined ? undefined : okMs / 1_000)),
  )
}
