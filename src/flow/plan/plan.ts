/** A compiled screen, and what screens are compiled with. */
import type { DialogueContext, Screen } from '../../../machines/dialogue.ts'
import type { Condition, ConditionSource } from '../expression/index.ts'
import type { Json, JsonObject } from '../../ussd/index.ts'
import type { Want } from '../engine/index.ts'
import type { Text, TextKey } from '../terms/index.ts'
import type { SayText } from '../text/index.ts'

/** Reduces the answer that is kept under a name to what the flow reads of it. */
export type KeepAnswer = (as: string, data: Json) => Json

/** One screen as a state of the machine, with what it asks for. */
export interface Plan extends Screen {
  /** What a dialogue that rests here wants. Throws on a screen where no dialogue rests. */
  want: (context: DialogueContext) => Want
  /** The key as it stands on the screen, if the answer is one of its choices. Absent: the screen has none. */
  choice?: (context: DialogueContext, answer: string) => string | undefined
  /** The arguments of the SMS for who leaves here. Absent: there is none. */
  ifLeft?: (context: DialogueContext) => JsonObject
}

/** What a screen is compiled with. */
export interface Env {
  /** The screen's name. */
  name: string
  text: (text: Text) => SayText
  /** A built-in text, or the flow's own text in its place. */
  word: (key: TextKey, context: DialogueContext) => string
  condition: (source: ConditionSource) => Condition
  /** Decides what is kept of a back end's answer. */
  keep: KeepAnswer
  languages: readonly string[]
  /** The flow's time zone. */
  zone: string
  wrongMax: number
  /** Paths of secret answers. */
  secrets: ReadonlySet<string>
  /** This screen, or the next one that it leads to, changes something: no dialled answer is played here. */
  guarded: boolean
  /** What is chosen here is stored for later dialogues: no dialled answer is played here. */
  remembering: boolean
  /** Choices may be typed by their labels. */
  labels: boolean
  /** A key leads back: pages have no line for it. */
  keyed: boolean
  /** A dialogue opens with this screen: there is nothing to resume. */
  first: boolean
  /** The screen of `home`, or the first that is shown from there: the key for `Home` leads nowhere. */
  home: boolean
}

/** The screen to which too many wrong answers lead. */
export const GOODBYE = '_goodbye'
/** The screen to which a failed call leads if it names no other. */
export const BUSY = '_busy'

/** The context after a screen was left, without what belonged to that screen. */
export function left(context: DialogueContext, notice = ''): DialogueContext {
  // A key that is absent would keep its value: the changed context is merged into the previous one.
  const gone = { ...context, shown: null, notice, wrong: 0 }
  if (gone.find) gone.find = null
  if (gone.again) gone.again = null
  return gone
}

/** What a screen asks for, as far as it decides how a lost dialogue is resumed and which dialled answers are played. */
export type Asks = 'a choice' | 'a row of an answer' | 'free text'

/**
 * The context on a screen that asks. One that shows rows is resumed at the call that gives them; a confirmation, at the
 * screen before it.
 */
export function arrived(context: DialogueContext, env: Env, asks: Asks): DialogueContext {
  const rerun = asks === 'a row of an answer' && context.via !== '' ? context.via : env.name
  const confirms = env.guarded && asks !== 'free text'
  return {
    ...context,
    shown: null,
    wrong: 0,
    failed: false,
    via: '',
    origin: context.gate ?? (confirms ? context.origin : env.first ? '' : rerun),
    dialled: env.guarded || env.remembering || asks === 'free text' ? [] : context.dialled,
  }
}

/** The `want` of a screen where no dialogue rests. */
export function restless(env: Env): never {
  throw new Error(`a dialogue cannot rest on '${env.name}'`)
}
