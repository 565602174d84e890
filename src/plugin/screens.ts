/** A type of screen of an operator's own: what a file exports as `screen`. */
import type { z } from 'zod'

/** What screens of a type of one's own are made of: zod, and the terms that the built-in kinds are made of. */
export interface ScreenTerms {
  readonly z: typeof z
  /** As in `when`: `data.rows empty`, `{ and: […] }`. */
  readonly condition: z.ZodType
  /** `{ min, max }` characters of an answer. */
  readonly length: z.ZodType
  /** Of a screen, a variable, a language: small letters, digits and hyphens. */
  readonly name: z.ZodType<string, string>
  /** `{ min, max, decimals }` of an answer. */
  readonly number: z.ZodType
  /** A dotted path such as data.slots.rows. */
  readonly path: z.ZodType<string, string>
  /** A value; `{path}` is put in, and what begins with `=` is worked out. */
  readonly scalar: z.ZodType<string | number | boolean | null>
  /** What a subscriber reads: in the first language, or in each. */
  readonly text: z.ZodType<string | Record<string, string>>
  /** `{ name: value }`. */
  readonly values: z.ZodType<Record<string, string | number | boolean | null>>
}

/** What a file exports as `screen`: a function that is given the terms. */
export type ScreenPlugin = (terms: ScreenTerms) => PluginType

export interface PluginType {
  /** The key by which a screen is one of this type; no key of a built-in screen. */
  name: string
  /** `z.strictObject` with that key, each key with `.describe()`: it is what `check` and editors say. */
  schema: z.ZodObject
  /**
   * Pure. The screens that it becomes in a flow of these languages, as a file would have them; one is called `name`.
   * What it throws refuses the flow.
   */
  expand: (name: string, screen: never, languages: readonly string[]) => Record<string, object>
  /** Where a key of a new screen stands in the written one, as `['of', 2]`. Without it: under the same keys. */
  place?: (made: string, path: (string | number)[]) => (string | number)[]
}
