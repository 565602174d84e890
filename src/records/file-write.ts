/**
 * Writes a file of call detail records: under another name, synced, then renamed. So a file under its name is whole,
 * after a power cut too.
 */
import { createHash } from 'node:crypto'
import { mkdir, open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { type BillingUnit, type FileFormat, type FileRow, headOf, lineOf, trailerOf } from './file-format.ts'

export interface WholeFile {
  dir: string
  name: string
  format: FileFormat
  unit: BillingUnit
}

/** What a file is called while it is written. */
export const PART_ENDING = '.part'

export interface FileWritten {
  rows: number
  sha256: string
}

/** `beforeRename`: when all of it is on the disk. */
export async function writeWhole(
  { dir, name, format, unit }: WholeFile,
  pages: AsyncIterable<readonly FileRow[]> | Iterable<readonly FileRow[]>,
  beforeRename: () => Promise<void> = async () => undefined,
): Promise<FileWritten> {
  await mkdir(dir, { recursive: true, mode: 0o750 })
  const part = join(dir, `${name}${PART_ENDING}`)
  const out = await open(part, 'w', 0o640)
  const hash = createHash('sha256')
  let rows = 0
  let sha256 = ''
  try {
    const put = async (text: string) => {
      hash.update(text)
      await out.writeFile(text)
    }
    await put(headOf(format))
    for await (const page of pages) {
      rows += page.length
      await put(page.map((row) => lineOf(row, { format, unit })).join(''))
    }
    sha256 = hash.digest('hex')
    await out.writeFile(trailerOf(format, rows, sha256))
    await out.sync()
  } finally {
    await out.close()
  }
  await beforeRename()
  await rename(part, join(dir, name))
  await syncFolder(dir)
  return { rows, sha256 }
}

/** A rename in it survives a power failure. */
export async function syncFolder(dir: string): Promise<void> {
  const folder = await open(dir, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
