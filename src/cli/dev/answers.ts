/**
 * Who answers the calls of a flow that a designer plays: the real back end of the settings, what a talk recorded, or a
 * synthetic answer. The designer may choose another answer for each operation, such as a refusal.
 */
import type { CallOutcome, CallWant, FlowSnapshot } from '../../flow/engine/index.ts'
import { examplesIn } from '../../flow/explore/index.ts'
import { callOf, SMS, SUBSCRIBER } from '../../flow/language/index.ts'
import type { Compilation } from '../../flow/load/index.ts'
import type { Stub } from '../../flow/talk/index.ts'
import type { Clock } from '../../ussd/index.ts'
import { offeredAt, shortened, stubText } from '../flows/offered-answers.ts'
import type { SettingsBackends } from '../flows/settings-backends.ts'
import { recordedTalks } from './talks.ts'

type AnsweredBy = 'real' | 'recorded' | 'synthetic' | 'chosen'

/** A call as a designer sees it: without secrets. */
export interface CallShown {
  screen: string
  operation: string
  args: string
  changes: boolean
  by: AnsweredBy
  outcome: string
  ms: number
  /** Why another than the first answered, or why the flow cannot use the answer. */
  note?: string | undefined
}

/** What an operation of a flow can answer. */
export interface OperationShown {
  operation: string
  changes: boolean
  /** '': what answers it without a choice. */
  chosen: string
  options: { id: string; shown: string }[]
}

export interface CalledFrom {
  name: string
  compilation: Compilation
  /** The dialogue rests on the call. */
  at: FlowSnapshot
  msisdn: string
  language: string
}

interface AnswerDeps {
  folder: string
  clock: Clock
  /** Undefined: there are no settings, or none of their back ends can be reached. */
  real(): Promise<SettingsBackends | undefined>
}

/** How many calls are kept. */
const CALLS_MAX = 50

export const isOwnCall = ({ backend }: Pick<CallWant, 'backend'>) => backend === SMS || backend === SUBSCRIBER

export class Answers {
  /** The latest first. */
  readonly calls: CallShown[] = []
  private readonly deps: AnswerDeps
  /** By flow and operation. */
  private readonly choices = new Map<string, string>()

  constructor(deps: AnswerDeps) {
    this.deps = deps
  }

  /** Never rejects. */
  async answer(want: CallWant, played: CalledFrom): Promise<CallOutcome> {
    const startedMs = this.deps.clock.now()
    const { outcome, by, note } = await this.outcomeOf(want, played)
    const useless = played.compilation.flow.useless?.(played.at, outcome)
    this.calls.unshift({
      screen: want.screen,
      operation: operationOf(want),
      args: JSON.stringify({ ...want.args, ...Object.fromEntries((want.hidden ?? []).map((name) => [name, '****'])) }),
      changes: want.once,
      by,
      outcome: shortened(stubText(stubOfOutcome(outcome))),
      ms: this.deps.clock.now() - startedMs,
      note: useless ? uselessWords(useless) : note,
    })
    this.calls.splice(CALLS_MAX)
    return outcome
  }

  /** Undefined: the flow has no such operation, or the operation no such answer. */
  choose(name: string, compilation: Compilation, operation: string, id: string): true | undefined {
    const found = this.operations(name, compilation).find((one) => one.operation === operation)
    if (!found?.options.some((option) => option.id === id)) return undefined
    this.choices.set(`${name} ${operation}`, id)
    return true
  }

  operations(name: string, compilation: Compilation): OperationShown[] {
    const { definition } = compilation
    const recorded = recordedTalks(this.deps.folder, name).answers
    const all = new Map<string, OperationShown>()
    for (const [screen, one] of Object.entries(definition.screens)) {
      const call = callOf(one)
      const backend = call?.call.split('.')[0]
      if (!call || backend === undefined || isOwnCall({ backend })) continue
      const operation = call.call
      const known = all.get(operation) ?? {
        operation,
        changes: call.once === true,
        chosen: this.choices.get(`${name} ${operation}`) ?? '',
        options: [
          { id: '', shown: recorded.has(operation) ? 'By itself, else recorded' : 'By itself, else synthetic' },
          ...(recorded.get(operation) ?? []).map((stub) => optionOf(stub, 'recorded')),
        ],
      }
      for (const option of syntheticAt(compilation, screen, operation).map(({ stub }) => optionOf(stub, 'synthetic')))
        if (!known.options.some(({ id }) => id === option.id)) known.options.push(option)
      all.set(operation, known)
    }
    // The file may have changed since.
    for (const one of all.values()) if (!one.options.some(({ id }) => id === one.chosen)) one.chosen = ''
    return [...all.values()]
  }

  private async outcomeOf(
    want: CallWant,
    { name, compilation, msisdn, language }: CalledFrom,
  ): Promise<{ outcome: CallOutcome; by: AnsweredBy; note?: string }> {
    const operation = operationOf(want)
    const recorded = recordedTalks(this.deps.folder, name).answers.get(operation) ?? []
    const offered = syntheticAt(compilation, want.screen, operation).map(({ stub }) => stub)
    const chosen = this.choices.get(`${name} ${operation}`) ?? ''
    const stub = chosen && [...recorded, ...offered].find((one) => stubText(one) === chosen)
    if (stub) return { outcome: structuredClone(stub), by: 'chosen' }
    const real = await this.deps.real()
    let note: string | undefined
    if (real?.names.includes(want.backend)) {
      const outcome = await real.answering(want, { msisdn, language })
      if (outcome.is !== 'failed' || outcome.why !== 'down') return { outcome, by: 'real' }
      note = `${want.backend} cannot be reached`
    }
    const kept = recorded.find(({ is }) => is === 'data')
    const made = kept ?? offered[0] ?? ({ is: 'data', data: {} } as const)
    return { outcome: structuredClone(made), by: kept ? 'recorded' : 'synthetic', ...(note ? { note } : {}) }
  }
}

const operationOf = ({ backend, operation }: CallWant) => `${backend}.${operation}`

const syntheticAt = ({ definition }: Compilation, screen: string, operation: string) => {
  const outcomes = examplesIn(definition, 'likely')(screen).outcomes?.() ?? []
  return outcomes.length === 0 ? [] : offeredAt(outcomes, operation)
}

const optionOf = (stub: Stub, how: string) => ({ id: stubText(stub), shown: `${shortened(stubText(stub))} (${how})` })

function stubOfOutcome(outcome: CallOutcome): Stub {
  if (outcome.is === 'refused') return { ...outcome, data: outcome.data ?? null }
  return outcome
}

function uselessWords({ refusal, lacks = [] }: { refusal?: string; lacks?: string[] }): string {
  if (refusal !== undefined) return `the flow does not say where the refusal '${refusal}' leads`
  return `the flow cannot use the answer: it lacks ${lacks.join(', ')}`
}
