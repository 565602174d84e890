/** The back ends of a configuration: named there, addressed there, guarded alike. */
import { isAbsolute, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ProblemsError, type Problem } from '../errors.ts'
import { nearest } from '../nearest.ts'
import type { Resolve } from './address.ts'
import { guard, type GuardParts } from './guard.ts'
import { httpBackend, type HttpSettings } from './http.ts'
import { moduleBackend } from './module.ts'
import type { Backend, BackendModule } from './types.ts'

export type BackendSettings =
  | { module: string; settings?: Record<string, unknown> }
  | { http: HttpSettings }

/** Makes a built-in module; throws ProblemsError if its settings are wrong. */
export type MakeModule = (settings: Record<string, unknown>) => BackendModule

export interface BackendParts extends GuardParts {
  /** The modules that the daemon has built in, by name. */
  modules: Record<string, MakeModule>
  /** Where a path to a module starts. */
  folder: string
  resolve?: Resolve
}

/**
 * All of them, by name. Throws ProblemsError with all that is wrong: an unknown module, a file without `backend`, wrong
 * settings. A module file exports `backend`: a BackendModule, or a function that makes one of its settings.
 */
export async function backends(
  settings: Readonly<Record<string, BackendSettings>>, parts: BackendParts,
): Promise<ReadonlyMap<string, Backend>> {
  const made = new Map<string, Backend>()
  const problems: Problem[] = []
  for (const [name, one] of Object.entries(settings)) {
    try {
      const plain = 'http' in one ? httpBackend(name, one.http, parts) : moduleBackend(name, await load(name, one, parts))
      made.set(name, guard(plain, parts, 'http' in one ? one.http.concurrent : undefined))
    } catch (error) {
      if (!(error instanceof ProblemsError)) throw error
      problems.push(...error.problems)
    }
  }
  if (problems.length) {
    await Promise.all([...made.values()].map((backend) => backend.close?.()))
    throw new ProblemsError('back ends', problems)
  }
  return made
}

type ModuleSettings = Extract<BackendSettings, { module: string }>

async function load(name: string, { module, settings = {} }: ModuleSettings, parts: BackendParts): Promise<BackendModule> {
  const make = Object.hasOwn(parts.modules, module) ? parts.modules[module] : undefined
  if (make) return make(settings)
  const where = `backends.${name}.module`
  if (!/[./\\]/.test(module)) {
    const remedy = nearest(module, Object.keys(parts.modules)) ?? `there is ${Object.keys(parts.modules).join(', ')}; a file needs ./`
    throw new ProblemsError(where, [{ where, what: `there is no module '${module}'`, remedy }])
  }
  const file = isAbsolute(module) ? module : resolve(parts.folder, module)
  const given = await importFrom(file, where)
  const backend: unknown = typeof given === 'function' ? given(settings) : given
  if (isModule(backend)) return backend
  const remedy = 'export const backend = { operations: { name: async (args, context) => data } }'
  throw new ProblemsError(where, [{ where, what: `'${module}' exports no back end`, remedy }])
}

async function importFrom(file: string, where: string): Promise<unknown> {
  try {
    return ((await import(pathToFileURL(file).href)) as { backend?: unknown }).backend
  } catch (error) {
    throw new ProblemsError(where, [{ where, what: `cannot load ${file}: ${(error as Error).message}` }])
  }
}

function isModule(given: unknown): given is BackendModule {
  const operations = (given as { operations?: unknown } | null)?.operations
  return operations !== null && typeof operations === 'object' && Object.values(operations).every((one) => typeof one === 'function')
}
