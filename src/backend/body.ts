/** The body of an HTTP answer: decoded with a size limit, then read as JSON and nothing else. */
import { pipeline, type Readable } from 'node:stream'
import { createGunzip, createInflate } from 'node:zlib'
import type { Json } from '../ussd/index.ts'

/** The most decoded octets of an answer: hundreds of rows. A compression bomb is stopped here. */
export const ANSWER_OCTETS_MAX = 262_144

/** The most octets of an application's reply: nine pages of markup have fewer. */
export const REPLY_OCTETS_MAX = 65_536

/** The answer is not valid for a back end. The message is for the log. */
export class Nonsense extends Error {
  constructor(what: string, cause?: unknown) {
    super(what, { cause })
    this.name = 'Nonsense'
  }
}

/** The decoded octets. Nonsense if there are more than `octetsMax`, or if the coding is unknown. */
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

/** JSON without keys that have a meaning in JavaScript. */
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

/**
 * JSON without keys that have a meaning in JavaScript. Throws SyntaxError. No reviver: that takes twenty times as long.
 */
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

/** A header value for the log: only known ones. A header may hold anything, even what a subscriber typed. */
function nameOf(header: string, known: RegExp): string {
  return known.exec(header)?.[0] ?? (header === '' ? 'missing' : '(another one)')
}

const TYPES = /^(text\/(html|plain|xml|css|csv)|application\/(xml|octet-stream|x-www-form-urlencoded|soap\+xml))/i
const CODINGS = /^(br|zstd|compress|x-compress|gzip, gzip)$/

// We ask for no coding. Careless servers send gzip and deflate anyway; those need 32 KB. A Brotli window needs
// megabytes.
function decode(body: Readable, coding: string): Readable {
  const name = coding.trim().toLowerCase()
  if (name === '' || name === 'identity') return body
  const decoder =
    name === 'gzip' || name === 'x-gzip' ? createGunzip() : name === 'deflate' ? createInflate() : undefined
  if (!decoder) throw new Nonsense(`the content coding ${nameOf(name, CODINGS)} is not supported`)
  // Errors reach the reader through the decoder.
  return pipeline(body, decoder, () => undefined)
}
