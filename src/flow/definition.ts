/** A flow file: its schema. The kind of a screen is the key that it has. */
import { z } from 'zod'
import type { ConditionSource } from './condition.ts'
import { PATH } from './path.ts'
import { TEXT_KEYS } from './texts.ts'

/** The version of the language that this engine speaks; a part of every revision. */
export const SPEC = 1
/** Screens of one flow: 1,500 compile in some milliseconds; more is a generated file gone wrong. */
export const SCREENS_MAX = 1500
/** Written choices of one menu: more belongs in a list. */
export const CHOICES_MAX = 50
/** Wrong answers in a row before the dialogue ends: somebody who is lost pays for every further minute. */
export const WRONG_MAX_DEFAULT = 5
/** Characters of one answer that are kept. */
export const ANSWER_CHARS_MAX = 160

/** `.` would be a path in a statechart, `#` an id. */
const NAME = /^[a-z][a-z0-9-]*$/

const name = z.string().regex(NAME, 'a name: small letters, digits and hyphens, a letter first')
const language = z.string().regex(/^[a-z]{2,3}(-[A-Za-z0-9]+)*$/, 'a language tag such as en or tpi')
const path = z.string().regex(PATH, 'a dotted path such as data.slots.rows')
const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()])

/** In the first language, with the others in catalogues; or in each language, side by side. */
const text = z.union([z.string().min(1), z.record(language, z.string().min(1))])

const condition: z.ZodType<ConditionSource> = z.lazy(() =>
  z.union([
    z.string().min(1),
    z.strictObject({ and: z.array(condition).min(1) }),
    z.strictObject({ or: z.array(condition).min(1) }),
    z.strictObject({ not: condition }),
  ]),
)

const route = z.union([name, z.strictObject({ to: name, notice: text.optional() })])
const values = z.record(name, scalar)

const choice = z.strictObject({ label: text, to: name, when: condition.optional(), set: values.optional() })
const choices = z.array(choice).max(CHOICES_MAX)

export const SCREENS = {
  menu: z.strictObject({ menu: text, choices: choices.default([]), back: name.optional() }),
  list: z.strictObject({
    list: text,
    from: path,
    row: text,
    to: name,
    as: name.optional(),
    keep: z.array(z.string().min(1)).min(1).optional(),
    choices: choices.default([]),
    empty: name.optional(),
    back: name.optional(),
  }),
  input: z.strictObject({
    input: text,
    to: name,
    as: name.optional(),
    wrong: text.optional(),
    number: z
      .strictObject({
        min: z.number().optional(),
        max: z.number().optional(),
        decimals: z.int().min(0).max(6).default(0),
      })
      .optional(),
    length: z
      .strictObject({
        min: z.int().min(0).default(1),
        max: z.int().min(1).max(ANSWER_CHARS_MAX).default(ANSWER_CHARS_MAX),
      })
      .optional(),
    pattern: z.string().min(1).max(200).optional(),
    name: z.literal(true).optional(),
  }),
  branch: z.strictObject({ branch: z.array(z.strictObject({ if: condition, to: name })).min(1), else: name }),
  set: z.strictObject({ set: values, to: name, notice: text.optional() }),
  call: z.strictObject({
    call: z
      .string()
      .regex(
        /^[a-z][a-z0-9-]*\.[a-zA-Z][a-zA-Z0-9-]*$/,
        'a back end and its operation, such as wallet.balance',
      ),
    with: z.record(z.string().min(1), scalar).optional(),
    as: name.optional(),
    once: z.boolean().default(false),
    timeoutMs: z.int().min(100).max(60_000).optional(),
    expect: z.record(z.string().min(1), z.enum(['text', 'number', 'boolean', 'rows', 'any'])).optional(),
    to: name,
    refused: z.record(name, route).optional(),
    failed: route.optional(),
  }),
  notify: z.strictObject({ notify: text, to: name }),
  end: z.strictObject({ end: text, exit: z.boolean().default(false) }),
  exit: z.strictObject({ exit: z.literal(true) }),
} as const

