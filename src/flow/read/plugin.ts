/** An operator's own screen types: files of trusted code, loaded once at the start. */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import { UsageError } from '../../base/index.ts'
import type { PluginType, ScreenPlugin, ScreenTerms } from '../../plugin/index.ts'
import {
  type WrittenScreen,
  BASIC_KINDS,
  SCREENS,
  condition,
  length,
  name,
  number,
  path,
  scalar,
  text,
  values,
  SCREEN_TYPES,
  type Expanded,
  type ScreenType,
  type ScreenTypes,
  type Path,
} from '../language/index.ts'

export type { PluginType }

/** What plug-ins get. */
export const TERMS: ScreenTerms = { z, condition, length, name, number, path, scalar, text, values }

/**
 * The built-in types and those of the files. Throws UsageError with the absolute path of a file that has no valid type.
 */
export async function loadScreenTypes(files: readonly string[]): Promise<ScreenTypes> {
  const types = new Map(SCREEN_TYPES)
  for (const each of files) {
    const file = resolve(each)
    const type = await loaded(file)
    if (types.has(type.name)) throw new UsageError(`screen plug-in ${file}: the type '${type.name}' exists already`)
    types.set(type.name, type)
  }
  return types
}

async function loaded(file: string): Promise<ScreenType> {
  const refused = (why: string) => new UsageError(`screen plug-in ${file} ${why}`)
  const exported = (await import(pathToFileURL(file).href).catch((error: Error) => {
    throw refused(`cannot be loaded: ${error.message}`)
  })) as { screen?: ScreenPlugin }
  if (typeof exported.screen !== 'function') throw refused("exports no function 'screen'")
  try {
    return screenType(exported.screen(TERMS))
  } catch (error) {
    throw refused((error as Error).message)
  }
}

/** The type in the form that the reading of flows uses. Throws if something is wrong with it. */
export function screenType(plugin: PluginType): ScreenType {
  const { schema, expand, place } = plugin
  const key = name.safeParse(plugin.name)
  const keys = (schema as { shape?: Record<string, z.ZodType> } | undefined)?.shape
  if (!key.success) throw new Error(`calls its type '${String(plugin.name)}', which is not a valid name`)
  if (Object.values(SCREENS).some(({ shape }) => Object.hasOwn(shape, key.data)))
    throw new Error(`calls its type '${key.data}', which is a key of a built-in screen`)
  if (!keys || !Object.hasOwn(keys, key.data)) throw new Error(`has a schema without the key '${key.data}'`)
  const silent = Object.keys(keys).find((one) => keys[one]?.description === undefined)
  if (silent !== undefined) throw new Error(`does not say what the key '${silent}' does: add .describe('…')`)
  if (typeof expand !== 'function') throw new Error("has no function 'expand'")
  return {
    name: key.data,
    schema,
    expand: (on, screen, languages) => made(on, expand(on, screen as never, languages), place),
  }
}

function made(on: string, screens: Record<string, object>, place: PluginType['place']): Record<string, Expanded> {
  if (!Object.hasOwn(screens, on)) throw new Error(`expand must return a screen '${on}', and does not`)
  return Object.fromEntries(
    Object.entries(screens).map(([own, screen]): [string, Expanded] => {
      if (!name.safeParse(own).success || (own !== on && !own.startsWith(`${on}-`)))
        throw new Error(`expand returns a screen '${own}': call its further screens '${on}-…'`)
      const expanded: Expanded = { screen: basic(own, screen) }
      return [own, place ? { ...expanded, place: (path: Path) => place(own, path as (string | number)[]) } : expanded]
    }),
  )
}

/** The screen as if the file had it. */
function basic(own: string, screen: object): WrittenScreen {
  const kind = BASIC_KINDS.find((one) => Object.hasOwn(screen, one))
  if (!kind) throw new Error(`expand returns a screen '${own}' of no basic kind (${BASIC_KINDS.join(', ')})`)
  const parsed = SCREENS[kind].safeParse(screen)
  if (parsed.success) return { ...parsed.data, kind } as WrittenScreen
  const [issue] = parsed.error.issues
  throw new Error(`expand returns a wrong ${kind} '${own}': ${issue?.path.join('.')}: ${issue?.message}`)
}
