/**
 * How a dialogue is stored. The first line, the head, is what a register reads and what is visible without a key:
 *
 *     <form><flag><version> <turn> <epoch>
 *
 * The version is ours: letters, digits, - _ and /. The flag is that of the reply: u unconfirmed, c confirmed, - none
 * waits. The body follows: a line of JSON (short, because Redis costs per octet), the snapshot and, during a first
 * turn, the entry before it in the same form. In form 4 snapshots are packed (machines/packed.ts), in form 3 they are
 * not: it is written while a daemon runs beside this one that reads no other. With keys the whole body is sealed,
 * bound to the name, the form and the head; the flag, which changes by itself, is not part of that.
 */
import { packed, unpacked, withoutZeros } from '../../machines/packed.ts'
import type { DialogueEntry, DialogueKey, Track } from '../dialogue/index.ts'
import { ownPiece, StoreError } from '../base/index.ts'
import type { EndReason, JsonObject, ReturnPath, UssdAction } from '../ussd/index.ts'
import type { SealPlace } from './seal.ts'

/** The forms that this release reads. What a dialogue is, they say alike. */
export type RecordForm = 3 | 4
export const NEWEST_FORM: RecordForm = 4
/** What every daemon reads. */
export const OLDEST_FORM: RecordForm = 3

/** The part that a register compares. */
export function versionOf(value: string): string {
  return value.slice(2, value.indexOf(' '))
}

/** What `settle` looks for in a head. */
export function turnOf(epoch: string, turn: number): string {
  return `${turn} ${word(epoch)}`
}

/** Whether the reply of this turn has not been accepted yet. */
export function waitsFor(value: string, turn: string): boolean {
  const [, flag, , at, epoch] = HEAD.exec(value) ?? []
  return flag === 'u' && `${at} ${epoch}` === turn
}

/** The value after its reply was accepted. */
export function settled(value: string): string {
  return `${value[0]}c${value.slice(2)}`
}

/** A later release wrote it: an older one can tell whose it is, and nothing more. */
function isNewer(value: string): boolean {
  return /^[5-9][uc-]\S/.test(value)
}

/** Throws StoreError 'too-large' if the snapshot has more octets. */
export function writeRecord(
  place: SealPlace,
  entry: DialogueEntry,
  snapshotOctetsMax: number,
  form: RecordForm = NEWEST_FORM,
): string {
  const body = bodyOf(entry, place, snapshotOctetsMax, form)
  const head = `${entry.version} ${turnOf(entry.epoch, entry.turn)}`
  return `${form}${FLAG[String(entry.confirmed) as keyof typeof FLAG]}${head}\n${place.seal(body, bound(form, head))}`
}

/**
 * Throws if the value is unreadable; StoreError 'sealed' if its key is not here, 'corrupt' if it was altered or moved.
 */
export function readRecord(place: SealPlace, value: string): DialogueEntry {
  if (isNewer(value)) throw new StoreError('newer', NEWER)
  if (!HEAD.test(value)) throw new Error('not in a form that this release knows')
  const end = value.indexOf('\n')
  const version = value.indexOf(' ')
  const turn = value.indexOf(' ', version + 1)
  return readBody(place.open(value.slice(end + 1), bound(Number(value[0]), value.slice(2, end))), place, {
    version: value.slice(2, version),
    turn: Number(value.slice(version + 1, turn)),
    // It outlives the turn: what is known of the newest screens has it, and the call detail record.
    epoch: ownPiece(string(value.slice(turn + 1, end))),
    confirmed: CONFIRMED[value[1] as keyof typeof CONFIRMED],
  })
}

/** What a seal binds of the first line. Form 3 did not name itself. */
function bound(form: number, head: string): string {
  return form === 3 ? head : `${form} ${head}`
}

const NEWER = 'a dialogue in Redis is of a later release, which serves it: replace this daemon, too'
const HEAD = /^[34]([uc-])(\S+) (\d+) (\S+)\n/
const FLAG = { true: 'c', false: 'u', null: '-' } as const
const CONFIRMED = { c: true, u: false, '-': null } as const

const STATUS = { taken: 't', resting: 'r', ended: 'e' } as const
const KIND = { begin: 'b', input: 'i', 'notify-ack': 'n' } as const
const ACTION: Record<UssdAction, string> = {
  continue: 'c',
  end: 'e',
  notify: 'n',
  'push-begin': 'b',
  'push-end': 'f',
  abort: 'a',
}
const [STATUS_OF, KIND_OF, ACTION_OF] = [inverse(STATUS), inverse(KIND), inverse(ACTION)]

/**
 * `touched` is counted from `opened`, `until` from `touched`. From `msisdn` on, trailing zeros are left out.
 */
