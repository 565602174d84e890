/** An operator's own type of screen: what a file exports as `screen`. */
import type { z } from 'zod'

/** What custom screen types are made of: zod, and the terms of the built-in kinds. */
export interface ScreenTerms {
  readonly z: typeof z
  /** A condition as in `when`: `data.rows empty`, `{ and: […] }`. */
  readonly condition: z.ZodType
  /** `{ min, max }`: characters of an answer. */
  readonly length: z.ZodType
  /** The name of a screen, a variable or a language: small letters, digits and hyphens. */
  readonly name: z.ZodType<string, string>
  /** `{ min, max, decimals }` of an answer. */
  readonly number: z.ZodType
  /** A dotted path such as data.slots.rows. */
  readonly path: z.ZodType<string, string>
  /** A value. `{path}` is filled in; a value that begins with `=` is computed. */
  readonly scalar: z.ZodType<string | number | boolean | null>
  /** A text for the subscriber: in the first language, or in each language. */
  readonly text: z.ZodType<string | Record<string, string>>
  /** `{ name: value }`. */
  readonly values: z.ZodType<Record<string, string | number | boolean | null>>
}

/** What a file exports as `screen`: a function that gets the terms. */
export type ScreenPlugin = (terms: ScreenTerms) => PluginType

export interface PluginType {
  /** The key that makes a screen one of this type. It must not be a key of a built-in screen. */
  name: string
  /** `z.strictObject` with that key. Each key needs `.describe()`: `check` and editors show it. */
  schema: z.ZodObject
  /**
   * Pure. The screens that it becomes in a flow with these languages, as a file would have them. One of them is called
   * `name`. If it throws, the flow is refused.
   */
  expand: (name: string, screen: never, languages: readonly string[]) => Record<string, object>
  /** Where a key of a new screen is in the written screen, such as `['of', 2]`. Default: under the same keys. */
  place?: (made: string, path: (string | number)[]) => (string | number)[]
}
