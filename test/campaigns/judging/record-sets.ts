/**
 * What "each dialogue has one record" means, as a comparison of sets: what was opened, what is in `cdr`, and what is in
 * the files for mediation. Pure, but for the folder that it reads.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface RecordSets {
  /** Epochs that phones had on their displays, and those that a back end was asked for. */
  seen: Iterable<string>
  /** Epochs that the store of dialogues knows. */
  opened: Iterable<string>
  /** SMS that met their end: the beginning of their epochs. */
  sms: Iterable<string>
  /** Dialogues whose holding text a phone had on its display: an answer is owed. */
  promised: Iterable<string>
  /** Dialogues of which a back end was asked for an answer that comes later: no others have one. */
  asked: Iterable<string>
  /** Dials that were turned away and have a record: their epochs. Whose they must be, `differences` tells by number. */
  turnedAway: Iterable<string>
  /** `kind epoch` of each row, as often as there is one. */
  recorded: readonly string[]
  /** The same of each row of each file. */
  filed: readonly string[]
}

/** What is wrong, in words: missing, too many, or never opened. */
export function setBreaches(sets: RecordSets): string[] {
  const { seen, opened, sms, promised, asked, turnedAway, recorded, filed } = sets
  const known = new Set(opened)
  const rows = new Set(recorded.map(subjectOf))
  const all = (kind: string, epochs: Iterable<string>) => [...epochs].map((epoch) => `${kind} ${epoch}`)
  const expected = [...all('dialogue', known), ...all('sms', sms), ...all('deferred', promised)]
  const isExpected = new Set([...expected, ...all('deferred', asked), ...all('refused', turnedAway)])
  const [isRecorded, isFiled] = [new Set(recorded), new Set(filed)]
  return [
    ...[...seen].filter((epoch) => !known.has(epoch)).map((epoch) => `seen and never opened: ${epoch}`),
    ...expected.filter((one) => !rows.has(one)).map((one) => `no record: ${one}`),
    ...[...rows].filter((one) => !isExpected.has(one)).map((one) => `a record of what never was: ${one}`),
    ...twice(recorded).map((one) => `two records: ${one}`),
    ...recorded.filter((one) => !isFiled.has(one)).map((one) => `recorded and in no file: ${one}`),
    ...filed.filter((one) => !isRecorded.has(one)).map((one) => `in a file and not recorded: ${one}`),
    ...twice(filed).map((one) => `twice in files: ${one}`),
  ]
}

/** What is missing, what is too much, and what is there twice. `may`: what is no fault either way. */
export function differences(
  what: string,
  expected: Iterable<string>,
  found: readonly string[],
  may: Iterable<string> = [],
): string[] {
  const [there, owed] = [new Set(found), new Set(expected)]
  const allowed = new Set([...owed, ...may])
  return [
    ...[...owed].filter((one) => !there.has(one)).map((one) => `no ${what}: ${one}`),
    ...[...there].filter((one) => !allowed.has(one)).map((one) => `${what}, of what never was: ${one}`),
    ...twice(found).map((one) => `two of ${what}: ${one}`),
  ]
}

/** The moment at which an SMS was settled is in its epoch, too; which SMS it is comes before. */
function subjectOf(row: string): string {
  return row.startsWith('sms ') ? row.replace(/^(sms sms-\d+)-\d+$/, '$1') : row
}

function twice(all: readonly string[]): string[] {
  const once = new Set<string>()
  return [...new Set(all.filter((one) => once.size === once.add(one).size))]
}

export interface FilesRead {
  /** `kind epoch` of each row. */
  rows: string[]
  /** Of dials that were turned away. */
  numbers: string[]
  files: number
  /** Empty ones among them. */
  empty: number
  /** Gaps, wrong counts and wrong hashes, in words. */
  wrong: string[]
}

const NAME = /^(.+)-(\d{8})-\d{8}T\d{6}Z\.(csv|ndjson)$/

/** All whole files of a folder. Files of one daemon alone have its name behind that of the partner. */
export function readMediation(dir: string): FilesRead {
  const read: FilesRead = { rows: [], numbers: [], files: 0, empty: 0, wrong: [] }
  const last = new Map<string, number>()
  for (const name of readdirSync(dir).toSorted()) {
    const [, series, seq, format] = NAME.exec(name) ?? []
    if (series === undefined) {
      if (!name.endsWith('.part')) read.wrong.push(`${name} is no name of a file for mediation`)
      continue
    }
    const before = last.get(series) ?? 0
    if (Number(seq) !== before + 1) read.wrong.push(`${name} follows number ${before}`)
    last.set(series, Number(seq))
    const { rows, numbers, wrong } = readOne(readFileSync(join(dir, name), 'utf8'), format === 'csv')
    read.files++
    if (rows.length === 0) read.empty++
    read.rows.push(...rows)
    read.numbers.push(...numbers)
    read.wrong.push(...wrong.map((what) => `${name}: ${what}`))
  }
  return read
}

interface RowRead {
  kind: string
  epoch: string
  msisdn: string
}

/** As the columns of a CSV file begin. */
function rowOfCsv(line: string): RowRead {
  const [epoch = '', kind = '', , , msisdn = ''] = line.split(',')
  return { epoch, kind, msisdn }
}

function readOne(text: string, isCsv: boolean): { rows: string[]; numbers: string[]; wrong: string[] } {
  const lines = text.split('\n').slice(0, -1)
  const end = lines.pop() ?? ''
  const body = text.slice(0, text.length - end.length - 1)
  const said = isCsv ? endOfCsv(end) : endOfJson(end)
  const all = isCsv ? lines.slice(1).map(rowOfCsv) : lines.map((line) => JSON.parse(line) as RowRead)
  const rows = all.map(({ kind, epoch }) => `${kind} ${epoch}`)
  const numbers = all.flatMap(({ kind, msisdn }) => (kind === 'refused' ? msisdn : []))
  const sha256 = createHash('sha256').update(body).digest('hex')
  const wrong = [
    ...(said.rows === rows.length ? [] : [`${rows.length} rows, and its trailer says ${said.rows}`]),
    ...(said.sha256 === sha256 ? [] : ['its hash is another']),
  ]
  return { rows, numbers, wrong }
}

interface Trailer {
  rows: number
  sha256: string
}

function endOfCsv(line: string): Trailer {
  const [word, rows, sha256 = ''] = line.split(',')
  return { rows: word === 'END' ? Number(rows) : -1, sha256 }
}

function endOfJson(line: string): Trailer {
  try {
    const { end, rows, sha256 } = JSON.parse(line) as Trailer & { end: boolean }
    return { rows: end ? rows : -1, sha256 }
  } catch {
    return { rows: -1, sha256: '' }
  }
}
