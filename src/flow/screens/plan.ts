/** A compiled screen, and what screens are compiled with. */
import type { DialogueContext, Screen } from '../../../machines/dialogue.ts'
import type { Condition, ConditionSource } from '../expression/index.ts'
import type { Json } from '../../ussd/index.ts'
import type { Want } from '../engine/index.ts'
import type { Text, TextKey } from '../terms/index.ts'
import type { SayText } from '../text/index.ts'

/** Cuts the answer that is kept under a name down to what the flow reads of it. */
export type KeepAnswer = (as: string, data: Json) => Json

/** One screen as a state of the machine, with what it asks of the world. */
export interface Plan extends Screen {
  /** What a dialogue that rests here wants. Throws on a screen that no dialogue rests on. */
  want: (context: DialogueContext) => Want
}

/** What a screen is compiled with. */
export interface Env {
  /** The screen's name. */
  name: string
  text: (text: Text) => SayText
  /** A built-in text, or the flow's own in its place. */
  word: (key: TextKey, context: DialogueContext) => string
  condition: (source: ConditionSource) => Condition
  /** What is kept of a back end's answer. */
  keep: KeepAnswer
  languages: readonly string[]
  /** The flow's time zone. */
  zone: string
  wrongMax: number
  /** Paths of answers that are secret. */
  secrets: ReadonlySet<string>
  /** It, or the next screen that it leads to, changes something: no dialled answer is played here. */
  guarded: boolean
  /** What is chosen on it is remembered: it takes no dialled answer. */
  remembering: boolean
  /** Choices may be typed by their labels. */
  labels: boolean
  /** A key leads back: pages have no line for it. */
  keyed: boolean
  /** One of the screens that a dialogue opens with: nothing to resume. */
  first: boolean
}

/** The screen where too many wrong answers lead. */
export const GOODBYE = '_goodbye'
/** The screen where calls fail to that say nothing else. */
export const BUSY = '_busy'

/** The context when a screen has been left: what belonged to it is gone. */
export function left(context: DialogueContext, notice = ''): DialogueContext {
  // What is left out would stay: a changed context is laid over the one before.
  const { find, again } = context
  return {
    ...context,
    ...(find ? { find: null } : {}),
    ...(again ? { again: null } : {}),
    shown: null,
    notice,
    wrong: 0,
  }
}

/** The context on a screen that asks. A list is resumed where its rows come from; a confirmation, before it. */
export function arrived(context: DialogueContext, env: Env, kind: 'list' | 'menu' | 'input'): DialogueContext {
  const rerun = kind === 'list' && context.via !== '' ? context.via : env.name
  const confirms = env.guarded && kind !== 'input'
  return {
    ...context,
    shown: null,
    wrong: 0,
    failed: false,
    via: '',
    origin: context.gate ?? (confirms ? context.origin : env.first ? '' : rerun),
    dialled: env.guarded || env.remembering || kind === 'input' ? [] : context.dialled,
  }
}

/** What a screen wants that no dialogue rests on. */
export function restless(env: Env): never {
  throw new Error(`a dialogue cannot rest on '${env.name}'`)
}
