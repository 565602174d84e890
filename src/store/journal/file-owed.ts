/** SMS that wait for Postgres, on one machine without Redis: a file, written whole at each change. They are few. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { StoreError, UsageError } from '../../base/index.ts'
import type { OwedShelf } from '../../sms/requests/index.ts'
import { plainSealer, type Sealer } from '../seal.ts'

export interface FileOwedOptions {
  /** The process must have its folder to itself. */
  file: string
  sealer?: Sealer
}

/** What the file is sealed as. */
const SHELF = { group: 'owed-sms', msisdn: '' }
/** A file of some 500 KB. */
const FILE_OWED_MAX = 1_000

type Entries = Map<string, { msisdn: string; value: string }>

/** Throws UsageError if the file is sealed with a key that is not here. */
export function fileOwed({ file, sealer = plainSealer }: FileOwedOptions): OwedShelf {
  const place = sealer.place(SHELF)
  let entries = read()

  function read(): Entries {
    try {
      return new Map(JSON.parse(place.open(readFileSync(file, 'utf8'), SHELF.group)) as [])
    } catch (error) {
      if (error instanceof StoreError && error.code === 'sealed') throw new UsageError(error.message)
      return new Map()
    }
  }

  /** A change that cannot be written did not happen. */
  function keep(next: Entries): void {
    try {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
      writeFileSync(`${file}.new`, place.seal(JSON.stringify([...next]), SHELF.group), { mode: 0o600, flush: true })
      renameSync(`${file}.new`, file)
    } catch (error) {
      throw new StoreError('down', `SMS that wait cannot be written (${(error as NodeJS.ErrnoException).code})`)
    }
    entries = next
  }

  return {
    async put(id, msisdn, value) {
      if (entries.size >= FILE_OWED_MAX)
        throw new StoreError('too-large', `${FILE_OWED_MAX} answers with SMS wait already`)
      keep(new Map(entries).set(id, { msisdn, value }))
    },
    some: async (limit) => [...entries].slice(0, limit).map(([id, { value }]) => ({ id, value })),
    async remove(id) {
      const next = new Map(entries)
      if (next.delete(id)) keep(next)
    },
    async erase(msisdn) {
      const left = new Map([...entries].filter(([, one]) => one.msisdn !== msisdn))
      const erased = entries.size - left.size
      if (erased) keep(left)
      return erased
    },
  }
}
