/** Days as the rules of inputs name them: `2025-12-24`, `today`, `today - 18 years`. */
import type { DialogueContext } from '../../../machines/dialogue.ts'
import { evaluate } from './evaluate.ts'
import { type Node, readExpression, Slip } from './expression.ts'
import { Unworkable } from './functions.ts'

/** A day that depends on that of the dial. */
export const RELATIVE_DAY = /^today(?: [+-] \d{1,5} (?:day|week|month|year)s?)?$/

/**
 * The day that is named, for a dial at this moment. Undefined: there is no such day, which the check of the input
 * refuses.
 */
export function namedDay(written: string, zone: string): (now: string | undefined) => string | undefined {
  const node = RELATIVE_DAY.test(written) ? readExpression(written) : undefined
  if (node === undefined || node instanceof Slip) return () => written
  return (now) => knownDay(node, zone, now)
}

/** The day of an expression that reads nothing but the day of the dial. Undefined: there is no such day. */
export function knownDay(node: Node, zone: string, now: string | undefined): string | undefined {
  try {
    return String(evaluate(node, { scope: { context: { now } as DialogueContext }, zone }))
  } catch (error) {
    if (error instanceof Unworkable) return undefined
    throw error
  }
}
