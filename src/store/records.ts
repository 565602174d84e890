/**
 * Call detail records as they wait in a store: `<name of the dialogue>TAB<JSON>`, the JSON sealed like its dialogue. The
 * field is `<epoch>/<kind>`, so that the same record is stored once.
 */
import { silentLog, StoreError, type Log } from '../base/index.ts'
import type { CallRecord, RecordShelf, StoreFault, WaitingRecord } from '../dialogue/index.ts'
import type { StoredRecord, StoredRecords } from './register.ts'
import { word } from './record.ts'
import type { SealPlace, Sealer } from './seal.ts'

export interface ShelfOptions {
  sealer: Sealer
  onFault?: ((fault: StoreFault) => void) | undefined
  log?: Log | undefined
}

export interface KeptRecords {
  shelf: RecordShelf
  /** The records of a write to this place. */
  stored(slot: SealPlace, records: readonly CallRecord[]): StoredRecord[]
  /** They were stored as these. */
  wasKept(slot: SealPlace, records: readonly CallRecord[], stored: readonly StoredRecord[]): void
}

/** What a record is sealed as. */
const SEALED_AS = 'cdr'
/** The form of the JSON. A later one is left to the daemons of its release. */
const FORM = 1

export function recordShelf(kept: StoredRecords, options: ShelfOptions): KeptRecords {
  let follower: ((records: WaitingRecord[]) => void) | undefined
  return {
    stored: (slot, records) => records.map((record) => ({ field: fieldOf(record), text: textOf(slot, record) })),
    wasKept(slot, records, stored) {
      follower?.(records.map((record, n) => ({ record, at: kept.at(slot.name, stored[n]!.field) })))
    },
    shelf: {
      count: () => kept.count(),
      async *pages(limit) {
        for await (const page of kept.pages(limit)) {
          const found = page.map((one) => readStored(options, one))
          const bad = found.flatMap((one) => (typeof one === 'string' ? one : []))
          if (bad.length) await kept.remove(bad)
          yield found.flatMap((one) => (one === null || typeof one === 'string' ? [] : one))
        }
      },
      async keep(key, record) {
        const slot = options.sealer.place(key)
        return kept.put(slot.name, { field: fieldOf(record), text: textOf(slot, record) })
      },
      replace: (at, key, record) => kept.replace(at, textOf(options.sealer.place(key), record)),
      remove: (at) => kept.remove(at),
      follow: (to) => (follower = to),
    },
  }
}

function fieldOf({ epoch, kind }: CallRecord): string {
  return `${word(epoch)}/${kind}`
}

function textOf(slot: SealPlace, record: CallRecord): string {
  return `${slot.name}\t${slot.seal(JSON.stringify([FORM, record]), SEALED_AS)}`
}

/** Null: another daemon can read it. A text: its place; nobody can, so it is removed. */
function readStored(
  { sealer, onFault, log = silentLog }: ShelfOptions,
  { at, field, text }: StoredRecord & { at: string },
): WaitingRecord | string | null {
  const tab = text.indexOf('\t')
  try {
    const opened = sealer.named(text.slice(0, tab)).open(text.slice(tab + 1), SEALED_AS)
    const [form, record] = JSON.parse(opened) as [number, CallRecord]
    return form === FORM ? { record, at } : null
  } catch (error) {
    const fault = error instanceof StoreError && error.code === 'sealed' ? 'sealed' : 'corrupt'
    onFault?.(fault)
    log.error({ field, fault }, 'a call detail record cannot be read')
    return fault === 'sealed' ? null : at
  }
}
