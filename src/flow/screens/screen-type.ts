/**
 * Types of screens that become basic screens when the file is read: `form`, `sms`, and the types that operators add. So
 * everything that works for basic screens (check, exploring, keys, deep dial, resume, pictures) works for them.
 */
import type { z } from 'zod'
import type { Path } from '../terms/index.ts'
import type { WrittenScreen } from './kinds.ts'

export interface ScreenType {
  /** The key that makes a screen one of this type. */
  name: string
  /** Its keys, each with a description. */
  schema: z.ZodObject
  /**
   * The screens that it becomes in a flow with these languages, by name. One of them has the name of the screen itself.
   * May throw; the message says why.
   */
  expand: (name: string, screen: object, languages: readonly string[]) => Record<string, Expanded>
}

export interface Expanded {
  screen: WrittenScreen
  /** Where a path of the new screen is in the written screen. Default: under the same keys. */
  place?: (path: Path) => Path
}

export type ScreenTypes = ReadonlyMap<string, ScreenType>
