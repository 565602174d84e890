/**
 * How a dialogue is written down in Redis: one string, lines of words, short because Redis is paid for by the octet,
 * and laid out so that a script decides by the first line without decoding the rest:
 *
 *     1rc turn epoch opened touched token network code kind text step beginOp until ended reply-link reply-step
 *     past-network until …
 *     [line, return path]
 *     [revision, reply action, reply text]
 *     snapshot
 *     what stood here before, in the same form (first turn only)
 *
 * The first three characters: version of this form (1 plain, 2 sealed); taken, resting, ended; reply confirmed,
 * unconfirmed, - none waits. `touched` is counted from `opened`; `-` is null. `until` is when a tombstone runs out; of
 * a turn that is taken, how often it was taken over: there releases that do not count leave the word as it is.
 *
 * Where there are keys (seal.ts), code and text are words that only equal ones share; the third line seals the text,
 * the MSISDN and the path; the fourth seals reply and snapshot, and the fifth is empty. Each is bound to its field, to
 * what of the first line stays while a dialogue lives (epoch, opened, network, code), and to its turn: of an answer
 * that is under way, the reply is that of the turn before.
 */
import { readSnapshot, type DialogueKey, type DialogueRecord, type Taking } from '../../dialogue/index.ts'
import { StoreError } from '../../base/index.ts'
import type { EndReason, ReturnPath, UssdAction } from '../../ussd/index.ts'
import { word, wordOrNone } from '../stored-word.ts'
import { isSealed, type SealPlace, type Sealer } from '../seal.ts'

export const KIND = { begin: 'b', input: 'i', 'notify-ack': 'n' } as const

const ACTION: Record<UssdAction, string> = {
  continue: 'c',
  end: 'e',
  notify: 'n',
  'push-begin': 'b',
  'push-end': 'f',
  abort: 'a',
}

/** The first line of a dialogue that opens; the script puts in what it remembers of earlier ones after it. */
export function writeOpenHead(taking: Taking, place: SealPlace, sealer: Sealer): string {
  const { answer, returnPath } = taking
  return [
    `${formOf(sealer)}t- 1`,
    word(taking.epoch),
    taking.nowMs,
    0,
    word(taking.token),
    word(taking.network),
    sealer.code(taking.code),
    KIND[answer.kind],
    place.mark(answer.text),
    wordOrNone(answer.step),
    wordOrNone(returnPath.beginOp),
    '- - - -',
  ].join(' ')
}

/** Which form a store writes. A release that binds no seals leaves form 2 alone. */
export function formOf({ seals }: Sealer): '1' | '2' {
  return seals ? '2' : '1'
}

/** What the parts of a record are bound to. */
export interface Binding {
  turn: number
  /** Words of the first line that stay while a dialogue lives. */
  dialogue: string
}

/** Of a record, or of its first line. */
export function bindingOf(stored: string): Binding {
  const [, turn, epoch, opened, , , network, code] = stored.slice(0, stored.indexOf('\n') >>> 0).split(' ')
  return { turn: Number(turn), dialogue: `${epoch} ${opened} ${network} ${code}` }
}

/** As a script says it. */
export function boundTo({ turn, dialogue }: Binding): string {
  return `${turn} ${dialogue}`
}

const PATH = 'path'
const OUTCOME = 'outcome'

/** A turn, and how it is sealed. */
export interface Written {
  place: SealPlace
  sealer: Sealer
  /** Undefined: it is not known yet, and a script will tell it. */
  binding: Binding | undefined
}

/**
 * The line of a message and its return path, without what began the dialogue: that stands in the first line. Where the
 * reply goes to the MSISDN itself, as nearly always, 0 stands for it.
 */
