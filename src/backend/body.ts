/** The body of an HTTP answer: decoded under a cap, then read as JSON and nothing else. */
import { pipeline, type Readable } from 'node:stream'
import { createGunzip, createInflate } from 'node:zlib'
import type { Json } from '../ussd/index.ts'

/** Decoded octets of an answer at most: hundreds of rows; a bomb is cut here. */
export const ANSWER_OCTETS_MAX = 262_144

/** Octets of an application's reply: nine pages of markup are less. */
export const REPLY_OCTETS_MAX = 65_536

/** The answer is not valid for a back end. The message is for the log. */
export class Nonsense extends Error {
  constructor(what: string, cause?: unknown) {
    super(what, { cause })
    this.name = 'Nonsense'
  }
}

/** The octets, decoded; Nonsense over `octetsMax` decoded octets, or in a coding that is not known. */
export async function readBody(body: Readable, coding: string, octetsMax: number): Promise<Buffer> {
  const decoded = decode(body, coding)
  const chunks: Buffer[] = []
  let octets = 0
  try {
    for await (const chunk of decoded) {
      octets += (chunk as Buffer).length
      if (octets > octetsMax) throw new Nonsense(`the answer has more than ${octetsMax} octets`)
      chunks.push(chunk as Buffer)
    }
  } catch (error) {
    const code = (error as { code?: unknown }).code
    const isBroken = typeof code === 'string' && code.startsWith('Z_')
    if (isBroken) throw new Nonsense('the content coding is broken', error)
    throw error
  } finally {
    body.destroy()
  }
  return Buffer.concat(chunks)
}

/** JSON, without keys that mean something to JavaScript. */
export function readJson(octets: Buffer, contentType: string): Json {
  if (!/^application\/([a-z.+-]+\+)?json\s*(;|$)/i.test(contentType)) {
    throw new Nonsense(`the content type is ${nameOf(contentType, TYPES)}, not application/json`)
  }
  try {
    return parseJson(octets.toString('utf8'))
  } catch (error) {
    throw new Nonsense('not JSON', error)
  }
}

/** Without keys that mean something to JavaScript. Throws SyntaxError. No reviver: that takes twenty times as long. */
export function parseJson(text: string): Json {
  const read = JSON.parse(text) as Json
  const open: Json[] = [read]
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (value === null || typeof value !== 'object') continue
    if (Object.hasOwn(value, '__proto__')) delete (value as Record<string, Json>)['__proto__']
    for (const inner of Object.values(value)) if (inner !== null && typeof inner === 'object') open.push(inner)
  }
  return read
}

/** A header value for the log: only known ones. A header may hold anything, also what a subscriber typed. */
function nameOf(header: string, known: RegExp): string {
  return known.exec(header)?.[0] ?? (header === '' ? 'missing' : '(another one)')
}

const TYPES = /^(text\/(html|plain|xml|css|csv)|application\/(xml|octet-stream|x-www-form-urlencoded|soap\+xml))/i
const CODINGS = /^(br|zstd|compress|x-compress|gzip, gzip)$/

// We ask for none. Careless servers send gzip and deflate anyway, which need 32 KB; a Brotli window needs megabytes.
function decode(body: Readable, coding: string): Readable {
  const name = coding.trim().toLowerCase()
  if (name === '' || name === 'identity') return body
  const decoder =
    name === 'gzip' || name === 'x-gzip' ? createGunzip() : name === 'deflate' ? createInflate() : undefined
  if (!decoder) throw new Nonsense(`the content coding ${nameOf(name, CODINGS)} is not supported`)
  // Errors reach the reader through the decoder.
  return pipeline(body, decoder, () => undefined)
}
