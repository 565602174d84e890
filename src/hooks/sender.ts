/** One signed request to a web-hook. The address is guarded as that of a back end, and redirects are not followed. */
import { agentFor, type Resolve } from '../backend/index.ts'
import { abortAfter, signatureOf } from '../base/index.ts'
import type { Clock } from '../ussd/index.ts'

export interface HookSettings {
  url: string
  /** The shared key with which requests are signed. */
  key: string
  timeoutMs: number
  /** The most requests at the same time. */
  concurrent: number
  /** An event that is older is not tried again. */
  giveUpMs: number
  privateNetwork?: boolean | undefined
}

/** `why` has nothing of the subscriber, or of the answer. */
export type HookAnswer = { is: 'taken' } | { is: 'failed'; why: string }

export interface HookSender {
  /** Never rejects. */
  tell(id: string, body: Buffer): Promise<HookAnswer>
  close(): Promise<void>
}

/** What is read of an answer, so that its connection can be kept. Nothing of it is used. */
const ANSWER_OCTETS_MAX = 16_384

export function hookSender(settings: HookSettings, deps: { clock: Clock; resolve?: Resolve }): HookSender {
  const { clock, resolve } = deps
  const url = new URL(settings.url)
  const agent = agentFor(url, settings, resolve)
  const target = `${url.pathname}${url.search}`

  function headersOf(id: string, body: Buffer): Record<string, string> {
    const timestamp = `${Math.floor(clock.now() / 1_000)}`
    return {
      'content-type': 'application/json',
      'user-agent': 'ussd-connector',
      'idempotency-key': id,
      'x-ussd-timestamp': timestamp,
      'x-ussd-signature': signatureOf(settings.key, { method: 'POST', target, timestamp, body }).toString('hex'),
    }
  }

  return {
    async tell(id, body) {
      const { signal, over } = abortAfter(clock, settings.timeoutMs)
      try {
        const { statusCode, body: answer } = await agent.request({
          origin: url.origin,
          path: target,
          method: 'POST',
          headers: headersOf(id, body),
          body,
          signal,
        })
        // The status decides, whatever becomes of the rest of the answer.
        await answer.dump({ limit: ANSWER_OCTETS_MAX }).catch(() => undefined)
        return statusCode >= 200 && statusCode < 300 ? { is: 'taken' } : { is: 'failed', why: `status ${statusCode}` }
      } catch (error) {
        const { code, name } = error as { code?: unknown; name: string }
        return { is: 'failed', why: signal.aborted ? 'late' : typeof code === 'string' ? code : name }
      } finally {
        over()
      }
    },
    close: () => agent.destroy(),
  }
}
