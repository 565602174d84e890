/** Screens that offer numbered options: menus, lists, long texts, and the offer to resume. */
import type { DialogueContext, DialogueEvent, Move, Shown } from '../../../machines/dialogue.ts'
import { LastFew } from '../../base/index.ts'
import { trimAnswer } from '../../ussd/index.ts'
import { labelNamed, readPath } from '../expression/index.ts'
import {
  keyLines,
  layPage,
  lookUp,
  onceWhole,
  pageFor,
  relay,
  roomAbove,
  type LayoutLine,
  type Many,
  type Page,
  type ScreenContent,
  type Want,
} from '../engine/index.ts'
import { ROWS_SLOT } from '../text/index.ts'
import { GOODBYE, left, type Env, type Plan } from './plan.ts'

/** What is offered in a context. The same context gives the same offer. */
export interface Offer {
  title: LayoutLine
  /** The title has lines of rows. */
  lines?: boolean | undefined
  options: Many<Option>
  /** Options with keys of their own, on every page under the numbered ones. */
  fixed?: readonly KeyedOption[] | undefined
  /** Where the screen's own `Back` leads. */
  back?: string | undefined
  /** The context with the options narrowed by what was typed. Undefined if none is left. */
  search?: ((context: DialogueContext, typed: string) => DialogueContext | undefined) | undefined
  /** What is typed in place of a number: the way on, or the check that it breaks; and what is said of a wrong one. */
  typed?: TypedOffer | undefined
  /** The text ends the dialogue: its last page has no options. */
  closing?: boolean | undefined
  /** Only for an offer that is remembered: its pages without a notice, by page limit and place. */
  laid?: Laid[]
}

interface Laid {
  septets: number
  ucs2: number
  shown: Shown
  page: Page
}

interface TypedOffer {
  read: (context: DialogueContext, answer: string) => Move | { broken: number | undefined }
  complaint: (context: DialogueContext) => string
}

type Offering = (context: DialogueContext) => Offer

/** The paths of the values on which an offer depends, beside language, time and search. Undefined: perhaps on any. */
export type OfferReads = readonly string[] | undefined

/** The same offer as long as nothing changes on which it depends: a turn, and a walk, ask for it again and again. */
function remembering(offer: Offering, reads: OfferReads): Offering {
  if (!reads) return offer
  // A row is a part of the rows, which are among the paths.
  const read = reads.filter((path) => path !== ROWS_SLOT && !path.startsWith('row.'))
  const paths = [...new Set(read.map((path) => path.split('.').slice(0, 2).join('.')))]
  return paths.length === 0 ? oncePerLanguage(offer) : oncePerValues(offer, paths)
}

/** There are few languages: those of the flow. For any other, the flow's first language is shown. */
function oncePerLanguage(offer: Offering): Offering {
  const offers = new Map<string, Offer>()
  return ({ language }) => {
    const made = offers.get(language) ?? kept(offer({ language } as DialogueContext))
    offers.set(language, made)
    return made
  }
}

/** The last ones, by the values on which they depend. Values are not changed in place. */
function oncePerValues(offer: Offering, paths: readonly string[]): Offering {
  return (context) => {
    // A turn asks several times: what is remembered is found without a list of the values.
    const scope = { context }
    const holder = holderIn(scope, paths) ?? context.data
    for (const one of RECENT.held)
      if (one.holder === holder && one.offer === offer && isOn(one, scope, paths)) return one.made
    const { language, now, find } = context
    const made = kept(offer(context))
    const values = paths.map((path) => readPath(scope, path))
    RECENT.add({ offer, holder, language, now, find: find || '', values, made })
    return made
  }
}

/** Of all screens: a turn asks for the offers of two, the explorer for those of all to which a screen leads. */
const RECENT = new LastFew<Remembered>(32)

type Reading = { context: DialogueContext }

