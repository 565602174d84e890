/** Turns screens of a type into basic screens. Their places point to what was written. */
import type { Problem } from '../../base/index.ts'
import type { Expanded, ScreenTypes, WrittenScreen } from '../screens/index.ts'
import type { Path } from '../terms/index.ts'
import type { Yaml } from './source.ts'

/**
 * The screens with all types replaced, and the places of what they became. A broken screen is undefined and stays so.
 */
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
      if (clash)
        complain(
          `${type.name} '${name}' makes a screen '${made}', and the flow has one of that name too`,
          'rename the screen of the flow',
        )
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
