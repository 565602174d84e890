/**
 * Unfinished SMS of subscribers on one machine without Redis: a map, and a file of it that survives the end of the
 * process.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { nameOfKey, type StoreFault } from '../../dialogue/index.ts'
import { StoreError, UsageError } from '../../base/index.ts'
import type { Changed, HeldDeps, PartShelf } from '../../sms/inbox/index.ts'
import { plainSealer, type Sealer } from '../seal.ts'

export interface FilePartsOptions {
  /** Undefined: memory only. The process must have its folder to itself. */
  file?: string
  sealer?: Sealer
  subscribersMax: number
  onFault?: (fault: StoreFault) => void
}

/** What the file is sealed as. */
const SHELF = { group: 'sms-parts', msisdn: '' }

type Entries = Map<string, { held: HeldDeps; dueMs: number }>

/** Throws UsageError if the file is sealed with a key that is not here. */
export function fileParts({ file, sealer = plainSealer, subscribersMax, onFault }: FilePartsOptions): PartShelf {
  const place = sealer.place(SHELF)
  let entries = read()

  function read(): Entries {
    try {
      return new Map(file === undefined ? [] : (JSON.parse(place.open(readFileSync(file, 'utf8'), SHELF.group)) as []))
    } catch (error) {
      if (error instanceof StoreError && error.code === 'sealed') throw new UsageError(error.message)
      const { code } = error as { code?: string }
      if (code !== 'ENOENT') onFault?.(code === 'unsealed' ? code : 'corrupt')
      return new Map()
    }
  }

  /** A change that cannot be written did not happen. */
  function keep(next: Entries): void {
    if (file !== undefined) {
      try {
        mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
        writeFileSync(`${file}.new`, place.seal(JSON.stringify([...next]), SHELF.group), { mode: 0o600 })
        renameSync(`${file}.new`, file)
      } catch (error) {
        throw new StoreError('down', `parts of SMS cannot be written (${(error as NodeJS.ErrnoException).code})`)
      }
    }
    entries = next
  }

  function change<T>(name: string, run: (held: HeldDeps | null) => Changed<T>): T {
    const old = entries.get(name)?.held ?? null
    const { held, dueMs, result } = run(old)
    if (held && !old && entries.size >= subscribersMax) {
      throw new StoreError('too-large', 'as many subscribers have unfinished SMS as sms.long.subscribersMax allows')
    }
    const next = new Map(entries)
    if (held) next.set(name, { held, dueMs })
    else next.delete(name)
    keep(next)
    return result
  }

  return {
    change: async (key, run) => change(nameOfKey(key), run),
    async changeDue(nowMs, limit, run) {
      const due = [...entries].filter(([, { dueMs }]) => dueMs <= nowMs).slice(0, limit)
      return due.map(([name, { held }]) => change(name, () => run(held)))
    },
    find: async (key) => entries.get(nameOfKey(key))?.held ?? null,
    async erase(msisdn) {
      const left = new Map([...entries].filter(([, { held }]) => held.msisdn !== msisdn))
      const gone = entries.size - left.size
      if (gone) keep(left)
      return gone
    },
  }
}
