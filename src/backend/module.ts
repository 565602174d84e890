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
      const { promise: late, cancel } = whenAborted(context.signal)
      try {
        return await Promise.race([answer(run(args, context)), late])
      } catch (error) {
        return { is: 'failed', why: 'down', detail: `${operation}: ${describe(error)}` }
      } finally {
        cancel()
      }
    },
    async ended(epoch, reason) {
      await module.ended?.(epoch, reason)
    },
  }
}

async function answer(running: Promise<unknown>): Promise<CallResult> {
  const given = await running
  if (given instanceof Refusal && !isRefusalName(given.refusal))
    return { is: 'failed', why: 'nonsense', detail: 'a refusal without a name of 1 to 64 characters' }
  if (given instanceof Refusal) return { is: 'refused', refusal: given.refusal, data: given.data }
  return { is: 'data', data: given as never }
}

function whenAborted(signal: AbortSignal): { promise: Promise<CallResult>; cancel: () => void } {
  let cancel = () => undefined as void
  const promise = new Promise<CallResult>((done) => {
    const late = () => done({ is: 'failed', why: 'late', detail: 'not done at the deadline of the turn' })
    if (signal.aborted) return late()
    signal.addEventListener('abort', late, { once: true })
    cancel = () => signal.removeEventListener('abort', late)
  })
  return { promise, cancel }
}

// The message of a database may quote a value; its SQLSTATE does not. Long digits may be a subscriber's number.
function describe(error: unknown): string {
  const state = sqlState(error)
  if (state) return `SQLSTATE ${state}`
  return error instanceof Error ? `${error.name} ${error.message}`.replace(/\d{6,}/g, '…') : typeof error
}
