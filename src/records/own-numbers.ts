/**
 * The numbers of the files of one daemon (own-files.ts), without gaps over its restarts. A number is written down
 * between the file under its other name and the rename: after a death, the part that is still there tells that its
 * number is free.
 */
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { seriesOf } from './file-format.ts'
import { PART_ENDING, syncFolder } from './file-write.ts'

export interface Numbers {
  /** When the last file of this partner was cut. Undefined: there is none yet. */
  cutMs(partner: string): number | undefined
  /** The number of its next file. */
  next(partner: string): number
  /** The file with that number is about to get its name. */
  take(partner: string, cutMs: number): Promise<void>
}

export interface NumbersDeps {
  /** Where the numbers are kept. */
  file: string
  /** Of the files: numbers are found there if the file with them is gone. */
  dir: string
  instance: string
  partners: readonly string[]
}

interface Last {
  seq: number
  cutMs: number
}

/** Removes the parts that an earlier life of this daemon left. Throws if the numbers cannot be read. */
export async function openNumbers({ file, dir, instance, partners }: NumbersDeps): Promise<Numbers> {
  const kept = await readKept(file)
  const names = await readdir(dir).catch(ifAbsent<string[]>([]))
  for (const partner of partners) {
    const own = ofSeries(names, seriesOf({ partner, instance }))
    const whole = Math.max(0, ...own.filter(({ isPart }) => !isPart).map(({ seq }) => seq))
    const last = kept.get(partner) ?? { seq: whole, cutMs: -Infinity }
    const isLeft = own.some(({ seq, isPart }) => isPart && seq === last.seq)
    for (const { name } of own.filter(({ isPart }) => isPart)) await rm(join(dir, name), { force: true })
    const seq = isLeft ? last.seq - 1 : Math.max(last.seq, whole)
    // A file that did not get its name is made at once.
    kept.set(partner, { seq, cutMs: isLeft ? -Infinity : last.cutMs })
  }
  return {
    cutMs(partner) {
      const { cutMs = -Infinity } = kept.get(partner) ?? {}
      return cutMs === -Infinity ? undefined : cutMs
    },
    next: (partner) => (kept.get(partner)?.seq ?? 0) + 1,
    async take(partner, cutMs) {
      const before = kept.get(partner)
      kept.set(partner, { seq: (before?.seq ?? 0) + 1, cutMs })
      await keep(file, kept)
    },
  }
}

function ofSeries(names: readonly string[], series: string) {
  return names.flatMap((name) => {
    const [, seq] = name.startsWith(`${series}-`) ? (/^(\d{8,})-/.exec(name.slice(series.length + 1)) ?? []) : []
    return seq === undefined ? [] : [{ name, seq: Number(seq), isPart: name.endsWith(PART_ENDING) }]
  })
}

async function readKept(file: string): Promise<Map<string, Last>> {
  const text = await readFile(file, 'utf8').catch(ifAbsent('{}'))
  try {
    return new Map(Object.entries(JSON.parse(text) as Record<string, Last>))
  } catch {
    throw new Error(
      `${file} has the numbers of files of call detail records, and is not JSON: remove it, then they are found by the files`,
    )
  }
}

async function keep(file: string, kept: ReadonlyMap<string, Last>): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const out = await open(`${file}.new`, 'w', 0o600)
  try {
    await out.writeFile(JSON.stringify(Object.fromEntries([...kept].filter(([, { cutMs }]) => cutMs !== -Infinity))))
    await out.sync()
  } finally {
    await out.close()
  }
  await rename(`${file}.new`, file)
  await syncFolder(dirname(file))
}

function ifAbsent<T>(otherwise: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === 'ENOENT') return otherwise
    throw error
  }
}
