/** PGlite makes the files of a database in seconds. Here they are made once in a process, and copied. */
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

let made: Promise<Blob> | undefined

/** Of a database without a schema. */
export function emptyEmbedded(): Promise<Blob> {
  return (made ??= make())
}

async function make(): Promise<Blob> {
  const { PGlite } = await import('@electric-sql/pglite')
  const lite = await PGlite.create('memory://')
  try {
    return await lite.dumpDataDir('none')
  } finally {
    await lite.close()
  }
}

/** Puts them where a daemon with these data looks for them (its folder `data`). */
export async function layEmbedded(data: string): Promise<void> {
  const folder = join(data, 'postgres/postgres')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const input = Buffer.from(await (await emptyEmbedded()).arrayBuffer())
  execFileSync('tar', ['-xf', '-', '-C', folder], { input, stdio: ['pipe', 'ignore', 'ignore'] })
}
