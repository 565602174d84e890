/** What happens at the SMSC, for observers: pages, loads, tests. */
import type { Traced } from './trace.ts'

export type SmscEvent =
  | { is: 'bind'; bind: SimBindRow }
  | { is: 'phone'; what: 'screen' | 'sms' | 'failed' | 'typed'; msisdn: string }
  | { is: 'pdu'; traced: Traced }
  /** A fault struck. */
  | { is: 'fault' }

export interface SimBindRow {
  id: string
  systemId: string
  mode: string
  state: string
  sinceMs: number
  unanswered: number
}

export interface SmscEvents {
  emit(event: SmscEvent): void
  /** Returns a function that stops watching. */
  watch(listener: (event: SmscEvent) => void): () => void
}

export function smscEvents(): SmscEvents {
  const watchers = new Set<(event: SmscEvent) => void>()
  return {
    emit(event) {
      for (const watcher of watchers) watcher(event)
    },
    watch(listener) {
      watchers.add(listener)
      return () => void watchers.delete(listener)
    },
  }
}
