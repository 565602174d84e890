/** Screens that offer numbered options, whatever they come from: menus, lists, long texts, the offer to go on. */
import type { DialogueContext, DialogueEvent, Move, Shown } from '../../../machines/dialogue.ts'
import { trimAnswer } from '../../ussd/index.ts'
import { labelNamed } from '../expression/index.ts'
import { layPage, lookUp, relay, type LayoutLine, type ScreenContent, type Want } from '../engine/index.ts'
import { GOODBYE, left, type Env, type Plan } from './plan.ts'

/** What is offered, given a context. The same context gives the same offer. */
export interface Offer {
  title: LayoutLine
  options: Option[]
  /** Where the screen's own `Back` leads. */
  back?: string | undefined
  /** The context with the options narrowed by what was typed; undefined if none is left. */
  search?: ((context: DialogueContext, typed: string) => DialogueContext | undefined) | undefined
  /** A text that ends the dialogue: its last page has no options. */
  closing?: boolean
}

export interface Option {
  label: LayoutLine
  to: string
  /** It changes what is offered: the screen stays. */
  stays?: boolean
  /** What choosing it changes. */
  choose?: (context: DialogueContext) => DialogueContext
}

/** The functions of a screen that offers this. `arrive` prepares the context; dialled answers are played on it. */
export function offering(
  env: Env,
  offer: (context: DialogueContext) => Offer,
  arrive: (context: DialogueContext) => DialogueContext,
): Required<Pick<Plan, 'arrive' | 'answer' | 'pass' | 'want'>> {
  return {
    arrive: (context) => arrivedAt(env, offer, arrive(context)),
    answer: (context, event) => (event.type === 'ANSWER' ? answered(env, offer, context, event) : undefined),
    pass: (context) => dialled(env, offer, context),
    want: (context) => wanted(env, offer(context), context),
  }
}

type Offering = (context: DialogueContext) => Offer

function answered(
  env: Env,
  offer: Offering,
  context: DialogueContext,
  event: DialogueEvent & { type: 'ANSWER' },
): Move | undefined {
  const { search, ...offered } = offer(context)
  if (ends(offered, context)) return undefined
  const move = pressed(env, offer, context, event.text)
  if (move) return move
  const wrong = context.wrong + 1
  // What assign is not given stays as it was.
  const broken = search && !hasLetters(event.text) ? NUMBER : undefined
  return wrong >= env.wrongMax ? { to: GOODBYE, context: left(context) } : { context: { ...context, wrong, broken } }
}

/** As the first check of a list: a number is one of those shown. */
const NUMBER = 0

function hasLetters(answer: string): boolean {
  return /\p{L}/u.test(answer)
}

/** The next of the dialled answers; one that means nothing here ends the playing, and nobody is told off for it. */
function dialled(env: Env, offer: Offering, context: DialogueContext): Move | undefined {
  const [next, ...rest] = context.dialled
  if (next === undefined || ends(offer(context), context)) return undefined
  return pressed(env, offer, { ...context, dialled: rest }, next) ?? { context: { ...context, dialled: [] } }
}

function pressed(env: Env, offer: Offering, context: DialogueContext, answer: string): Move | undefined {
  const { options, back, search } = offer(context)
  const shown = context.shown
  const key = shown && lookUp(shown, back !== undefined, trimAnswer(answer), env.keyed)
  if (!key && search) {
    const found = shown && hasLetters(answer) ? search(context, answer) : undefined
    return found && { context: turned(env, offer, found, [[0, 0]]) }
  }
  if (!key) {
    const named =
      env.labels && shown
        ? labelNamed(
            options.map(({ label }) => label()),
            answer,
          )
        : undefined
    return named === undefined ? undefined : chosen(env, offer, options[named], context)
  }
  if (key === 'more') {
    const { next } = layPage(sheetOf(env, offer(context), context), shown.at)
    return { context: turned(env, offer, context, [...shown.at, next]) }
  }
  if (key === 'back') {
    if (shown.at.length > 1 && !env.keyed) return { context: turned(env, offer, context, shown.at.slice(0, -1)) }
    return { to: back as string, context: left(context) }
  }
  return chosen(env, offer, options[key.option], context)
}

function chosen(env: Env, offer: Offering, option: Option | undefined, context: DialogueContext): Move | undefined {
  if (option?.stays) return { context: turned(env, offer, option.choose?.(context) ?? context, [[0, 0]]) }
  const gone = left(context)
  return option && { to: option.to, context: option.choose ? option.choose(gone) : gone }
}

/** The first page, or on the way back the one that was shown; fewer options than then are shown from the first on. */
function arrivedAt(env: Env, offer: Offering, context: DialogueContext): DialogueContext {
  const again = context.again?.at(-1)
  const there = again !== undefined && (again[1] === 0 || again[1] < offer(context).options.length)
  return turned(env, offer, context, there ? (context.again as Shown['at']) : [[0, 0]])
}

/** The context with another page of the same offer before it. */
function turned(env: Env, offer: Offering, context: DialogueContext, at: [number, number][]): DialogueContext {
  const page = layPage(sheetOf(env, offer(context), context), at)
  const shown = { at, n: page.n, more: page.more }
  LAID.set(shown, page.text)
  return { ...context, wrong: 0, shown }
}

function wanted(env: Env, offer: Offer, context: DialogueContext): Want {
  const shown = context.shown ?? { at: [[0, 0]], n: 0, more: false }
  const text =
    context.wrong > 0
      ? relay(sheetOf(env, offer, context), shown, [
          ...saidOfWrong(env, offer, context),
          env.word('invalid-short', context),
        ])
      : (LAID.get(shown) ?? layPage(sheetOf(env, offer, context), shown.at).text)
  return { do: 'ask', text, screen: env.name }
}

/** What stands above the same options after a wrong answer: the longest that has room. */
function saidOfWrong(env: Env, offer: Offer, context: DialogueContext): string[] {
  if (!offer.search) return [env.word('invalid', context)]
  if (context.broken !== NUMBER) return [env.word('no-match', context)]
  const word = env.word('no-number', context)
  return [`${word}\n${offer.title()}`, word]
}

/** The text of a page that has just been laid out: it is asked for next, and again only after a restart. */
const LAID = new WeakMap<Shown, string>()

/** Whether the page shown is the last of a text that ends the dialogue. */
export function ends(offer: Offer, context: DialogueContext): boolean {
  return offer.closing === true && context.shown?.more !== true
}

function sheetOf(env: Env, offer: Offer, context: DialogueContext): ScreenContent {
  return {
    notice: context.notice,
    title: once(offer.title),
    options: offer.options.map((option) => once(option.label)),
    back: offer.back !== undefined,
    keyed: env.keyed,
    closing: offer.closing ?? false,
    words: {
      more: env.word('more', context),
      back: env.word('back', context),
      wrong: env.word('invalid-short', context),
    },
    limit: context.page,
  }
}

/** A line whose whole form is made only once. */
function once(line: LayoutLine): LayoutLine {
  let whole: string | undefined
  return (valueMax) => (valueMax === undefined ? (whole ??= line()) : line(valueMax))
}