export type Kind = keyof typeof SCREENS
/** In the order in which the key that decides is looked for: an end may have the key exit. */
export const KINDS = Object.keys(SCREENS) as Kind[]

const format = z.strictObject({
  locale: z.string().min(2).optional(),
  date: z.string().min(1).optional(),
  time: z.string().min(1).optional(),
  timeMinutes: z.string().min(1).optional(),
})

export const FLOW = z.strictObject({
  flow: name,
  /** The version of the language that the file is written in. */
  spec: z.literal(SPEC),
  start: name,
  languages: z
    .array(language)
    .min(1)
    .refine((all) => new Set(all).size === all.length, 'a language stands there twice'),
  zone: z.string().default('UTC'),
  wrongMax: z.int().min(1).max(100).default(WRONG_MAX_DEFAULT),
  formats: z.record(language, format).default({}),
  texts: z.record(language, z.partialRecord(z.enum(TEXT_KEYS), z.string().min(1))).default({}),
  screens: z.record(name, z.unknown()),
})

export const CATALOGUE = z.strictObject({
  language,
  /** Who has to look at it, or did: shown by the check. */
  review: z.string().optional(),
  texts: z.record(z.string().min(1), z.string().min(1)),
})

type Of<K extends Kind> = z.infer<(typeof SCREENS)[K]>

export type Text = z.infer<typeof text>
export type Choice = z.infer<typeof choice>
export type Route = z.infer<typeof route>
export type Scalar = z.infer<typeof scalar>
export type MenuScreen = Of<'menu'> & { kind: 'menu' }
export type ListScreen = Of<'list'> & { kind: 'list' }
export type InputScreen = Of<'input'> & { kind: 'input' }
export type BranchScreen = Of<'branch'> & { kind: 'branch' }
export type SetScreen = Of<'set'> & { kind: 'set' }
export type CallScreen = Of<'call'> & { kind: 'call' }
export type NotifyScreen = Of<'notify'> & { kind: 'notify' }
export type EndScreen = Of<'end'> & { kind: 'end' }
export type ExitScreen = Of<'exit'> & { kind: 'exit' }
export type ScreenDefinition =
  | MenuScreen
  | ListScreen
  | InputScreen
  | BranchScreen
  | SetScreen
  | CallScreen
  | NotifyScreen
  | EndScreen
  | ExitScreen

export type Catalogue = z.infer<typeof CATALOGUE>

export type FlowDefinition = Omit<z.infer<typeof FLOW>, 'screens'> & {
  screens: Record<string, ScreenDefinition>
  /** Translations by language and text. */
  catalogues: Record<string, Record<string, string>>
}

/** The screens that a screen names, with the path of the key that names each. */
export function targetsOf(screen: ScreenDefinition): { to: string; path: (string | number)[] }[] {
  const out: { to: string; path: (string | number)[] }[] = []
  const route = (to: Route | undefined, path: (string | number)[]) => {
    if (typeof to === 'string') out.push({ to, path })
    else if (to) out.push({ to: to.to, path: [...path, 'to'] })
  }
  if (screen.kind === 'menu' || screen.kind === 'list') {
    screen.choices.forEach((item, i) => route(item.to, ['choices', i, 'to']))
    route(screen.back, ['back'])
  }
  if (screen.kind === 'list') route(screen.empty, ['empty'])
  if (screen.kind === 'branch') {
    screen.branch.forEach((item, i) => route(item.to, ['branch', i, 'to']))
    route(screen.else, ['else'])
  }
  if (screen.kind === 'call') {
    for (const [refusal, to] of Object.entries(screen.refused ?? {})) route(to, ['refused', refusal])
    route(screen.failed, ['failed'])
  }
  if ('to' in screen) route(screen.to, ['to'])
  return out
}

/** A kind of screen that asks the subscriber. */
export function asks(screen: ScreenDefinition): boolean {
  return screen.kind === 'menu' || screen.kind === 'list' || screen.kind === 'input'
}