/** Without calls but with texts, `calls` is ''. */
type TrackBody = [path: string, waitMs: number, backendMs: number, calls?: string, texts?: Track['texts']]

type Body = [
  status: string,
  network: string,
  code: string,
  kind: string,
  text: string,
  step: number | null,
  line: string,
  path: unknown[],
  opened: number,
  touched: number,
  reply: [revision: string, action: string, text: string, step: number | null, link: string] | 0,
  msisdn?: string | 0,
  past?: DialogueEntry['past'] | 0,
  ended?: string | 0,
  until?: number | 0,
  takeovers?: number,
  /** 1: the counter of the answer is stalled. */
  stalled?: number,
  heard?: string | 0,
  track?: TrackBody | 0,
  /** Of an open dialogue: the SMS for who leaves it. */
  ifLeft?: JsonObject | 0,
]
type Before = [
  version: string,
  turn: number,
  epoch: string,
  confirmed: boolean | null,
  snapshot: unknown,
  ...body: Body,
]

function bodyOf(entry: DialogueEntry, { hidesNumber }: SealPlace, snapshotOctetsMax: number, form: RecordForm): string {
  const { previous } = entry
  const snapshot = entry.snapshot === null ? '' : JSON.stringify(snapshotOf(entry, form))
  refuseTooLarge(snapshot, snapshotOctetsMax)
  const before: Before | null = previous && [
    previous.version,
    previous.turn,
    previous.epoch,
    previous.confirmed,
    snapshotOf(previous, form),
    ...written(previous, 0),
  ]
  const said = written(entry, hidesNumber ? entry.key.msisdn : 0)
  return `${JSON.stringify(said)}\n${snapshot}${before ? `\n${JSON.stringify(before)}` : ''}`
}

function snapshotOf({ snapshot, key, code, line }: DialogueEntry, form: RecordForm): unknown {
  return snapshot === null || form < 4 ? snapshot : packed(snapshot, { msisdn: key.msisdn, code, line })
}

/** Throws StoreError 'too-large' over the limit. */
function refuseTooLarge(snapshot: string, octetsMax: number): void {
  // A character has at most three octets.
  if (snapshot.length * 3 <= octetsMax) return
  const octets = Buffer.byteLength(snapshot)
  if (octets <= octetsMax) return
  throw new StoreError('too-large', `a snapshot of ${octets} octets is over snapshotOctetsMax, ${octetsMax}`)
}

function written(entry: DialogueEntry, msisdn: string | 0): Body {
  const { answer, reply, key, openedMs, touchedMs, untilMs } = entry
  const body: Body = [
    STATUS[entry.status],
    entry.network,
    entry.code,
    KIND[answer.kind],
    answer.text,
    answer.step,
    entry.line,
    pathOf(entry.returnPath, key),
    openedMs,
    touchedMs - openedMs,
    reply ? [entry.revision, ACTION[reply.action], reply.text, reply.step, reply.link] : 0,
    msisdn,
    entry.past.length === 0 ? 0 : entry.past,
    entry.ended ?? 0,
    untilMs === null ? 0 : untilMs - touchedMs,
    entry.takeovers ?? 0,
    answer.isStalled ? 1 : 0,
    entry.heard || 0,
    entry.track ? trackOf(entry.track) : 0,
    entry.ifLeft && entry.status !== 'ended' ? entry.ifLeft : 0,
  ]
  return withoutZeros(body, BODY_MIN)
}

function pathOf({ from, to, serviceType, carrier, beginOp, more }: ReturnPath, key: DialogueKey): unknown[] {
  // The reply nearly always goes to the MSISDN itself: 0 stands for it.
  const digits = from[2] === key.msisdn ? 0 : from[2]
  if (more) return [from[0], from[1], digits, to[0], to[1], to[2], serviceType, carrier, beginOp ?? null, more]
  const path = [from[0], from[1], digits, to[0], to[1], to[2], serviceType, carrier]
  return beginOp === undefined ? path : [...path, beginOp]
}

/** The elements up to the reply. */
const BODY_MIN = 11

type Head = Pick<DialogueEntry, 'version' | 'turn' | 'epoch' | 'confirmed'>

function readBody(body: string, place: SealPlace, head: Head): DialogueEntry {
  const first = body.indexOf('\n')
  const second = body.indexOf('\n', first + 1)
  if (first < 0 || (second > 0 && body.includes('\n', second + 1))) throw new Error('a dialogue has two lines or three')
  const read = JSON.parse(body.slice(0, first)) as Body
  const key = place.key ?? { group: place.name.slice(0, place.name.lastIndexOf(':')), msisdn: read[11] || '' }
  const text = second < 0 ? body.slice(first + 1) : body.slice(first + 1, second)
  const snapshot: unknown = text === '' ? null : JSON.parse(text)
  const previous = second < 0 ? null : readBefore(body.slice(second + 1), key)
  return entryOf(head, read, key, { snapshot, previous })
}

