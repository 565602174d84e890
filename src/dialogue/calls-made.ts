/**
 * The calls of back ends of one dialogue, in the form in which its entry and its record carry them: short and bounded,
 * because they are written with each turn. `2.0!wallet.topup=data/240@4310` is the first call of turn 2, which changes
 * something; it was answered after 240 ms, and made 4.31 s after the dialogue began. Pure. (docs/RECORDS.md)
 */
import type { CallOutcome } from '../flow/engine/index.ts'
import { refusalInLog } from '../ussd/index.ts'

export interface CallMade {
  turn: number
  /** Its number in the turn, from 0: with the turn and the epoch it is the key of the call. */
  n: number
  backend: string
  operation: string
  changes: boolean
  /** `data`, `refused:NAME`, `failed:WHY`; `held`: it was waited for longer than the dialogue. */
  said: string
  ms: number
  /** Since the dialogue began. */
  atMs: number
}

/** Some ten calls: a dialogue that makes more is told by its log lines. The record is written with each turn. */
export const CALLS_CHARS_MAX = 600
const CUT = ' +'

/** What became of a call. Null: it is still waited for. */
export function callSaid(outcome: CallOutcome | null): string {
  if (outcome === null) return 'held'
  if (outcome.is === 'refused') return `refused:${refusalInLog(outcome.refusal).replaceAll(/[\s/@+]/g, '-')}`
  return outcome.is === 'failed' ? `failed:${outcome.why}` : 'data'
}

export function withCalls(calls: string, made: readonly CallMade[]): string {
  return made.reduce((before, { turn, n, backend, operation, changes, said, ms, atMs }) => {
    const one = `${turn}.${n}${changes ? '!' : ''}${backend}.${operation}=${said}/${Math.round(ms)}@${Math.round(atMs)}`
    if (before === '') return one
    if (before.length + 1 + one.length + CUT.length <= CALLS_CHARS_MAX) return `${before} ${one}`
    return before.endsWith(CUT) ? before : before + CUT
  }, calls)
}

const CALL = /^(\d+)\.(\d+)(!?)([^.\s]+)\.([^=\s]+)=([^/\s]+)\/(\d+)@(\d+)$/

/** What is not in this form is left out: a later release may write more. */
export function callsMadeIn(calls: string): CallMade[] {
  return calls.split(' ').flatMap((one) => {
    const [, turn, n, changes, backend, operation, said, ms, at] = CALL.exec(one) ?? []
    if (said === undefined) return []
    return [
      {
        turn: Number(turn),
        n: Number(n),
        changes: changes === '!',
        backend: backend!,
        operation: operation!,
        said,
        ms: Number(ms),
        atMs: Number(at),
      },
    ]
  })
}