/** An offer, and all on which it depends. */
interface Remembered {
  offer: Offering
  /** It is compared first: each turn reads its own from the store. */
  holder: object
  language: string
  now: string | undefined
  find: string
  values: readonly unknown[]
  made: Offer
}

/** The first of the values that is an object. */
function holderIn(scope: Reading, paths: readonly string[]): object | undefined {
  for (const path of paths) {
    const value = readPath(scope, path)
    if (typeof value === 'object' && value !== null) return value
  }
  return undefined
}

function isOn(on: Remembered, scope: Reading, paths: readonly string[]): boolean {
  const { language, now, find } = scope.context
  if (on.language !== language || on.now !== now || on.find !== (find || '')) return false
  for (let i = 0; i < paths.length; i++) if (on.values[i] !== readPath(scope, paths[i]!)) return false
  return true
}

/** An offer of which nothing is written or laid out twice. In one literal: see `paperOf` in layout.ts. */
function kept({ title, lines, options, fixed, back, search, typed, closing }: Offer): Offer {
  const written = eachOnce(options, writtenOnce)
  return { title: onceWhole(title), lines, options: written, fixed, back, search, typed, closing, laid: [] }
}

/** Each as `make` makes it, when it is asked for first. */
function eachOnce<From, To extends object>(from: Many<From>, make: (one: From) => To): Many<To> {
  const made: To[] = []
  const { length } = from
  return { length, at: (i) => (i < length ? (made[i] ??= make(from.at(i)!)) : undefined) }
}

function writtenOnce({ label, to, stays, choose }: Option): Option {
  return { label: onceWhole(label), to, stays, choose }
}

export interface Option {
  label: LayoutLine
  to: string
  /** The option changes what is offered, and the screen stays. */
  stays?: boolean | undefined
  /** What choosing it changes. */
  choose?: ((context: DialogueContext) => DialogueContext) | undefined
}

/** An option with a key of its own in place of a number. */
export type KeyedOption = Option & { key: string }

/**
 * The functions of a screen with this offer. `arrive` prepares the context; dialled answers are played on it. `reads`:
 * what the offer depends on, if it may be remembered.
 */
export function offering(
  env: Env,
  made: Offering,
  arrive: (context: DialogueContext) => DialogueContext,
  reads?: OfferReads,
): Required<Pick<Plan, 'arrive' | 'answer' | 'pass' | 'want' | 'choice'>> {
  const offer = remembering(made, reads)
  return {
    arrive: (context) => arrivedAt(env, offer, arrive(context)),
    answer: (context, event) => (event.type === 'ANSWER' ? answered(env, offer, context, event) : undefined),
    pass: (context) => dialled(env, offer, context),
    want: (context) => wanted(env, offer, context),
    choice: (context, answer) => choiceOf(env, offer(context), context, trimAnswer(answer)),
  }
}

function answered(
  env: Env,
  offer: Offering,
  context: DialogueContext,
  event: DialogueEvent & { type: 'ANSWER' },
): Move | undefined {
  const offered = offer(context)
  if (ends(offered, context)) return undefined
  const move = pressed(env, offer, offered, context, event.text)
  if (move) return move
  const typed = offered.typed?.read(context, event.text)
  if (typed && 'context' in typed) return typed
  const wrong = context.wrong + 1
  // The machine merges contexts: a key that is absent would keep its value.
  const broken = typed ? typed.broken : offered.search && !hasLetters(event.text) ? NUMBER : undefined
  return wrong >= env.wrongMax ? { to: GOODBYE, context: left(context) } : { context: { ...context, wrong, broken } }
}

/** The index of a list's built-in check: a number must be one of those shown. */
const NUMBER = 0

function hasLetters(answer: string): boolean {
  return /\p{L}/u.test(answer)
}

