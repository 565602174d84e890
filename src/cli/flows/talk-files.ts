/** Finds talk files. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { UsageError } from '../../base/index.ts'

/** The file itself, or the talk files of the folder. Throws UsageError. */
export function talksAt(path: string): string[] {
  if (!existsSync(path)) throw new UsageError(`there is no file ${path}`)
  if (!statSync(path).isDirectory()) return [path]
  return readdirSync(path)
    .filter((file) => file.endsWith('.talk'))
    .toSorted()
    .map((file) => join(path, file))
}
