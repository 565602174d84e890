/**
 * Types of screens that become basic ones when the file is read: `form`, `sms`, and those that operators add. So
 * whatever holds for basic screens (check, walk, keys, deep dial, resume, pictures) holds for them.
 */
import type { z } from 'zod'
import type { Path } from '../terms/index.ts'
import type { WrittenScreen } from './kinds.ts'

export interface ScreenType {
  /** The key by which a screen is one of this type. */
  name: string
  /** Its keys, each with a description. */
  schema: z.ZodObject
  /**
   * The screens that it becomes in a flow of these languages, by name; one is called like the screen itself. May throw:
   * why.
   */
  expand: (name: string, screen: object, languages: readonly string[]) => Record<string, Expanded>
}

export interface Expanded {
  screen: WrittenScreen
  /** Where a path of the new screen stands in the one that is written. Without it: there under the same keys. */
  place?: (path: Path) => Path
}

export type ScreenTypes = ReadonlyMap<string, ScreenType>
