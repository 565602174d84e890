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
 * The first three characters: version of this form; taken, resting, ended; reply confirmed, unconfirmed, - none waits.
 * `touched` is counted from `opened`; `-` is null. A string is a word as it is, or as JSON without spaces where it
 * could be taken for something else: equal strings are equal words.
 */
import { readSnapshot } from '../dialogue/entry.ts'
import type { DialogueKey, DialogueRecord, Taking } from '../dialogue/types.ts'
import type { EndReason, ReturnPath, UssdAction } from '../ussd/types.ts'

/** A string as one word of a line. */
export function word(text: string): string {
  if (PLAIN.test(text)) return text
  const json = JSON.stringify(text)
  return json.includes(' ') ? json.replaceAll(' ', '\\u0020') : json
}

/** Printable ASCII that does not begin like JSON or like nothing. */
const PLAIN = /^[!#-,.-~][!-~]*$/

export function wordOrNone(value: string | number | null | undefined): string {
  if (value === null || value === undefined) return '-'
  return typeof value === 'number' ? String(value) : word(value)
}

export const KIND = { begin: 'b', input: 'i', 'notify-ack': 'n' } as const

const ACTION: Record<UssdAction, string> = {
  continue: 'c', end: 'e', notify: 'n', 'push-begin': 'b', 'push-end': 'f', abort: 'a',
}

/** The first line of a dialogue that opens; the script puts in what it remembers of earlier ones after it. */
export function writeOpenHead(taking: Taking): string {
  const { answer, returnPath } = taking
  return [
    '1t- 1', word(taking.epoch), taking.nowMs, 0, word(taking.token), word(taking.network), word(taking.code),
    KIND[answer.kind], word(answer.text), wordOrNone(answer.step), wordOrNone(returnPath.beginOp), '- - - -',
  ].join(' ')
}

/**
 * The line of a message and its return path, without what began the dialogue: that stands in the first line. Where the
 * reply goes to the MSISDN itself, as nearly always, 0 stands for it.
 */
export function writePath({ key, line, returnPath }: Taking): string {
  const { from: [ton, npi, digits], to, serviceType, carrier, more } = returnPath
  const from = digits === key.msisdn ? 0 : digits
  return JSON.stringify([line, ton, npi, from, ...to, serviceType, carrier, ...(more ? [more] : [])])
}

export function writeReply(revision: string, action: UssdAction, text: string): string {
  return JSON.stringify([revision, ACTION[action], text])
}

export interface Stored {
  record: DialogueRecord
  previous: DialogueRecord | null
}

/** What a stored string says, and what it says stood there before. Throws if it does not read. */
export function readRecord(key: DialogueKey, stored: string): Stored {
  const lines = cut(stored, 5)
  const [head, , path, reply, snapshot, before] = lines
  if (!stored.startsWith('1') || snapshot === undefined) throw new Error('not in a form that this release knows')
  const words = head!.split(' ')
  if (words.length !== 16) throw new Error('the first line of a dialogue has 16 words')
  const [
    flags, turn, epoch, opened, touched, , network, code, kind, text, step, beginOp, , ended, link, replyStep,
  ] = words
  const said = JSON.parse(path!) as unknown[]
  const replied = reply === '' ? null : (JSON.parse(reply!) as [string, string, string])
  const record: DialogueRecord = {
    key: { ...key }, epoch: string(epoch), status: oneOf(STATUS, flags![1]), network: string(network),
    turn: Number(turn), revision: replied ? replied[0] : '', code: string(code), line: said[0] as string,
    snapshot: readSnapshot(snapshot),
    answer: { kind: oneOf(KIND_OF, kind), text: string(text), step: number(step) },
    reply: replied && {
      action: oneOf(ACTION_OF, replied[1]), text: replied[2], step: number(replyStep), link: string(link),
    },
    returnPath: readPath(key, said, number(beginOp)),
    openedMs: Number(opened), touchedMs: Number(opened) + Number(touched),
    ended: ended === '-' ? null : (ended as EndReason),
  }
  return { record, previous: before === undefined ? null : readRecord(key, before).record }
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
    serviceType: serviceType as string, carrier: carrier as string,
    ...(beginOp === null ? {} : { beginOp }), ...(more === undefined ? {} : { more: more as Record<string, string> }),
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