/** Plays the next dialled answer. An answer that has no meaning here ends the playing; the subscriber sees no error. */
function dialled(env: Env, offer: Offering, context: DialogueContext): Move | undefined {
  const [next] = context.dialled
  if (next === undefined || ends(offer(context), context)) return undefined
  const after = { ...context, dialled: context.dialled.slice(1) }
  return pressed(env, offer, offer(after), after, next) ?? { context: { ...context, dialled: [] } }
}

/** `offered`: the offer in this context. */
function pressed(
  env: Env,
  offer: Offering,
  offered: Offer,
  context: DialogueContext,
  answer: string,
): Move | undefined {
  const { options, fixed = [], back, search } = offered
  const shown = context.shown
  const own = fixed.find((option) => option.key === trimAnswer(answer))
  if (own && shown) return chosen(env, offer, own, context)
  const key = shown && lookUp(shown, back !== undefined, trimAnswer(answer), env.keyed)
  if (!key && search) {
    const found = shown && hasLetters(answer) ? search(context, answer) : undefined
    return found && { context: turned(env, offer, found, [[0, 0]]) }
  }
  if (!key) {
    const all = env.labels && shown ? allOf(offered) : []
    const named = labelNamed(labelsOf(all), answer)
    return named === undefined ? undefined : chosen(env, offer, all[named], context)
  }
  if (key === 'more') {
    const { next } = pageShown(offered, context, shown) ?? layPage(sheetOf(env, offered, context), shown.at)
    return { context: turned(env, offer, context, [...shown.at, next]) }
  }
  if (key === 'back') {
    if (shown.at.length > 1 && !env.keyed) return { context: turned(env, offer, context, shown.at.slice(0, -1)) }
    return { to: back as string, context: left(context) }
  }
  return chosen(env, offer, options.at(key.option), context)
}

/** As `pressed`, without what follows from it. A label that was typed counts as its number. */
function choiceOf(env: Env, offer: Offer, { shown }: DialogueContext, answer: string): string | undefined {
  const { options, fixed = [], back, search } = offer
  if (!shown) return undefined
  if (fixed.some(({ key }) => key === answer) || lookUp(shown, back !== undefined, answer, env.keyed)) return answer
  const all = env.labels && !search ? allOf(offer) : []
  const named = labelNamed(labelsOf(all), answer)
  return named === undefined ? undefined : (fixed[named - options.length]?.key ?? String(named + 1))
}

/** All options, those with numbers first. */
function allOf({ options, fixed = [] }: Offer): Option[] {
  return [...Array.from({ length: options.length }, (_, i) => options.at(i)!), ...fixed]
}

function labelsOf(options: readonly Option[]): string[] {
  return options.map(({ label }) => label())
}

function chosen(env: Env, offer: Offering, option: Option | undefined, context: DialogueContext): Move | undefined {
  if (option?.stays) return { context: turned(env, offer, option.choose?.(context) ?? context, [[0, 0]]) }
  const gone = left(context)
  return option && { to: option.to, context: option.choose ? option.choose(gone) : gone }
}

/**
 * The first page; on the way back, the page that was shown. If there are fewer options than before, the first page
 * again.
 */
function arrivedAt(env: Env, offer: Offering, context: DialogueContext): DialogueContext {
  const again = context.again?.at(-1)
  const there = again !== undefined && (again[1] === 0 || again[1] < offer(context).options.length)
  return turned(env, offer, context, there ? (context.again as Shown['at']) : [[0, 0]])
}

/** The context with another page of the same offer. */
function turned(env: Env, offer: Offering, context: DialogueContext, at: [number, number][]): DialogueContext {
  return { ...context, wrong: 0, shown: pageAt(env, offer(context), context, at) }
}

/** A page without a notice is laid out once. */
function pageAt(env: Env, offer: Offer, context: DialogueContext, at: Shown['at']): Shown {
  const known = laidBefore(offer, context, at)
  if (known) return known.shown
  const page = layPage(sheetOf(env, offer, context), at)
  const { septets, ucs2 } = context.page
  const laid = { septets, ucs2, shown: { at, n: page.n, more: page.more }, page }
  if (offer.laid && context.notice === '' && offer.laid.length < LAID_MAX) offer.laid.push(laid)
  else lastLaid = laid
  return laid.shown
}

