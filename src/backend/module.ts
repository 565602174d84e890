/** A back end in the daemon itself: a table of async functions. */
import { sqlState } from '../base/index.ts'
import { isRefusalName } from '../ussd/index.ts'
import { Refusal, type Backend, type BackendModule, type CallResult } from './types.ts'

/** A back end with this name. An exception is `down`; no answer by the deadline is `late`. */
export function moduleBackend(name: string, module: BackendModule): Backend {
  return {
    name,
    async call(operation, args, context) {
      const run = Object.hasOwn(module.operations, operation) ? module.operations[operation] : undefined
      if (!run) return { is: 'failed', why: 'refused-call', detail: `back end ${name} has no operation '${operation}'` }
      try {
        return await inTime(run(args, context), context.signal)
      } catch (error) {
        return { is: 'failed', why: 'down', detail: `${operation}: ${describe(error)}` }
      }
    },
    async ended(epoch, reason) {
      await module.ended?.(epoch, reason)
    },
  }
}

/** What it answers, or that it is late. */
function inTime(running: Promise<unknown>, signal: AbortSignal): Promise<CallResult> {
  return new Promise((done, failed) => {
    const late = () => done({ is: 'failed', why: 'late', detail: 'not done at the deadline of the turn' })
    const over = () => signal.removeEventListener('abort', late)
    if (signal.aborted) late()
    else signal.addEventListener('abort', late, { once: true })
    Promise.resolve(running).then(
      (given) => (over(), done(resultOf(given))),
      (error: unknown) => (over(), failed(error as Error)),
    )
  })
}

function resultOf(given: unknown): CallResult {
  if (!(given instanceof Refusal)) return { is: 'data', data: given as never }
  if (isRefusalName(given.refusal)) return { is: 'refused', refusal: given.refusal, data: given.data }
  return { is: 'failed', why: 'nonsense', detail: 'a refusal without a name of 1 to 64 characters' }
}

// The message of a database may quote a value; its SQLSTATE does not. Long digits may be a subscriber's number.
function describe(error: unknown): string {
  const state = sqlState(error)
  if (state) return `SQLSTATE ${state}`
  return error instanceof Error ? `${error.name} ${error.message}`.replace(/\d{6,}/g, '…') : typeof error
}
