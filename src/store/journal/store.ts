/**
 * Dialogues on one machine without Redis: a JSON-lines journal under the memory store. What was answered was written
 * before, so it survives the end of the process; with `fsync` also the end of the machine's power.
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
import { dialogueRegister } from '../dialogues.ts'
import { memoryRegister, type Journal, type JournalLine, type MemoryOptions } from './memory.ts'
import { plainSealer, type SealPlace, type Sealer } from '../seal.ts'

export interface JournalOptions {
  /** Created if it is not there; one process at a time. Undefined: memory only, nothing survives. */
  dir?: string | undefined
  limits: DialogueLimits
  /** fdatasync before every answer: survives a power failure, costs a disk write a turn. Default false. */
  fsync?: boolean
  /** Encrypts each line. Default: lines are written as they are. */
  sealer?: Sealer
  /** The journal is rewritten when it is over this and twice what it held when last rewritten. */
  compactOctets?: number
  onFault?: (fault: StoreFault) => void
  log?: Log
}

/** About ten thousand turns: rewritten seldom, read in well under a second at a start. */
const COMPACT_OCTETS = 16 * 1024 * 1024

/** Throws UsageError if another process has the directory, or the journal is of a newer release. */
export async function journalDialogues(options: JournalOptions): Promise<DialogueStore> {
  const { dir, limits, onFault, log } = options
  const over = (memory: MemoryOptions) =>
    createDialogues({
      register: dialogueRegister({ register: memoryRegister({ ...memory, onFault }), limits, onFault, log }),
      limits,
    })
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
/** Of one whose lines are sealed: each is `<number> <sealed>`, bound to this file and to its number in it. */
const SEALED_HEADER = /^\{"journal":"ussd-dialogues","version":4,"file":"([\w-]{1,64})"\}$/
const FILE = 'dialogues.jsonl'
/** More than what is left on a full disk, less than any that has room. */
const ROOM_OCTETS = 65_536
const FSYNC_OFF = 'dialogues of the last seconds may be lost if the machine loses power (fsync is off)'
/** Lines that do not read are kept here, for whoever looks into it. */
const DAMAGED = 'dialogues.damaged'

interface Held {
  lines: JournalLine[]
  /** That read. */
  octets: number
  /** What its lines are bound to; undefined: to nothing. */
  name: string | undefined
  /** Of the last line. */
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
    // Lines were taken out.
    if (at > number + damaged + 1) onFault?.('corrupt')
    damaged = 0
    number = at
    lines.push(change)
  }
  return { lines, octets, name, number }
}

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

/** Why it does not read, else. Throws UsageError where a key is missing: with it, the line reads. */
function read(line: string, place: SealPlace, bound: string): JournalLine | 'corrupt' | 'unsealed' {
  try {
    const change = JSON.parse(place.open(line, bound)) as JournalLine
    if ('put' in change) return typeof change.value === 'string' && change.untilMs > 0 ? change : 'corrupt'
    return 'due' in change || 'gone' in change || 'settled' in change ? change : 'corrupt'
  } catch (error) {
    if (error instanceof StoreError && error.code === 'sealed') throw new UsageError(error.message)
    return error instanceof StoreError && error.code === 'unsealed' ? 'unsealed' : 'corrupt'
  }
}

interface Opened extends Held {
  dir: string
  unlock: () => void
}

/** The journal in its file, open to be written to. */
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
    // Half a line of a crash goes before anything is written behind it.
    ftruncateSync(this.#fd, octets)
    // Nothing more goes into a file whose lines are bound to nothing, once there is a key.
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
    this.#compacted = this.#size // where it fails, the next attempt waits until the journal has doubled
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

  /** Throws until there is room again; nothing stays of it. */
  #tryRoom(): void {
    const before = this.#size
    this.#write(' '.repeat(ROOM_OCTETS))
    cutBack(this.#fd, (this.#size = before))
  }

  /** What is not written keeps no number. */
  #writeLines(lines: readonly JournalLine[]): void {
    if (lines.length) this.#write(lines.map((line, n) => this.#lineOf(line, this.#number + 1 + n)).join(''))
    this.#number += lines.length
    this.#waiting = []
  }

  /** In a file of its own name, so that no line of an earlier one opens in it. */
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

/** Characters that are written at once while rewriting. */
const CHUNK = 65_536

/** A journal of only what is live, in place of the old one. */
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

/** After a failed write (a full disk) half a line may stand at the end. */
function cutBack(fd: number, size: number): void {
  try {
    ftruncateSync(fd, size)
  } catch {
    // The next start reports the torn or damaged line.
  }
}

/** The rename itself must survive a power failure; not every system lets a directory be synced. */
function syncDirectory(dir: string): void {
  try {
    const fd = openSync(dir, 'r')
    fsyncSync(fd)
    closeSync(fd)
  } catch {
    return
  }
}
