/** The longest that values may be: by the rules of inputs, and by what calls are expected to answer. */
import { MSISDN_DIGITS_MAX } from '../ussd/msisdn.ts'
import type { CallScreen, FlowDefinition, InputScreen } from './definition.ts'
import type { Check } from './schema-checks.ts'

/** By path, as `answers.amount` or `data.slots.rows`; `row.name` within one list. */
export interface Bounds {
  /** Characters of a value. */
  lengths: ReadonlyMap<string, number>
  /** The greatest that a number gets. */
  numbers: ReadonlyMap<string, number>
}

interface Growing extends Bounds {
  lengths: Map<string, number>
  numbers: Map<string, number>
}

/** Those that hold on that screen. */
export function boundsOn(name: string, definition: FlowDefinition): Bounds {
  const bounds: Growing = { lengths: new Map(), numbers: new Map() }
  for (const [from, screen] of Object.entries(definition.screens)) {
    if (screen.kind === 'input') ofInput(`answers.${screen.as ?? from}`, screen, bounds)
    if (screen.kind === 'call') ofCall(`data.${screen.as ?? from}`, screen, bounds)
    if (screen.kind !== 'list') continue
    const fields = fieldsOf(screen.from, definition)
    for (const [field, max] of fields) {
      bounds.lengths.set(`chosen.${screen.as ?? from}.${field}`, max)
      if (from === name) bounds.lengths.set(`row.${field}`, max)
    }
  }
  return bounds
}

function ofInput(path: string, screen: InputScreen, { lengths, numbers }: Growing): void {
  if (screen.number?.max !== undefined) numbers.set(path, screen.number.max)
  lengths.set(path, longestAnswer(screen))
}

function longestAnswer(screen: InputScreen): number {
  return Math.min(longestRead(screen), ...(screen.checks ?? []).map(longestKept))
}

function longestKept(check: Check): number {
  if (check.date) return 10
  if (check.phone) return MSISDN_DIGITS_MAX
  if (check.oneOf) return Math.max(...check.oneOf.map((word) => word.length))
  return check.length?.max ?? Infinity
}

function longestRead(screen: InputScreen): number {
  if (screen.name) return 40
  if (screen.number) return String(screen.number.max ?? 1e15).length + screen.number.decimals
  return screen.length?.max ?? 160
}

function ofCall(root: string, { expect }: CallScreen, { lengths, numbers }: Growing): void {
  for (const [field, wanted] of Object.entries(expect ?? {})) {
    if (typeof wanted === 'string' || wanted.max === undefined) continue
    if (wanted.is === 'number') numbers.set(`${root}.${field}`, wanted.max)
    else if (wanted.is === 'rows') numbers.set(`${root}.${field}.count`, wanted.max)
    else lengths.set(`${root}.${field}`, wanted.max)
  }
}

/** The bounds of the fields of rows from there. */
function fieldsOf(from: string, { screens }: FlowDefinition): [string, number][] {
  return Object.entries(screens).flatMap(([name, screen]) => {
    if (screen.kind !== 'call') return []
    return Object.entries(screen.expect ?? {}).flatMap(([field, wanted]) => {
      const here = from === `data.${screen.as ?? name}.${field}`
      return here && typeof wanted !== 'string' ? Object.entries(wanted.fields ?? {}) : []
    })
  })
}
