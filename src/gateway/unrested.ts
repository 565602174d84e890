/** A turn whose outcome the store refused: because it failed, went on without us, or forgot the dialogue. */
import type { DialogueRecord, DialogueStore } from '../dialogue/index.ts'
import { dialogueInLog, StoreError, type Log, type Metrics } from '../base/index.ts'
import type { From, GuardStore } from './steps.ts'
import type { Clock, EndReason, UssdAction } from '../ussd/index.ts'
import type { Line } from '../smpp/index.ts'

export interface UnrestedDeps {
  dialogues: Pick<DialogueStore, 'find'>
  metrics: Metrics
  log: Log
  guarded: GuardStore
  clock: Clock
  limits: { turnMs: number }
  /** Ends what is open of the dialogue, and sends the busy text. */
  apologise(record: DialogueRecord, reason: EndReason, line: Line, from: From | undefined): Promise<void>
}

export interface Unrested {
  /** The turn threw. */
  failed(error: unknown, record: DialogueRecord, line: Line, from: From | undefined): Promise<void>
  /** The store refused it: nobody waits for the reply any more, unless the store forgot what it had acknowledged. */
  refused(record: DialogueRecord, action: UssdAction, line: Line, from: From | undefined): Promise<void>
}

/** A store that is slow enough to refuse a turn may not be able to say why at once. */
const RETRY_MS = 200

export function createUnrested({ dialogues, metrics, log, guarded, clock, limits, apologise }: UnrestedDeps): Unrested {
  /** The current record, asked for as long as the turn has time. Undefined: the store does not say. */
  async function standing(record: DialogueRecord): Promise<DialogueRecord | null | undefined> {
    const { key, touchedMs } = record
    for (;;) {
      const now = await guarded('find', () => dialogues.find(key), record)
      if (now !== undefined || clock.now() + RETRY_MS >= touchedMs + limits.turnMs) return now
      await new Promise<void>((done) => clock.after(RETRY_MS, done))
    }
  }

  return {
    async failed(error, record, line, from) {
      const store = error instanceof StoreError
      if (store) metrics.count('dialogue_store_errors_total', { call: 'rest', code: error.code })
      else metrics.count('bugs_total', { where: 'turn' })
      log.error({ err: error, ...dialogueInLog(record), revision: record.revision }, 'turn failed')
      await apologise(record, store ? 'store-failed' : 'failed', line, from)
    },
    async refused(record, action, line, from) {
      const isLost = isForgotten(record, await standing(record))
      metrics.count('ussd_replies_total', { line: line.name, action, result: isLost ? 'forgotten' : 'stale' })
      if (isLost) await apologise(record, 'store-failed', line, from)
    },
  }
}

/**
 * Redis replicates after it acknowledges, so a failover may lose the last writes: then there is no record, or an
 * earlier one. A slow store may also have carried out an earlier dial after a later one. After a hang-up, a newer dial
 * or a takeover, the record is as new or newer. Undefined: not known.
 */
export function isForgotten(record: DialogueRecord, now: DialogueRecord | null | undefined): boolean {
  if (now === undefined) return false
  if (now === null) return true
  return now.epoch === record.epoch ? now.turn < record.turn : now.openedMs < record.openedMs
}
