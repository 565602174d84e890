/** What is said of a kind of screen: all that the check, the walks, the pictures and the daemon know it by. */
import type { z } from 'zod'
import type { Scalar } from '../expression/index.ts'
import type { CallOutcome } from '../engine/index.ts'
import type { Text } from '../terms/index.ts'
import type { Env, Plan } from './plan.ts'
import type { Target } from './routes.ts'
import type { TellUses } from './uses.ts'

/** A kind that a file may have, though it may become others when the file is read. */
export interface WrittenKind<S> {
  /** Its keys, each with what it means. */
  schema: z.ZodObject
  /** The screens that it names. */
  targets(screen: S): Target[]
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

/** A kind that flows are made of once they are read. */
export interface ScreenKind<S> extends WrittenKind<S> {
  does: Does
  /** Ways on which that is kept, besides `to`. */
  keepsOn?(screen: S, path: Target['path']): boolean
  /** Where rows come from that it shows or goes over, and the key that says so. */
  rows?(screen: S): { from: string; key: string } | undefined
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
  items?(screen: S): string[]
  /** Why what came back is no use to it, for those who run it. */
  useless?(screen: S, outcome: CallOutcome): Useless | undefined
  plan(screen: S, env: Env): Plan
}