function laidBefore({ laid }: Offer, { notice, page }: DialogueContext, at: Shown['at']): Laid | undefined {
  if (!laid || notice !== '') return undefined
  for (const one of laid)
    if (one.septets === page.septets && one.ucs2 === page.ucs2 && isSamePlace(one.shown.at, at)) return one
  return undefined
}

/** What was laid out for what is shown. Undefined if it must be laid out again, as after a restart. */
function pageShown(offer: Offer, context: DialogueContext, shown: Shown): Page | undefined {
  if (lastLaid?.shown === shown) return lastLaid.page
  return laidBefore(offer, context, shown.at)?.page
}

/** The page that no offer remembers and that was laid out last: it is asked for next. */
let lastLaid: Laid | undefined

function isSamePlace(one: Shown['at'], other: Shown['at']): boolean {
  return one.length === other.length && one.every(([from, first], i) => other[i]![0] === from && other[i]![1] === first)
}

const labelOnce = ({ label }: Option) => ({ label: onceWhole(label) })

/** The most pages of an offer to remember. The dialects of the lines have only a few page limits. */
const LAID_MAX = 50

function wanted(env: Env, offer: Offering, context: DialogueContext): Want {
  const shown = context.shown ?? NOTHING_SHOWN
  const offered = offer(context)
  const laid = context.wrong > 0 ? undefined : pageShown(offered, context, shown)
  const text = laid?.text ?? written(env, offered, context, shown)
  const under = linesUnder(offered, context)
  return { do: 'ask', text: under.length === 0 ? text : [text, ...under].join('\n'), screen: env.name }
}

/** The lines with keys of their own. */
function linesUnder({ fixed = [] }: Offer, context: DialogueContext): string[] {
  return fixed.length === 0 ? [] : keyLines(fixed, pageFor(context))
}

const NOTHING_SHOWN: Shown = { at: [[0, 0]], n: 0, more: false }

function written(env: Env, offer: Offer, context: DialogueContext, shown: Shown): string {
  const sheet = sheetOf(env, offer, context)
  if (context.wrong === 0) return layPage(sheet, shown.at).text
  return relay(sheet, shown, [...saidOfWrong(env, offer, context), env.word('invalid-short', context)])
}

/** The texts that may stand above the same options after a wrong answer, the longest first. */
function saidOfWrong(env: Env, offer: Offer, context: DialogueContext): string[] {
  const said = offer.typed?.complaint(context)
  if (said !== undefined) return [`${said}\n${offer.title()}`, said]
  if (!offer.search) return [env.word('invalid', context)]
  if (context.broken !== NUMBER) return [env.word('no-match', context)]
  const word = env.word('no-number', context)
  return [`${word}\n${offer.title()}`, word]
}

/** Whether the page shown is the last page of a text that ends the dialogue. */
export function ends(offer: Offer, context: DialogueContext): boolean {
  return offer.closing === true && context.shown?.more !== true
}

/** An offer that is remembered writes each line once; any other does so for this sheet. */
function sheetOf(env: Env, offer: Offer, context: DialogueContext): ScreenContent {
  const { title, options, laid } = offer
  return {
    notice: context.notice,
    title: laid ? title : onceWhole(title),
    lines: offer.lines ?? false,
    options: laid ? options : eachOnce(options, labelOnce),
    back: offer.back !== undefined,
    keyed: env.keyed,
    closing: offer.closing ?? false,
    isTyped: offer.typed !== undefined,
    words: {
      more: env.word('more', context),
      back: env.word('back', context),
      wrong: env.word('invalid-short', context),
    },
    limit: roomAbove(linesUnder(offer, context), pageFor(context)),
  }
}
