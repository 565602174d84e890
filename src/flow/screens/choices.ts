/** Written choices, for menus and lists. */
import { z } from 'zod'
import type { DialogueContext } from '../../../machines/dialogue.ts'
import { fits, type Json, trimAnswer, USSD_PAGE } from '../../ussd/index.ts'
import { lookUp } from '../engine/index.ts'
import { compileCondition, compileValues, labelNamed, Slip } from '../expression/index.ts'
import { choiceKey, condition, key, name, text, type Text, type TextKey, values } from '../terms/index.ts'
import type { CoveredStep, KeySlip, Outcome } from './kind.ts'
import {
  type Overfull,
  type KeyedOption,
  type OfferReads,
  type Option,
  type Env,
  target,
  to,
  type Target,
  type TellUses,
} from '../plan/index.ts'

/** The most written choices of one menu. More belong in a list. */
const CHOICES_MAX = 50

export const back = name.optional().describe('The screen that the line "Back" leads to. Default: no such line.')
export const keys = z
  .union([
    z.literal(false),
    z.strictObject({ back: key.or(z.literal(false)).optional(), home: key.or(z.literal(false)).optional() }),
  ])
  .optional()
  .meta({ title: '`false`, or `{ back, home }`' })
  .describe("Keys other than the flow's, or none; each may be `false`.")
export const labels = z
  .boolean()
  .optional()
  .describe('Subscribers may also type the words of a choice, or how they begin. Default: as the flow says.')

const choice = z
  .strictObject({
    label: text.describe('The text of the line.'),
    to,
    key: choiceKey.optional().describe("The key of the line, such as `'00'`, in place of a number."),
    when: condition.optional().describe('Shows the line only while this holds; the numbers close up.'),
    set: values.optional().describe('Sets these in `vars` when chosen; `language` changes the language.'),
    value: z
      .union([z.string().min(1), z.number()])
      .optional()
      .describe('Beside `typed`: the answer that the choice stands for, kept as if it were typed.'),
  })
  .meta({ title: '`{ label, to, key, when, set, value }`' })
export const choices = z
  .array(choice)
  .max(CHOICES_MAX)
  .default([])
  .describe(`The choices, in order; at most ${CHOICES_MAX}.`)

export type Choice = z.infer<typeof choice>

interface WithChoices {
  choices: readonly Choice[]
  back?: string | undefined
}

export function targetsOfChoices(screen: WithChoices): Target[] {
  return [...screen.choices.flatMap((item, i) => target(item.to, 'choices', i, 'to')), ...target(screen.back, 'back')]
}

export function usesOfChoices(screen: WithChoices, tell: TellUses): void {
  screen.choices.forEach((item, i) => {
    tell.text('label', item.label, 'choices', i, 'label')
    tell.condition(item.when, ['choices', i, 'when'])
    tell.values(item.set, 'choices', i, 'set')
  })
}

export function varsOfChoices(screen: WithChoices, path?: Target['path']): Choice['set'][] {
  if (path === undefined) return screen.choices.map(({ set }) => set)
  return path[0] === 'choices' ? [screen.choices[path[1] as number]?.set] : []
}

/** The name of a choice as a coverage item. */
function choiceItem(screen: WithChoices, i: number): string {
  return `choice ${i + 1} "${labelOf(screen, i)}"`
}

export function itemsOfChoices(screen: WithChoices): Outcome[] {
  return [
    ...screen.choices.map(({ when }, i) => ({
      what: choiceItem(screen, i),
      only: when === undefined ? undefined : `shown only if ${JSON.stringify(when)}`,
    })),
    ...(screen.back === undefined ? [] : [{ what: 'Back' }]),
  ]
}

/** The rows shown above the choices, and the text of each. */
interface RowsAbove {
  rows: readonly Json[]
  row: Text
}

/** The coverage item of a row. */
export const A_ROW = { what: 'a row' }

/** Whether a choice that stands for this value is shown. */
export type ShowsValue = (value: Choice['value'], context: DialogueContext) => boolean

