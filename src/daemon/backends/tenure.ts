/** A back end that may be replaced: it is closed when the calls that it has are over, and not before. */
import type { Backend } from '../../backend/index.ts'
import type { Log } from '../../base/index.ts'

export interface Tenure {
  readonly backend: Backend
  /** Closes it after its last call. Nobody should begin another one. */
  retire(): void
}

export function tenured(backend: Backend, log: Log): Tenure {
  let under = 0
  let isRetired = false
  let isClosed = false

  function closeOnceIdle(): void {
    if (!isRetired || isClosed || under > 0) return
    isClosed = true
    backend.close?.().catch((error: unknown) => log.warn({ err: error, backend: backend.name }, 'back end not closed'))
  }

  async function during<T>(run: () => Promise<T>): Promise<T> {
    under++
    try {
      return await run()
    } finally {
      under--
      closeOnceIdle()
    }
  }

  return {
    backend: {
      name: backend.name,
      ...(backend.patience ? { patience: backend.patience } : {}),
      call: (operation, args, context) => during(() => backend.call(operation, args, context)),
      ended: (epoch, reason, about) => during(async () => backend.ended?.(epoch, reason, about)),
      forget: (msisdn) => backend.forget?.(msisdn),
      close: async () => {
        isClosed = true
        await backend.close?.()
      },
    },
    retire() {
      isRetired = true
      closeOnceIdle()
    },
  }
}
