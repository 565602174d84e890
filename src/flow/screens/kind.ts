/**
 * The interface of a kind of screen: everything that the checks, the explorer, the pictures and the daemon know of it.
 */
import type { z } from 'zod'
import type { ConditionSource, Scalar, Type } from '../expression/index.ts'
import type { DialogueContext, Rested } from '../../../machines/dialogue.ts'
import type { CallOutcome, FlowEvent } from '../engine/index.ts'
import type { RowField, Text, TextKey } from '../terms/index.ts'
import type { SayText } from '../text/index.ts'
import type { CallScreen } from './call.ts'
import type { ExampleDeps, Examples } from './examples.ts'
import type { InputScreen } from './input.ts'
import type { Measuring, Overfull, PickRows, Env, Plan, Target, TellUses } from '../plan/index.ts'

/** A kind that a file may have. It may become other kinds when the file is read. */
export interface WrittenKind<S> {
  /** Its keys, each with what it means. */
  schema: z.ZodObject
  /** The screens that it names. */
  targets(screen: S): Target[]
  /** Keys that exclude each other. Reported when the file is read. */
  clashes?(screen: S): KeySlip[]
  /** Reports its texts, conditions and values, in the order of the file. */
  uses(screen: S, tell: TellUses): void
  /** Its answer is kept under `<root>.<as>`. Undefined: it keeps nothing. */
  keeps?(screen: S): 'answers' | 'chosen' | 'data' | undefined
  /** What it sets of `vars` on the way that the key at this path names; without a path, on any way. */
  vars?(screen: S, path?: Target['path']): (Record<string, Scalar> | undefined)[]
}

/**
 * What a dialogue does on a screen: it asks the subscriber, tells something, waits for a back end, passes without
 * stopping, or ends.
 */
export type Does = 'ask' | 'tell' | 'call' | 'pass' | 'end'

export interface Useless {
  refusal?: string
  /** Expected fields that are missing. */
  lacks?: string[]
}

/** The rows that a screen shows or goes over. */
export interface RowsUsed {
  from: string
  /** The key that names them. */
  key: string
  /** The fields that are kept of the chosen row. Undefined: all. */
  keep?: readonly string[] | undefined
  /** The field that stands for what may be typed instead. */
  stands?: string | undefined
  /** The fields in which letters search. */
  search?: readonly string[] | undefined
  /** The most rows that are shown. Undefined: all that are kept. */
  most?: number | undefined
  /** Only rows for which this holds are shown. */
  where?: ConditionSource | undefined
  /** The field by which they are sorted. */
  sort?: string | undefined
  /** Up to a thousand rows are kept. */
  many?: boolean
  /** The most rows that the flow itself shows. */
  max?: number | undefined
  /** They stand within a text. */
  text?: { shows: Text; row: Text; none: Text | undefined }
}

export interface Outcome {
  what: string
  /** A condition that synthetic data may not meet. Undefined: none in particular. */
  only?: string | undefined
}

/** An event on a screen, and where it led at once. */
export interface AnsweredStep {
  name: string
  context: DialogueContext
  event: FlowEvent
  next: Rested
}

/** An event on a screen, and what the flow says about it. */
export interface CoveredStep {
  context: DialogueContext
  event: FlowEvent
  zone: string
  /** A key goes back, not a numbered line. */
  keyed: boolean
  /** Choices may be typed by their words. */
  labels: boolean
  say: (text: Text) => SayText
}

/** A mistake in a key. `what` continues the name of the screen. */
export interface KeySlip {
  path: Target['path']
  what: string
  remedy?: string
}

/** The size of a field of the kept answer; '' for the answer itself. */
export interface KeptSize {
  field: string
  /** The most characters. */
  chars?: number | undefined
  /** The largest number, and its decimals. */
  max?: number | undefined
  decimals?: number | undefined
  /** For rows: what each field is. */
  fields?: Readonly<Record<string, RowField>> | undefined
}

/** A kind that flows have after reading. */
export interface ScreenKind<S> extends WrittenKind<S> {
  does: Does
  /** Ways on which the answer is kept, besides `to`. */
  keepsOn?(screen: S, path: Target['path']): boolean
  rows?(screen: S): RowsUsed | undefined
  /** The rows of them that are shown in a dialogue, before any search. */
  picks?(screen: S, zone: string): PickRows | undefined
  /** Where a screen that asks leads if there is nothing to ask. */
  skips?(screen: S): string | undefined
  /** It changes something outside the dialogue. */
  changes?(screen: S): boolean
  /** The call that it makes. */
  call?(screen: S): CallScreen
  /** What a subscriber types on it, by which rules. */
  input?(screen: S): InputScreen | undefined
  /** What it shows must fit on one page; or what it sends, into so many SMS. */
  onePage?: true
  /** In a picture: what it shows or does. */
  caption(screen: S, first: (text: Text) => string): string
  /** In a picture: the label of this way. Undefined: the name of the key. */
  label?(screen: S, path: Target['path'], first: (text: Text) => string): string | undefined
  /** What is pressed, answered or found on this way; '' for the normal way. */
  pressed(screen: S, path: Target['path'], name: string): string
  /** The coverage items of the screen, besides the screen itself. */
  items?(screen: S): Outcome[]
  /** The coverage item that an event covers. */
  covered?(screen: S, step: CoveredStep): string | undefined
  /** Other outcomes: each is a transition of its own. */
  outcomes?(screen: S): Outcome[]
  /** The outcome for a dialogue that passes through. */
  passed?(screen: S, zone: string): (context: DialogueContext) => string
  /** The outcome to which an event led. */
  answered?(screen: S, step: AnsweredStep): string | undefined
  /** In a statechart: the condition under which this way is taken without a question. */
  guard?(screen: S, path: Target['path']): Record<string, unknown> | undefined
  /** Why it cannot use the answer, for the operators. */
  useless?(screen: S, outcome: CallOutcome): Useless | undefined
  /** Keys that do not fit together. */
  slips?(screen: S, zone: string): KeySlip[]
  /** Reports that there may be nothing to press on it. */
  deadEnd?(screen: S): Overfull | undefined
  /** Reports what does not fit on its page. */
  overfull?(screen: S, page: Measuring): Overfull[]
  /** How large its kept answer can be. */
  sizes?(screen: S): KeptSize[]
  /** The types of its kept answer, or of a field of it, one for each declaration; undefined: not declared. */
  types?(screen: S, field: string | undefined): (Type | undefined)[]
  /** The fields that its kept answer is declared to have. */
  fields?(screen: S): string[]
  /** All words that its kept answer may be. Undefined: any. */
  among?(screen: S): readonly string[] | undefined
  /** The built-in texts that it may show. */
  words?(screen: S): TextKey[]
  /** Whether a key for `Back` or `Home` could be an answer here. */
  takes?(screen: S, key: string): boolean
  /** The examples with which it is explored, besides the keys that its page prints. */
  examples?(screen: S, deps: ExampleDeps): Examples
  plan(screen: S, env: Env): Plan
}
