/**
 * Types of screens that become basic ones when the file is read: `form`, `sms`, and those that operators add. So
 * whatever holds for basic screens (check, walk, keys, deep dial, resume, pictures) holds for them.
 */
import type { z } from 'zod'
import type { Problem } from '../../base/index.ts'
import type { WrittenScreen } from './definition.ts'
import { formScreen } from './form.ts'
import { languageScreen } from './language-screen.ts'
import { smsScreen } from './sms-screen.ts'
import type { Path, Yaml } from './source.ts'

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

/** Those that come along. */
export const SCREEN_TYPES: ScreenTypes = new Map(
  [formScreen, smsScreen, languageScreen].map((type) => [type.name, type]),
)

/** The screens with all types laid out, and the places of what they became. Broken ones are undefined, and stay so. */
export function layTypes(
  written: Record<string, WrittenScreen>,
  how: { yaml: Yaml; types: ScreenTypes; problems: Problem[]; languages: readonly string[] },
): { screens: Record<string, WrittenScreen>; yaml: Yaml } {
  const { yaml, types, problems, languages } = how
  const screens: Record<string, WrittenScreen> = {}
  const origins = new Map<string, { name: string; place: (path: Path) => Path }>()
  for (const [name, screen] of Object.entries(written)) {
    const type = types.get((screen as WrittenScreen | undefined)?.kind ?? '')
    if (!type) {
      screens[name] = screen
      continue
    }
    const complain = (what: string, remedy?: string) =>
      void problems.push({ where: yaml.at(['screens', name]), what, ...(remedy === undefined ? {} : { remedy }) })
    const { kind: _kind, ...keys } = screen
    const laid = expanded(
      () => type.expand(name, keys, languages),
      (why) => complain(`screen '${name}': ${why}`),
    )
    for (const [made, { screen: basic, place = (path: Path) => path }] of Object.entries(laid)) {
      const clash = made !== name && (Object.hasOwn(written, made) || origins.has(made))
      if (clash) complain(`${type.name} '${name}' has a screen '${made}' of its own`, 'rename the other')
      screens[made] = basic
      origins.set(made, { name, place })
    }
  }
  const where = ([root, made, ...path]: Path): Path => {
    const origin = root === 'screens' ? origins.get(String(made)) : undefined
    if (origin) return ['screens', origin.name, ...origin.place(path)]
    return root === undefined ? [] : made === undefined ? [root] : [root, made, ...path]
  }
  return {
    screens,
    yaml: { ...yaml, at: (path, inside) => yaml.at(where(path), inside), keyAt: (path) => yaml.keyAt(where(path)) },
  }
}

function expanded(expand: () => Record<string, Expanded>, complain: (what: string) => void): Record<string, Expanded> {
  try {
    return expand()
  } catch (error) {
    complain((error as Error).message)
    return {}
  }
}
