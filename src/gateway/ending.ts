/** The end of a dialogue: one log line at info, one count, and its back ends release what they hold for it. */
import type { Backend } from '../backend/index.ts'
import { beganAs, type DialogueRecord } from '../dialogue/index.ts'
import type { FlowRegistry } from '../flow/engine/index.ts'
import { beginOf, serviceFor, type Service } from './steps.ts'
import { pushedFlow } from '../push/index.ts'
import { dialogueInLog, type Log, type Metrics } from '../base/index.ts'
import { shownCode, type EndReason, type JsonObject } from '../ussd/index.ts'

export interface EndingDeps {
  flows: FlowRegistry
  services: readonly Service[]
  backend(name: string): Backend | undefined
  log: Log
  metrics: Metrics
}

/** Ends that the subscriber did not choose: a redial may resume the dialogue. */
const LOST: ReadonlySet<EndReason> = new Set<EndReason>([
  'idle',
  'total',
  'network-abort',
  'bind-lost',
  'refused',
  'drained',
])

/** The record, if dialling again may resume it: it was lost, and not long ago. */
export function resumable(record: DialogueRecord | null, nowMs: number, resumeMs: number): DialogueRecord | null {
  if (!record?.ended || !LOST.has(record.ended)) return null
  return nowMs - record.touchedMs <= resumeMs ? record : null
}

/** Called once for every dialogue, by the code that ended it. */
export function createEnding(deps: EndingDeps): (record: DialogueRecord) => void {
  const { log, metrics } = deps
  const release = createRelease(deps)
  return (record) => {
    const reason = record.ended ?? 'failed'
    const flow = record.revision.split('@')[0] || (beginOf(record, deps.services, null)?.flow ?? 'none')
    const service = serviceLabel(record, deps.services)
    metrics.count('ussd_dialogues_total', { line: record.line, flow, service, reason })
    metrics.ended(record.revision || flow, reason)
    log.info(
      {
        ...dialogueInLog(record),
        code: shownCode(record.code, deps.services),
        flow: record.revision || flow,
        turns: record.turn,
        ms: record.touchedMs - record.openedMs,
        reason,
      },
      'dialogue ended',
    )
    // For its back ends it is not over: one of them is working for it.
    if (reason !== 'answer-later') release(record, flow)
  }
}

/** Of the codes in the settings, never as dialled: what is behind a code may be a PIN. */
function serviceLabel({ code, line }: DialogueRecord, services: readonly Service[]): string {
  if (pushedFlow(code) !== null) return 'push'
  return serviceFor(services, code, line)?.route.code ?? 'none'
}

/** Tells the back ends of a flow that a dialogue is over, so that they release what they hold for it. */
export function createRelease({ flows, backend, log }: Pick<EndingDeps, 'flows' | 'backend' | 'log'>) {
  return (record: DialogueRecord, flow: string): void => {
    const about = {
      msisdn: record.key.msisdn,
      line: record.line,
      turns: record.turn,
      openedMs: record.openedMs,
      endedMs: record.touchedMs,
      snapshot: record.snapshot,
    }
    const epoch = beganAs(record.snapshot?.context as JsonObject | undefined, record.epoch)
    for (const name of flows.current(flow)?.backends ?? []) {
      backend(name)
        ?.ended?.(epoch, record.ended ?? 'failed', about)
        .catch((error: unknown) =>
          log.warn({ err: error, backend: name, ...dialogueInLog(record) }, 'back end did not take the end'),
        )
    }
  }
}