export function writePath({ key, line, answer, returnPath }: Taking, { place, sealer, binding }: Written): string {
  if (sealer.seals && !binding) return ''
  const {
    from: [ton, npi, digits],
    to,
    serviceType,
    carrier,
    more,
  } = returnPath
  const from = digits === key.msisdn ? 0 : digits
  const path = JSON.stringify([line, ton, npi, from, ...to, serviceType, carrier, ...(more ? [more] : [])])
  return binding
    ? place.seal(`${JSON.stringify([answer.text, key.msisdn])}\n${path}`, `${PATH} ${boundTo(binding)}`)
    : path
}

/** The lines of a reply and of a snapshot. */
export function writeOutcome(
  said: { revision: string; action: UssdAction; text: string; snapshot: string },
  { place, sealer, binding }: Written,
): string {
  if (sealer.seals && !binding) return ''
  const lines = `${JSON.stringify([said.revision, ACTION[said.action], said.text])}\n${said.snapshot}`
  return binding ? `${place.seal(lines, `${OUTCOME} ${boundTo(binding)}`)}\n` : lines
}

/** Another version of this form: an older release can tell whose it is, and no more. */
export function isNewer(stored: string): boolean {
  return /^[3-9][tre][cu-] /.test(stored)
}

export interface Stored {
  record: DialogueRecord
  previous: DialogueRecord | null
  /** Why what stood there before does not read, if it does not. */
  unread?: StoreError
}

/**
 * What a stored string says, and what it says stood there before. Throws if it does not read; StoreError 'sealed' if
 * its key is not here.
 */
export function readRecord(place: SealPlace, stored: string, sealer: Sealer): Stored {
  const lines = cut(stored, 5)
  const [head, , pathLine, replyLine, snapshotLine, before] = lines
  if (!/^[12]/.test(stored) || snapshotLine === undefined) throw new Error('not in a form that this release knows')
  const words = head!.split(' ')
  if (words.length !== 16) throw new Error('the first line of a dialogue has 16 words')
  const [
    flags,
    turn,
    epoch,
    opened,
    touched,
    ,
    network,
    code,
    kind,
    mark,
    step,
    beginOp,
    until,
    ended,
    link,
    replyStep,
  ] = words
  const binding = bindingOf(head!)
  const { text, key, path } = openPath(place, pathLine!, mark!, binding)
  const [reply, snapshot] = openOutcome(place, [replyLine!, snapshotLine], { status: flags![1], binding, sealer })
  const replied = reply === '' ? null : (JSON.parse(reply) as [string, string, string])
  const record: DialogueRecord = {
    key,
    epoch: string(epoch),
    status: oneOf(STATUS, flags![1]),
    network: string(network),
    turn: Number(turn),
    revision: replied ? replied[0] : '',
    code: openCode(code!, sealer),
    line: path[0] as string,
    snapshot: readSnapshot(snapshot),
    answer: { kind: oneOf(KIND_OF, kind), text, step: number(step) },
    reply: replied && {
      action: oneOf(ACTION_OF, replied[1]),
      text: replied[2],
      step: number(replyStep),
      link: string(link),
    },
    returnPath: readPath(key, path, number(beginOp)),
    openedMs: Number(opened),
    touchedMs: Number(opened) + Number(touched),
    ended: ended === '-' ? null : (ended as EndReason),
    ...(flags![1] === 't' && until !== '-' ? { takeovers: Number(until) } : {}),
  }
  return { record, ...(before === undefined ? { previous: null } : readBefore({ ...place, key }, before, sealer)) }
}

function openCode(stored: string, sealer: Sealer): string {
  const code = sealer.openCode(stored)
  return isSealed(stored) ? code : string(code)
}

/** What stood there before may be of a key that is gone, or forged: nothing is offered for resume then. */
function readBefore(place: SealPlace, before: string, sealer: Sealer): Omit<Stored, 'record'> {
  try {
    return { previous: readRecord(place, before, sealer).record }
  } catch (error) {
    if (error instanceof StoreError) return { previous: null, unread: error }
    throw error
  }
}

