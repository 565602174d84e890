/**
 * `store-key`: the file of keys with which dialogues are encrypted: creates it, or adds a new key before the old ones.
 */
import { randomBytes } from 'node:crypto'
import { renameSync, writeFileSync } from 'node:fs'
import { UsageError, readSecretFile, saidOfFault } from '../base/index.ts'
import { LOOK_MS, parseStoreKeys, writeStoreKeys, WRITES_AFTER_MS } from '../store/index.ts'
import type { Say } from './arguments.ts'

export interface StoreKeyOptions {
  rotate?: boolean
}

export function storeKeyCommand(file: string, { rotate }: StoreKeyOptions, say: Say): void {
  if (!rotate) return firstKeys(file, say)
  const read = readSecretFile(file)
  if ('fault' in read) throw new UsageError(saidOfFault(read, 'store-key'))
  const old = parseStoreKeys(file, read.text)
  const text = writeStoreKeys(randomBytes, old)
  const kept = new Set(parseStoreKeys(file, text).keys.map(({ id }) => id))
  // Writes a second file and renames it: a daemon that reads meanwhile gets the old file or the new one, never half of
  // it.
  writeFileSync(`${file}.new`, text, { mode: 0o600 })
  renameSync(`${file}.new`, file)
  const [reads, writes] = [LOOK_MS, LOOK_MS + WRITES_AFTER_MS].map((ms) => ms / 1000)
  say(
    `${file}: daemons read with the new key within ${reads} s and write with it after ${writes} s; copy the file to every daemon`,
  )
  for (const { id } of old.keys.filter((key) => !kept.has(key.id)))
    say(
      `${id}, the oldest key, is no longer in the file: exact texts that it sealed (support.transcriptDays) do not open`,
    )
}

function firstKeys(file: string, say: Say): void {
  try {
    writeFileSync(file, writeStoreKeys(randomBytes), { mode: 0o600, flag: 'wx' })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const why = code === 'EEXIST' ? 'exists already (--rotate adds a new key)' : `cannot be written (${code})`
    throw new UsageError(`${file} ${why}`)
  }
  say(
    `wrote ${file}. Add to the settings: privacy: { storeKeyFile: ${file} }. If you lose this file, you lose the open dialogues, PINs that were set with it, and exact texts (support.transcriptDays): keep a copy.`,
  )
  say('Dialogues that are open when a daemon starts with it are refused, unless privacy.plainUntil allows them.')
}
