/** What is said of a kind of screen: all that the check, the walks, the pictures and the daemon know it by. */
import type { z } from 'zod'
import type { Scalar, Type } from '../expression/index.ts'
import type { DialogueContext, Rested } from '../../../machines/dialogue.ts'
import type { CallOutcome, FlowEvent } from '../engine/index.ts'
import type { Text, TextKey } from '../terms/index.ts'
import type { SayText } from '../text/index.ts'
import type { ExampleDeps, Examples } from './examples.ts'
import type { Measuring, Overfull } from './measure.ts'
import type { Env, Plan } from './plan.ts'
import type { Target } from './routes.ts'
import type { TellUses } from './uses.ts'

/** A kind that a file may have, though it may become others when the file is read. */
export interface WrittenKind<S> {
  /** Its keys, each with what it means. */
  schema: z.ZodObject
  /** The screens that it names. */
  targets(screen: S): Target[]
  /** Its keys that do not go together: told when the file is read. */
  clashes?(screen: S): KeySlip[]
  /** Its texts, conditions and values, told in the order of the file. */
  uses(screen: S, tell: TellUses): void
  /** What it has to be answered is kept under `<root>.<as>`; undefined: nothing. */
  keeps?(screen: S): 'answers' | 'chosen' | 'data' | undefined
  /** What it sets of `vars` on the way that the key at this path names; of any way if there is no path. */
  vars?(screen: S, path?: Target['path']): (Record<string, Scalar> | undefined)[]
}

/**
 * What a dialogue does on a screen: it asks the subscriber, tells something, waits for a back end, passes unseen, or
 * ends.
 */
export type Does = 'ask' | 'tell' | 'call' | 'pass' | 'end'

export interface Useless {
  refusal?: string
  /** Fields that it lacks. */
  lacks?: string[]
}

/** Rows that a screen shows or goes over. */
export interface RowsUsed {
  from: string
  /** The key that says so. */
  key: string
  /** Fields that are kept of the row chosen; undefined: all. */
  keep?: readonly string[] | undefined
  /** Fields that letters are looked for in. */
  search?: readonly string[] | undefined
}

export interface Outcome {
  what: string
  /** What it depends on that made-up data may not bring about; undefined: nothing in particular. */
  only?: string | undefined
}

/** An event on a screen, and where it led at once. */
export interface AnsweredStep {
  name: string
  context: DialogueContext
  event: FlowEvent
  next: Rested
}

/** An event on a screen, and how the flow reads there. */
export interface CoveredStep {
  context: DialogueContext
  event: FlowEvent
  zone: string
  /** A key goes back, not a line. */
  keyed: boolean
  /** Choices may be typed by their words. */
  labels: boolean
  say: (text: Text) => SayText
}

/** Said of a key; `what` goes on from the name of the screen. */
export interface KeySlip {
  path: Target['path']
  what: string
  remedy?: string
}

/** The size of a field of what is kept; '': of itself. */
export interface KeptSize {
  field: string
  /** Characters, at most. */
  chars?: number | undefined
  /** The greatest that a number gets, and its decimals. */
  max?: number | undefined
  decimals?: number | undefined
  /** Of rows: characters of each of their fields. */
  fields?: Record<string, number> | undefined
}

/** A kind that flows are made of once they are read. */
export interface ScreenKind<S> extends WrittenKind<S> {
  does: Does
  /** Ways on which that is kept, besides `to`. */
  keepsOn?(screen: S, path: Target['path']): boolean
  rows?(screen: S): RowsUsed | undefined
  /** Where a screen that asks leads unseen, for want of anything to ask. */
  skips?(screen: S): string | undefined
  /** It changes something in the world. */
  changes?(screen: S): boolean
  /** In a picture: what it shows or does. */
  caption(screen: S, first: (text: Text) => string): string
  /** In a picture: what leads on that way; undefined: what the key says. */
  label?(screen: S, path: Target['path'], first: (text: Text) => string): string | undefined
  /** What is pressed, answered or found on that way; '': what happens when all is well. */
  pressed(screen: S, path: Target['path'], name: string): string
  /** What of it talks cover one by one, besides being there. */
  items?(screen: S): Outcome[]
  /** Which of these items an event covers. */
  covered?(screen: S, step: CoveredStep): string | undefined
  /** What else may come of it: each is a transition of its own. */
  outcomes?(screen: S): Outcome[]
  /** Which of these a dialogue that passes through comes to. */
  passed?(screen: S, zone: string): (context: DialogueContext) => string
  /** Which of these an event led to. */
  answered?(screen: S, step: AnsweredStep): string | undefined
  /** In a statechart: on what condition that way is taken unasked. */
  guard?(screen: S, path: Target['path']): Record<string, unknown> | undefined
  /** Why what came back is no use to it, for those who run it. */
  useless?(screen: S, outcome: CallOutcome): Useless | undefined
  /** What of its keys does not go together. */
  slips?(screen: S, zone: string): KeySlip[]
  /** That there may be nothing to press on it. */
  deadEnd?(screen: S): Overfull | undefined
  /** What does not fit on its page. */
  overfull?(screen: S, page: Measuring): Overfull[]
  /** How large what it keeps may be. */
  sizes?(screen: S): KeptSize[]
  /** Of which type what it keeps is, or a field of it, each time that it says so; undefined: it does not say. */
  types?(screen: S, field: string | undefined): (Type | undefined)[]
  /** The fields that what it keeps is said to have. */
  fields?(screen: S): string[]
  /** All words that what it keeps may be; undefined: any. */
  among?(screen: S): readonly string[] | undefined
  /** The built-in texts that are shown on it. */
  words?(screen: S): TextKey[]
  /** Whether a key for `Back` or `Home` might be an answer here. */
  takes?(screen: S, key: string): boolean
  /** What it is explored with, besides the keys that its page prints. */
  examples?(screen: S, deps: ExampleDeps): Examples
  plan(screen: S, env: Env): Plan
}