function openPath(
  place: SealPlace,
  line: string,
  mark: string,
  binding: Binding,
): { text: string; key: DialogueKey; path: unknown[] } {
  const opened = place.open(line, `${PATH} ${boundTo(binding)}`)
  if (!isSealed(line)) {
    if (!place.key) throw new Error('a name hides the number of a dialogue that does not tell it')
    return { text: string(mark), key: { ...place.key }, path: JSON.parse(line) as unknown[] }
  }
  const [said, path] = pair(opened)
  const [text, msisdn] = JSON.parse(said) as [string, string]
  const group = place.name.slice(0, place.name.lastIndexOf(':'))
  return { text, key: place.key ? { ...place.key } : { group, msisdn }, path: JSON.parse(path) as unknown[] }
}

interface Opening {
  status: string | undefined
  binding: Binding
  sealer: Sealer
}

/**
 * Reply and snapshot. What a turn under way stands on is the outcome of the turn before; what ended may have ended in
 * either.
 */
function openOutcome(
  place: SealPlace,
  [line, snapshot]: [string, string],
  { status, binding, sealer }: Opening,
): [string, string] {
  const { turn, dialogue } = binding
  const boundAt = (at: number) => `${OUTCOME} ${boundTo({ turn: at, dialogue })}`
  if (!sealer.seals) return [place.open(line, ''), snapshot]
  if (line === '' && snapshot === '' && turn === 1 && status !== 'r') return ['', '']
  if (!isSealed(line)) return [place.open(line, ''), snapshot]
  if (status !== 'e') return pair(place.open(line, boundAt(status === 't' ? turn - 1 : turn)))
  try {
    return pair(place.open(line, boundAt(turn)))
  } catch (error) {
    if (turn === 1 || !(error instanceof StoreError) || error.code !== 'corrupt') throw error
    return pair(place.open(line, boundAt(turn - 1)))
  }
}

function pair(text: string): [string, string] {
  const at = text.indexOf('\n')
  return [text.slice(0, at), text.slice(at + 1)]
}

const STATUS: Record<string, DialogueRecord['status']> = { t: 'taken', r: 'resting', e: 'ended' }
const KIND_OF: Record<string, DialogueRecord['answer']['kind']> = { b: 'begin', i: 'input', n: 'notify-ack' }

const ACTION_OF: Record<string, UssdAction> = Object.fromEntries(
  Object.entries(ACTION).map(([action, letter]) => [letter, action as UssdAction]),
)

function readPath(key: DialogueKey, said: unknown[], beginOp: number | null): ReturnPath {
  const [, fromTon, fromNpi, from, toTon, toNpi, to, serviceType, carrier, more] = said
  return {
    from: [fromTon, fromNpi, from === 0 ? key.msisdn : from] as ReturnPath['from'],
    to: [toTon, toNpi, to] as ReturnPath['to'],
    serviceType: serviceType as string,
    carrier: carrier as string,
    ...(beginOp === null ? {} : { beginOp }),
    ...(more === undefined ? {} : { more: more as Record<string, string> }),
  }
}

/** The first `count` lines, and all that follows as one more. */
function cut(text: string, count: number): (string | undefined)[] {
  const lines: string[] = []
  let from = 0
  while (lines.length < count) {
    const to = text.indexOf('\n', from)
    if (to < 0) return [...lines, text.slice(from)]
    lines.push(text.slice(from, to))
    from = to + 1
  }
  return [...lines, text.slice(from)]
}

function string(stored: string | undefined): string {
  if (stored === undefined || stored === '-' || stored === '') throw new Error('a word of a dialogue is not a string')
  if (stored[0] !== '"') return stored
  return stored.includes('\\') ? (JSON.parse(stored) as string) : stored.slice(1, -1)
}

function number(stored: string | undefined): number | null {
  return stored === '-' || stored === undefined ? null : Number(stored)
}

function oneOf<T>(known: Record<string, T>, letter: string | undefined): T {
  const found = known[letter ?? '']
  if (found === undefined) throw new Error('a letter of a dialogue is not known')
  return found
}
