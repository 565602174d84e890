/**
 * A test dial through the network: a dialler of the operator dials (a modem, a loop-back of the SMSC, the simulator),
 * and tells the first screen. `POST url` with `{ code, withinMs }`; the answer is 200 and `{ text }`, or `{ screen: {
 * text } }` as the simulated phone says it.
 */
import { agentFor, type Resolve } from '../backend/index.ts'
import { abortAfter } from '../base/index.ts'
import type { Clock } from '../ussd/index.ts'
import { judged, type TestDialHeard } from './outcome.ts'

export interface DiallerSettings {
  url: string
  hangUpUrl?: string | undefined
  token?: string | undefined
  privateNetwork?: boolean | undefined
}

export interface ThroughAsked {
  code: string
  timeoutMs: number
  expected: ((text: string) => boolean) | undefined
}

export interface Dialler {
  /** Never rejects. */
  dial(asked: ThroughAsked): Promise<TestDialHeard>
  close(): Promise<void>
}

/** A screen has 182 characters at most. */
const ANSWER_OCTETS_MAX = 16_384
/** The dialler may be as late as this to say that nothing came. */
const SLACK_MS = 2_000

export function createDialler(settings: DiallerSettings, deps: { clock: Clock; resolve?: Resolve }): Dialler {
  const { clock, resolve } = deps
  const { url, privateNetwork } = settings
  const agent = agentFor(new URL(url), { url, privateNetwork, concurrent: 2 }, resolve)
  const authorization = settings.token === undefined ? {} : { authorization: `Bearer ${settings.token}` }

  async function post(written: string, body: object, timeoutMs: number): Promise<{ status: number; text: string }> {
    const url = new URL(written)
    const { signal, over } = abortAfter(clock, timeoutMs)
    try {
      const answer = await agent.request({
        origin: url.origin,
        path: url.pathname + url.search,
        method: 'POST',
        headers: { 'content-type': 'application/json', 'user-agent': 'ussd-connector', ...authorization },
        body: JSON.stringify(body),
        signal,
      })
      let text = ''
      for await (const chunk of answer.body) {
        text += String(chunk)
        if (text.length > ANSWER_OCTETS_MAX) throw Object.assign(new Error('too long'), { code: 'answer-too-long' })
      }
      return { status: answer.statusCode, text }
    } catch (error) {
      if (signal.aborted) throw Object.assign(new Error('late'), { code: 'late' })
      throw error
    } finally {
      over()
    }
  }

  return {
    async dial({ code, timeoutMs, expected }) {
      try {
        const { status, text } = await post(settings.url, { code, withinMs: timeoutMs }, timeoutMs + SLACK_MS)
        const said = saidIn(text)
        if (status === 200 && said.screen !== undefined) return judged(said.screen, expected)
        const why = said.error === undefined ? `status ${status}` : `status ${status}: ${said.error}`
        // 504: the dialler dialled, and no screen came.
        return { result: status === 504 ? 'no-answer' : 'dialler', why }
      } catch (error) {
        const { code: why, name } = error as { code?: unknown; name: string }
        return { result: 'dialler', why: typeof why === 'string' ? why : name }
      } finally {
        if (settings.hangUpUrl !== undefined) await post(settings.hangUpUrl, {}, SLACK_MS).catch(() => undefined)
      }
    },
    close: () => agent.destroy(),
  }
}

/** `error`: a word such as `no-screen`, never a text of a screen. */
function saidIn(body: string): { screen?: string; error?: string } {
  try {
    const said = JSON.parse(body) as { text?: unknown; screen?: { text?: unknown } | null; failed?: unknown } | null
    const screen = said?.text ?? said?.screen?.text
    const error = said?.failed
    return {
      ...(typeof screen === 'string' ? { screen } : {}),
      ...(typeof error === 'string' && /^[\w -]{1,60}$/.test(error) ? { error } : {}),
    }
  } catch {
    return {}
  }
}
