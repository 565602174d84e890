/**
 * A dialogue with an application, without a gateway: the flow, the back end, and between them JSON as a store keeps it.
 */
import { appBackend, type AppSettings } from '../../../src/backend/app.ts'
import type { AppReplies } from '../../../src/backend/app-replies.ts'
import type { Contract } from '../../../src/backend/contracts/types.ts'
import type { CallResult } from '../../../src/backend/types.ts'
import { advance } from '../../../src/flow/engine/advance.ts'
import { appFlow, appName } from '../../../src/flow/engine/app-flow.ts'
import type { FlowSnapshot, Want } from '../../../src/flow/engine/types.ts'
import { silentLog } from '../../../src/base/log/port.ts'
import type { Clock, EndReason, JsonObject, PageLimit } from '../../../src/ussd/vocabulary.ts'
import { USSD_PAGE } from '../../../src/ussd/vocabulary.ts'
import { realClock } from '../../support/clock.ts'

export const EPOCH = '01968a1c-2f00-7c44-9d3b-5a6f8c1d2e3f'
export const MSISDN = '67570000001'

export interface Walk {
  dial(code?: string, dialled?: string[]): Promise<Want>
  answer(text: string): Promise<Want>
  end(reason: EndReason): Promise<void>
  /** What calls came to, in order. */
  results: CallResult[]
  counted: { name: string; labels: Record<string, string> }[]
  /** How many questions there were. */
  turns(): number
  close(): Promise<void>
}

export interface WalkOptions {
  contract: Contract
  settings: AppSettings
  clock?: Clock
  page?: PageLimit
  line?: string
  replies?: AppReplies
}

export function walk({
  contract,
  settings,
  clock = realClock,
  page = USSD_PAGE,
  line = 'digicel',
  replies,
}: WalkOptions): Walk {
  const flow = appFlow('shop', contract.name, { busy: 'BUSY' })
  const counted: Walk['counted'] = []
  const counters = { count: (name: string, labels = {}) => void counted.push({ name, labels }) }
  const backend = appBackend(appName('shop'), contract, settings, {
    clock,
    counters,
    log: silentLog,
    ...(replies ? { replies } : {}),
  })
  const results: CallResult[] = []
  let snapshot: FlowSnapshot
  let turn = 0
  const play = async (from: FlowSnapshot, event: { type: 'ANSWER'; text: string } | null): Promise<Want> => {
    turn++
    const advanced = await advance(flow, from, event, async (want, n) => {
      const result = await backend.call(want.operation, want.args, {
        intention: `${EPOCH}:${turn}:${n}`,
        epoch: EPOCH,
        msisdn: MSISDN,
        language: 'en',
        line,
        todayMs: 0,
        signal: new AbortController().signal,
      })
      results.push(result)
      return result
    })
    snapshot = JSON.parse(JSON.stringify(advanced.snapshot)) as FlowSnapshot
    return flow.want(snapshot)
  }
  return {
    results,
    counted,
    turns: () => turn,
    dial: (code = '*384#', dialled = []) =>
      play(flow.begin({ msisdn: MSISDN, code, line, language: 'en', dialled, page }), null),
    answer: (text) => play(snapshot, { type: 'ANSWER', text }),
    end: (reason) =>
      backend.ended!(EPOCH, reason, {
        msisdn: MSISDN,
        line,
        turns: turn,
        openedMs: 1_000,
        endedMs: 13_000,
        snapshot: snapshot as unknown as JsonObject,
      }),
    close: () => backend.close!(),
  }
}
