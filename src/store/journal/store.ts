/**
 * Dialogues on one machine without Redis: a JSON-lines journal under the memory store. A change is written before it is
 * answered, so it survives the end of the process; with `fsync` also a power failure.
 */
import {
  accessSync,
  appendFileSync,
  closeSync,
  constants,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { createDialogues, type DialogueLimits, type DialogueStore, type StoreFault } from '../../dialogue/index.ts'
import { StoreError, UsageError, type Log } from '../../base/index.ts'
import { lockDirectory } from './lock.ts'
import { dialogueRegister, type RecordingKept } from '../dialogues.ts'
import { memoryRegister, type Journal, type JournalLine, type MemoryOptions } from './memory.ts'
import { plainSealer, type SealPlace, type Sealer } from '../seal.ts'

export interface JournalOptions {
  /** Created if it does not exist; one process at a time. Undefined: memory only, and nothing survives. */
  dir?: string | undefined
  limits: DialogueLimits
  /** fdatasync before every answer: survives a power failure, costs one disk write per turn. Default false. */
  fsync?: boolean
  /** Encrypts each line. Default: lines are written unencrypted. */
  sealer?: Sealer
  /** The journal is rewritten when it is larger than this, and twice as large as after the last rewrite. */
  compactOctets?: number
  onFault?: (fault: StoreFault) => void
  log?: Log
  /** Absent: no call detail records are kept. */
  recording?: RecordingKept | undefined
}

/** About ten thousand turns: rewritten seldom, and read in well under a second at a start. */
const COMPACT_OCTETS = 16 * 1024 * 1024

/** Throws UsageError if another process has the directory, or if the journal is from a newer release. */
export async function journalDialogues(options: JournalOptions): Promise<DialogueStore> {
  const { dir, limits, onFault, log, recording } = options
  const over = (memory: MemoryOptions) => {
    const register = memoryRegister({ ...memory, records: recording, onFault })
    return createDialogues({ register: dialogueRegister({ register, limits, onFault, log }), limits, recording })
  }
  if (dir === undefined) return over({})
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const unlock = lockDirectory(dir, 'dialogues')
  try {
    const sealer = options.sealer ?? plainSealer
    const held = readJournal(dir, sealer.place(JOURNAL), onFault)
    return over({ journal: new FileJournal(options, sealer, { dir, unlock, ...held }), lines: held.lines })
  } catch (error) {
    unlock()
    throw error
  }
}

/** What its lines are sealed as. */
const JOURNAL = { group: 'journal', msisdn: '' }
const HEADER = '{"journal":"ussd-dialogues","version":3}\n'
/**
 * The header of a journal with sealed lines: each is `<number> <sealed>`, bound to this file and to its number in it.
 */
const SEALED_HEADER = /^\{"journal":"ussd-dialogues","version":4,"file":"([\w-]{1,64})"\}$/
const FILE = 'dialogues.jsonl'
/** More than a full disk has left, less than a disk with space has. */
const ROOM_OCTETS = 65_536
const FSYNC_OFF = 'dialogues of the last seconds may be lost if the machine loses power (fsync is off)'
/** Unreadable lines are kept here, for inspection. */
const DAMAGED = 'dialogues.damaged'

interface Held {
  lines: JournalLine[]
  /** The octets that could be read. */
  octets: number
  /** What its lines are bound to. Undefined: nothing. */
  name: string | undefined
  /** The number of the last line. */
  number: number
}

function readJournal(dir: string, place: SealPlace, onFault?: (fault: StoreFault) => void): Held {
  const file = join(dir, FILE)
  rmSync(`${file}.new`, { force: true })
  const stat = statSync(file, { throwIfNoEntry: false })
  if (stat && !stat.isFile()) throw new UsageError(`${file} is not a file`)
  const held = stat ? readFileSync(file) : Buffer.alloc(0)
  const octets = held.lastIndexOf(0x0a) + 1
  if (octets < held.length) onFault?.('torn')
  const [header, ...written] = linesOf(held.subarray(0, octets))
  const [, name] = SEALED_HEADER.exec(header ?? '') ?? []
  if (header !== undefined && name === undefined && `${header}\n` !== HEADER) {
    throw new UsageError(`${file} is not a journal of this release: move it away, or start the release that wrote it`)
  }
  const lines: JournalLine[] = []
  let number = 0
  let damaged = 0
  for (const line of written) {
    const [at, text] = name === undefined ? [0, line] : numbered(line)
    const change = at !== 0 && at <= number ? 'corrupt' : read(text, place, boundOf(name, at))
    if (typeof change === 'string') {
      onFault?.(change)
      appendFileSync(join(dir, DAMAGED), `${line}\n`, { mode: 0o600 })
      damaged++
      continue
    }
    // Lines were removed.
    if (at > number + damaged + 1) onFault?.('corrupt')
    damaged = 0
    number = at
    lines.push(change)
  }
  return { lines, octets, name, number }
}

/** The lines that are not values. */
const KINDS = ['due', 'gone', 'settled', 'cdr', 'collected'] as const

function numbered(line: string): [number, string] {
  const [, at = '0', text = ''] = /^(\d{1,15}) (.*)$/s.exec(line) ?? []
  return [Number(at), text]
}

function boundOf(name: string | undefined, number: number): string {
  return name === undefined ? '' : `${name} ${number}`
}

function* linesOf(held: Buffer): Iterable<string> {
  for (let from = 0, to; (to = held.indexOf(0x0a, from)) >= 0; from = to + 1) yield held.toString('utf8', from, to)
}

/** The line, or why it is unreadable. Throws UsageError if a key is missing: with that key the line could be read. */
function read(line: string, place: SealPlace, bound: string): JournalLine | 'corrupt' | 'unsealed' {
  try {
    const change = JSON.parse(place.open(line, bound)) as JournalLine
    if ('put' in change) return typeof change.value === 'string' && change.untilMs > 0 ? change : 'corrupt'
    return KINDS.some((kind) => kind in change) ? change : 'corrupt'
  } catch (error) {
    if (error instanceof StoreError && error.code === 'sealed') throw new UsageError(error.message)
    return error instanceof StoreError && error.code === 'unsealed' ? 'unsealed' : 'corrupt'
  }
}

interface Opened extends Held {
  dir: string
  unlock: () => void
}

/** The journal in its file, open for writing. */
class FileJournal implements Journal {
  readonly #place: SealPlace
  readonly #sealer: Sealer
  readonly #fsync: boolean
  readonly #compactOctets: number
  readonly #dir: string
  readonly #unlock: () => void
  #fd: number
  #size: number
  #compacted: number
  #waiting: JournalLine[] = []
  #isFull = false
  #name: string | undefined
  #number: number

  constructor(options: JournalOptions, sealer: Sealer, { dir, octets, unlock, lines, name, number }: Opened) {
    this.#fsync = options.fsync ?? false
    this.#compactOctets = options.compactOctets ?? COMPACT_OCTETS
    this.#sealer = sealer
    this.#place = sealer.place(JOURNAL)
    this.#dir = dir
    this.#unlock = unlock
    this.#name = name
    this.#number = number
    this.#fd = openSync(join(dir, FILE), 'a', 0o600)
    this.#size = this.#compacted = octets
    // Half a line from a crash is removed before anything is written after it.
    ftruncateSync(this.#fd, octets)
    // Once there is a key, nothing more is written into a file with unbound lines.
    if (octets === 0 || (name !== undefined) !== sealer.seals) this.#rewrite(lines)
  }

  append(line: JournalLine): void {
    this.#writeLines([...this.#waiting, line])
  }

  soon(line: JournalLine): void {
    this.#waiting.push(line)
  }

  large(): boolean {
    return this.#size > this.#compactOctets && this.#size > 2 * this.#compacted
  }

  compact(live: () => Iterable<JournalLine>): void {
    this.#compacted = this.#size // if it fails, the next attempt waits until the journal has doubled
    this.#rewrite(live())
    this.#waiting = []
    rmSync(join(this.#dir, DAMAGED), { force: true })
  }

  check(): { durable: boolean; notes: string[] } {
    refuseReadOnly(this.#dir)
    if (this.#isFull) this.#tryRoom()
    return { durable: true, notes: this.#fsync ? [] : [FSYNC_OFF] }
  }

  close(): void {
    try {
      this.#writeLines(this.#waiting)
      fsyncSync(this.#fd)
    } finally {
      closeSync(this.#fd)
      this.#unlock()
    }
  }

  #lineOf(line: JournalLine, at: number): string {
    const text = this.#place.seal(JSON.stringify(line), boundOf(this.#name, at))
    return this.#name === undefined ? `${text}\n` : `${at} ${text}\n`
  }

  #write(text: string): void {
    try {
      const written = writeAll(this.#fd, text)
      if (this.#fsync) fdatasyncSync(this.#fd)
      this.#size += written
      this.#isFull = false
    } catch (error) {
      this.#isFull = true
      cutBack(this.#fd, this.#size)
      throw new StoreError('down', `the journal cannot be written (${(error as NodeJS.ErrnoException).code})`)
    }
  }

  /** Throws until there is space again; nothing of it stays. */
  #tryRoom(): void {
    const before = this.#size
    this.#write(' '.repeat(ROOM_OCTETS))
    cutBack(this.#fd, (this.#size = before))
  }

  /** A line that is not written uses no number. */
  #writeLines(lines: readonly JournalLine[]): void {
    if (lines.length) this.#write(lines.map((line, n) => this.#lineOf(line, this.#number + 1 + n)).join(''))
    this.#number += lines.length
    this.#waiting = []
  }

  /** Into a file with its own name, so that no line of an earlier file opens in it. */
  #rewrite(live: Iterable<JournalLine>): void {
    const [name, number] = [this.#name, this.#number]
    this.#name = this.#sealer.seals ? this.#sealer.fresh() : undefined
    this.#number = 0
    try {
      const next = writeNew(this.#dir, headerOf(this.#name), live, (line) => this.#lineOf(line, ++this.#number))
      closeSync(this.#fd)
      this.#fd = next.fd
      this.#size = this.#compacted = next.size
    } catch (error) {
      ;[this.#name, this.#number] = [name, number]
      throw error
    }
  }
}

function headerOf(name: string | undefined): string {
  return name === undefined ? HEADER : `{"journal":"ussd-dialogues","version":4,"file":"${name}"}\n`
}

function refuseReadOnly(dir: string): void {
  try {
    accessSync(dir, constants.W_OK)
  } catch {
    throw new StoreError('down', `${dir} cannot be written to`)
  }
}

/** How many characters are written at once while rewriting. */
const CHUNK = 65_536

/** A journal of only the live lines, in place of the old one. */
function writeNew(
  dir: string,
  header: string,
  live: Iterable<JournalLine>,
  lineOf: (change: JournalLine) => string,
): { fd: number; size: number } {
  const file = join(dir, FILE)
  let fd: number | undefined
  try {
    fd = openSync(`${file}.new`, 'w', 0o600)
    let size = 0
    let text = header
    for (const change of live) {
      text += lineOf(change)
      if (text.length < CHUNK) continue
      size += writeAll(fd, text)
      text = ''
    }
    size += writeAll(fd, text)
    fsyncSync(fd)
    renameSync(`${file}.new`, file)
    syncDirectory(dir)
    return { fd, size }
  } catch (error) {
    if (fd !== undefined) closeSync(fd)
    throw new StoreError('down', `the journal cannot be rewritten (${(error as NodeJS.ErrnoException).code})`)
  }
}

function writeAll(fd: number, text: string): number {
  const octets = Buffer.from(text)
  for (let at = 0; at < octets.length;) at += writeSync(fd, octets, at)
  return octets.length
}

/** After a failed write (a full disk) half a line may be at the end. */
function cutBack(fd: number, size: number): void {
  try {
    ftruncateSync(fd, size)
  } catch {
    // The next start reports the torn or damaged line.
  }
}

/** The rename itself must survive a power failure. Not every system allows syncing a directory. */
function syncDirectory(dir: string): void {
  try {
    const fd = openSync(dir, 'r')
    fsyncSync(fd)
    closeSync(fd)
  } catch {
    return
  }
}