/** The coverage item that an answer chooses, by its number or its words. */
export function coveredChoice(
  screen: WithChoices,
  step: CoveredStep,
  above?: RowsAbove,
  isShown: ShowsValue = () => true,
): string | undefined {
  const { context, event, zone, keyed, labels: byWords, say } = step
  if (event.type !== 'ANSWER' || !context.shown) return undefined
  const answer = trimAnswer(event.text)
  const there = shownIn(screen, context, zone).filter((i) => isShown(screen.choices[i]?.value, context))
  const own = there.find((i) => screen.choices[i]?.key === answer)
  if (own !== undefined) return choiceItem(screen, own)
  const key = lookUp(context.shown, screen.back !== undefined, answer, keyed)
  if (key === 'back') return context.shown.at.length > 1 ? undefined : 'Back'
  if (key === 'more') return undefined
  const [fixed, shown] = parted(there, (i) => screen.choices[i]?.key !== undefined)
  const { rows, row } = above ?? { rows: [], row: '' }
  const words = () => [
    ...rows.map((item) => say(row)({ context, row: item })),
    ...[...shown, ...fixed].map((i) => say(screen.choices[i]?.label ?? '')({ context })),
  ]
  const option = key?.option ?? (byWords ? labelNamed(words(), event.text) : undefined)
  if (option === undefined) return undefined
  if (option < rows.length) return A_ROW.what
  // After a search, a line that shows all rows stands between the rows and the choices.
  const chosen = [...shown, ...fixed][option - rows.length - (context.find ? 1 : 0)]
  return chosen === undefined ? undefined : choiceItem(screen, chosen)
}

/** The choices that are shown, by their index. */
function shownIn({ choices: all }: WithChoices, context: DialogueContext, zone: string): number[] {
  return all.flatMap(({ when }, i) => {
    const compiled = when === undefined ? undefined : compileCondition(when, zone)
    return compiled !== undefined && !(compiled instanceof Slip) && !compiled.holds({ context }) ? [] : [i]
  })
}

function parted<T>(all: readonly T[], isFirst: (one: T) => boolean): [T[], T[]] {
  return [all.filter(isFirst), all.filter((one) => !isFirst(one))]
}

/** The written choices that have numbers. */
export function numbered({ choices: all }: WithChoices): readonly Choice[] {
  return all.filter((choice) => choice.key === undefined)
}

/** What is pressed for a written choice of a menu. */
export function pressedFor(screen: WithChoices, which: number): string {
  return screen.choices[which]?.key ?? String(numbered({ choices: screen.choices.slice(0, which) }).length + 1)
}

/** The lines with keys of their own, as they stand under a page. */
export function keysUnder({ choices: all }: WithChoices, say: (label: Text) => string): string {
  return all.map(({ key: own, label }) => (own === undefined ? '' : `\n${own}. ${say(label)}`)).join('')
}

/** Lines of so much of a page leave no room for what they stand under. */
export function overfullKeys(screen: WithChoices, say: (label: Text) => string): Overfull[] {
  const half = { septets: Math.floor(USSD_PAGE.septets / 2), ucs2: Math.floor(USSD_PAGE.ucs2 / 2) }
  if (fits(keysUnder(screen, say).slice(1), half)) return []
  const what = ': the choices with keys of their own take more than half of a page'
  return [{ severity: 'error', what, remedy: 'shorten them, or let some have numbers' }]
}

/** The least key that is also a number, such as 99: lines must have smaller ones. */
export function numberKey({ choices: all }: WithChoices): number | undefined {
  const keys = all.flatMap(({ key: own }) => (own !== undefined && /^[1-9]\d*$/.test(own) ? [Number(own)] : []))
  return keys.length === 0 ? undefined : Math.min(...keys)
}

/** `More` and `Back` have the numbers after the last line. */
export const LINES_AFTER = 2

