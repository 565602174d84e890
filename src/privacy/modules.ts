/**
 * Asks the modules of back ends one after the other. A module that fails or takes too long does not stop the others.
 */
import type { BackendModule } from '../backend/index.ts'
import type { Clock } from '../ussd/index.ts'

export interface PersonalModule {
  /** The name by which flows call it. */
  name: string
  module: Pick<BackendModule, 'subscriber' | 'purge'>
}

export interface ModuleFailure {
  backend: string
  why: string
}

/**
 * The time limit of one module. 5,000 rows of a table take seconds, and a module that hangs must not delay the others.
 */
export const MODULE_MS = 60_000

export interface AskingModules {
  modules: readonly PersonalModule[]
  clock: Pick<Clock, 'after'>
  /** Aborted: no further module is asked. */
  stop?: AbortSignal | undefined
}

/** `ask` returns undefined for a module without this hook. */
export async function askModules<Answer>(
  { modules, clock, stop }: AskingModules,
  ask: (module: PersonalModule['module'], signal: AbortSignal) => Promise<Answer | undefined> | undefined,
): Promise<{ answers: { backend: string; answer: Answer }[]; failed: ModuleFailure[] }> {
  const answers: { backend: string; answer: Answer }[] = []
  const failed: ModuleFailure[] = []
  for (const { name: backend, module } of modules) {
    if (stop?.aborted) break
    try {
      const answer = await inTime(async (signal) => ask(module, signal), clock, stop)
      if (answer !== undefined) answers.push({ backend, answer })
    } catch (error) {
      failed.push({ backend, why: error instanceof Error ? error.message : String(error) })
    }
  }
  return { answers, failed }
}

/** Aborts the module's signal at the time limit. The module may run on, but nobody waits for it. */
async function inTime<T>(
  run: (signal: AbortSignal) => Promise<T>,
  clock: Pick<Clock, 'after'>,
  stop: AbortSignal | undefined,
): Promise<T> {
  const own = new AbortController()
  const givenUp = new Promise<never>((_, fail) => {
    own.signal.addEventListener('abort', () => fail(own.signal.reason as Error), { once: true })
  })
  const cancel = clock.after(MODULE_MS, () => own.abort(new Error(`not done after ${MODULE_MS} ms`)))
  const onStop = () => own.abort(new Error('the daemon stops'))
  stop?.addEventListener('abort', onStop, { once: true })
  try {
    return await Promise.race([run(own.signal), givenUp])
  } finally {
    cancel()
    stop?.removeEventListener('abort', onStop)
  }
}
