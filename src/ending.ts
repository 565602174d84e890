/** The end of a dialogue: one line at info, one count, and what its back ends held for it is given back. */
import type { Backend } from './backend/types.ts'
import type { DialogueRecord } from './dialogue/types.ts'
import type { FlowRegistry } from './flow/types.ts'
import { beginOf, type Service } from './gateway-parts.ts'
import type { Log } from './log-port.ts'
import type { Metrics } from './metrics.ts'
import type { EndReason } from './ussd/types.ts'

export interface EndingParts {
  flows: FlowRegistry
  services: readonly Service[]
  backend(name: string): Backend | undefined
  log: Log
  metrics: Metrics
}

/** Ends that the subscriber did not choose: a redial may carry on. */
const LOST: ReadonlySet<EndReason> = new Set<EndReason>(['idle', 'total', 'network-abort', 'bind-lost', 'refused', 'drained'])

/** The record, if dialling again may carry it on: it was lost, and not long ago. */
export function resumable(record: DialogueRecord | null, nowMs: number, resumeMs: number): DialogueRecord | null {
  if (!record?.ended || !LOST.has(record.ended)) return null
  return nowMs - record.touchedMs <= resumeMs ? record : null
}

/** Called once for every dialogue, by whoever ended it. */
export function createEnding(parts: EndingParts): (record: DialogueRecord) => void {
  const { flows, log, metrics } = parts
  return (record) => {
    const reason = record.ended ?? 'failed'
    const flow = record.revision.split('@')[0] || (beginOf(record, parts.services, null)?.flow ?? 'none')
    metrics.count('ussd_dialogues_total', { line: record.line, flow, reason })
    metrics.ended(record.revision || flow, reason)
    log.info({
      msisdn: record.key.msisdn, line: record.line, code: record.code, flow: record.revision || flow, epoch: record.epoch,
      turns: record.turn, ms: record.touchedMs - record.openedMs, reason,
    }, 'dialogue ended')
    const about = {
      msisdn: record.key.msisdn, line: record.line, turns: record.turn, openedMs: record.openedMs,
      endedMs: record.touchedMs, snapshot: record.snapshot,
    }
    for (const name of flows.current(flow)?.backends ?? []) {
      parts.backend(name)?.ended?.(record.epoch, reason, about).catch((error: unknown) =>
        log.warn({ err: error, backend: name, epoch: record.epoch }, 'back end did not take the end'))
    }
  }
}
