/**
 * Commands whose octets are written into one buffer, for what a turn asks of one server. ioredis builds a string of
 * each command, word by word, which allocated as much as all else that a turn stores.
 */
import { createHash } from 'node:crypto'
import { Command, type Redis } from 'ioredis'
import { asciiInto } from '../../base/index.ts'

/** A script with its keys and its arguments. */
export type WordsCall = (keys: readonly string[], args: readonly string[]) => Promise<unknown>

class OctetsCommand extends Command {
  readonly #octets: Buffer

  constructor(name: string, ...words: readonly (readonly string[])[]) {
    // Without arguments: an error of ioredis has them, and they are the subscriber's.
    super(name, [], { replyEncoding: 'utf8' })
    this.#octets = octetsOf([name], ...words)
  }

  override toWritable(): Buffer {
    return this.#octets
  }
}

/** Asks for all these values at once. */
export function askedAtOnce(client: Redis, keys: readonly string[]): Promise<(string | null)[]> {
  return client.sendCommand(new OctetsCommand('mget', keys)) as Promise<(string | null)[]>
}

/** A script by its hash. `inFull` runs it where Redis does not know it yet: it was not run then. */
export function scriptByHash(client: Redis, lua: string, inFull: WordsCall): WordsCall {
  const hash = createHash('sha1').update(lua).digest('hex')
  return async (keys, args) => {
    try {
      return await client.sendCommand(new OctetsCommand('evalsha', [hash, String(keys.length)], keys, args))
    } catch (error) {
      if (error instanceof Error && error.message.startsWith('NOSCRIPT')) return inFull(keys, args)
      throw error
    }
  }
}

const STAR = 0x2a
const DOLLAR = 0x24
const CR = 0x0d
const LF = 0x0a
const ZERO = 0x30
/** A length with its sign and its line end, at most. */
const LENGTH_OCTETS = 16
/** The most octets of one UTF-16 unit in UTF-8. */
const UNIT_OCTETS = 3

let page = Buffer.allocUnsafeSlow(65_536)

/** One command of all these words as Redis reads it: an array of bulk strings. (Redis serialization protocol, RESP2) */
export function octetsOf(...lists: readonly (readonly string[])[]): Buffer {
  let words = 0
  for (const list of lists) words += list.length
  let at = lengthInto(STAR, words, 0)
  for (const list of lists) for (const word of list) at = wordInto(word, at)
  return Buffer.from(page.subarray(0, at))
}

/** Up to here two calls of Node.js, one for the length and one for the octets, cost more than the octets. */
const SHORT = 64

function wordInto(word: string, from: number): number {
  const { length } = word
  const most = from + length * UNIT_OCTETS + LENGTH_OCTETS + 2
  if (most > page.length) page = Buffer.concat([page.subarray(0, from)], most * 2)
  if (length <= SHORT) {
    const at = lengthInto(DOLLAR, length, from)
    if (asciiInto(page, word, at)) return lineEnd(at + length)
  }
  // They are counted as they are written, behind the place of their number, which may be a digit longer then.
  const digits = digitsOf(length)
  const place = from + 1 + digits + 2
  const octets = page.write(word, place)
  const longer = digitsOf(octets) - digits
  if (longer > 0) page.copyWithin(place + longer, place, place + octets)
  return lineEnd(lengthInto(DOLLAR, octets, from) + octets)
}

function digitsOf(length: number): number {
  let digits = 1
  for (let rest = length; rest > 9; rest = Math.floor(rest / 10)) digits++
  return digits
}

function lengthInto(sign: number, length: number, from: number): number {
  const digits = digitsOf(length)
  page[from] = sign
  for (let n = digits, rest = length; n > 0; n--, rest = Math.floor(rest / 10)) page[from + n] = ZERO + (rest % 10)
  return lineEnd(from + 1 + digits)
}

function lineEnd(at: number): number {
  page[at] = CR
  page[at + 1] = LF
  return at + 2
}