/** Keys that two choices have. */
export function slipsOfKeys({ choices: all }: WithChoices): KeySlip[] {
  return all.flatMap(({ key: own }, i) => {
    if (own === undefined || all.findIndex((choice) => choice.key === own) === i) return []
    const what = `: two choices have the key ${own}`
    return [{ path: ['choices', i, 'key'], what, remedy: 'give one of them another key' }]
  })
}

/** A key that is the number of another line. `most`: the largest number that a line may have. */
export function slipsOfNumbers(screen: WithChoices, most: number): KeySlip[] {
  return screen.choices.flatMap(({ key: own }, i) => {
    if (own === undefined || !/^[1-9]\d*$/.test(own) || Number(own) > most) return []
    const what = `: the key ${own} may be the number of another line (up to ${most})`
    return [{ path: ['choices', i, 'key'], what, remedy: `use a larger number, or a key such as '0${own}'` }]
  })
}

/** The built-in texts that any page of numbered lines may show. */
export const WORDS_OF_CHOICES: TextKey[] = ['invalid', 'invalid-short', 'more', 'back']

/** Whether a page may have no choice at all. */
export function mayBeBare(screen: WithChoices): boolean {
  return screen.back === undefined && screen.choices.every((choice) => choice.when !== undefined)
}

/** The label as written, in the first language that it has. */
export function labelOf(screen: WithChoices, i: number): string {
  const label = screen.choices[i]?.label ?? ''
  return typeof label === 'string' ? label : (Object.values(label)[0] ?? '')
}

/** The written choices that are shown: those with numbers, and those with keys of their own. */
interface Written {
  options: Option[]
  fixed: KeyedOption[]
}

/** The context that keeps a value as if it were typed. Undefined: it breaks a rule, and the choice is not shown. */
export type KeepsValue = (context: DialogueContext, value: string | number) => DialogueContext | undefined

/** The written choices that are shown, and what they depend on. */
export function choicesOf(
  choices: readonly Choice[],
  env: Env,
  keep?: KeepsValue,
): { (context: DialogueContext): Written; reads: OfferReads } {
  const compiled = choices.map((choice) => ({
    ...choice,
    say: env.text(choice.label),
    holds: choice.when === undefined ? undefined : env.condition(choice.when),
    choose: choosing(choice, env, keep),
  }))
  const options = (context: DialogueContext): Written => {
    const written: Written = { options: [], fixed: [] }
    for (const { key: own, value, to: leads, say, holds, choose } of compiled) {
      if (holds && !holds.holds({ context })) continue
      if (value !== undefined && keep && keep(context, value) === undefined) continue
      const label: Option['label'] = (valueMax) => say({ context }, { valueMax })
      if (own === undefined) written.options.push({ label, to: leads, choose })
      else written.fixed.push({ key: own, label, to: leads, choose })
    }
    return written
  }
  // What stands for an answer is shown only if it passes the rules, and those may read anything.
  const reads = keep ? undefined : compiled.flatMap(({ say, holds }) => [...say.reads, ...(holds?.paths ?? [])])
  return Object.assign(options, { reads })
}

/** What choosing it changes. */
function choosing({ value, set }: Choice, env: Env, keep?: KeepsValue): NonNullable<Option['choose']> {
  const values = set && compileValues(set, env)
  return (chosen) => {
    const kept = (keep && value !== undefined && keep(chosen, value)) || chosen
    return values ? assigned(kept, values({ context: kept }), env.languages) : kept
  }
}

/**
 * The context with these values set. `language` sets the language of the dialogue; a language that the flow does not
 * have changes nothing. `into`: the context that gets the values.
 */
export function assigned(
  context: DialogueContext,
  values: readonly [string, Json][],
  languages: readonly string[],
  into: DialogueContext = context,
): DialogueContext {
  const vars = { ...into.vars }
  let { language } = context
  for (const [name, value] of values) {
    if (name !== 'language') vars[name] = value
    else if (typeof value === 'string' && languages.includes(value)) language = value
  }
  return { ...into, vars, language }
}