function readBefore(line: string, key: DialogueKey): DialogueEntry {
  const [version, turn, epoch, confirmed, snapshot, ...body] = JSON.parse(line) as Before
  return entryOf({ version, turn, epoch, confirmed }, body, key, { snapshot, previous: null })
}

/**
 * Written out in one literal, and what is rarely there is added: an object of so many fields that is put together of
 * others takes several times its octets.
 */
function entryOf(
  { version, turn, epoch, confirmed }: Head,
  body: Body,
  key: DialogueKey,
  { snapshot, previous }: { snapshot: unknown; previous: DialogueEntry | null },
): DialogueEntry {
  const { 0: status, 1: network, 2: code, 3: kind, 4: text, 5: step, 6: line, 7: path, 8: openedMs, 9: touched } = body
  const { 10: reply, 12: past = 0, 13: ended = 0, 14: until = 0, 15: takeovers = 0 } = body
  const touchedMs = openedMs + touched
  const entry: DialogueEntry = {
    version,
    turn,
    epoch,
    confirmed,
    key: { ...key },
    status: known(STATUS_OF, status),
    network,
    code,
    answer: { kind: known(KIND_OF, kind), text, step },
    line,
    returnPath: readPath(path, key),
    openedMs,
    touchedMs,
    untilMs: ended === 0 ? null : touchedMs + until,
    ended: ended === 0 ? null : (ended as EndReason),
    takeovers,
    revision: reply === 0 ? '' : reply[0],
    reply: reply === 0 ? null : { action: known(ACTION_OF, reply[1]), text: reply[2], step: reply[3], link: reply[4] },
    past: past === 0 ? [] : past,
    snapshot: snapshot === null ? null : unpacked(snapshot, { msisdn: key.msisdn, code, line }),
    previous,
  }
  if (body.length > RARE_FROM) addRare(entry, body)
  return entry
}

/** The first element that is rarely there. */
const RARE_FROM = 16

function addRare(entry: DialogueEntry, body: Body): void {
  const { 16: stalled, 17: heard, 18: track, 19: ifLeft } = body
  if (stalled) entry.answer.isStalled = true
  if (heard) entry.heard = heard
  if (ifLeft) entry.ifLeft = ifLeft
  if (!track) return
  const [path, waitMs, backendMs, calls, texts] = track
  entry.track = { path, waitMs, backendMs }
  if (calls) entry.track.calls = calls
  if (texts) entry.track.texts = texts
}

function trackOf({ path, waitMs, backendMs, calls, texts }: Track): TrackBody {
  if (texts) return [path, waitMs, backendMs, calls ?? '', texts]
  return calls === undefined ? [path, waitMs, backendMs] : [path, waitMs, backendMs, calls]
}

function readPath(path: unknown[], key: DialogueKey): ReturnPath {
  const { 0: ton, 1: npi, 2: from, 3: toTon, 4: toNpi, 5: to, 6: serviceType, 7: carrier, 8: beginOp, 9: more } = path
  const read: ReturnPath = {
    from: [ton, npi, from === 0 ? key.msisdn : from] as ReturnPath['from'],
    to: [toTon, toNpi, to] as ReturnPath['to'],
    serviceType: serviceType as string,
    carrier: carrier as string,
  }
  if (typeof beginOp === 'number') read.beginOp = beginOp
  if (more !== undefined) read.more = more as Record<string, string>
  return read
}

/** Unchanged, or as JSON without spaces if it could be taken for something else. */
export function word(text: string): string {
  if (PLAIN.test(text)) return text
  const json = JSON.stringify(text)
  return json.includes(' ') ? json.replaceAll(' ', '\\u0020') : json
}

/** Printable ASCII that does not begin like JSON, like an empty value, or like sealed text. */
const PLAIN = /^[!#-,.-~][!-~]*$/

function string(stored: string): string {
  if (stored === '') throw new Error('a word of a dialogue is not a string')
  return stored[0] === '"' ? (JSON.parse(stored) as string) : stored
}

function known<T>(table: Record<string, T>, letter: string): T {
  const found = table[letter]
  if (found === undefined) throw new Error('a letter of a dialogue is not known')
  return found
}

function inverse<K extends string>(table: Record<K, string>): Record<string, K> {
  return Object.fromEntries((Object.entries(table) as [K, string][]).map(([name, letter]) => [letter, name]))
}
