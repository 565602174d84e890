/** Signed requests: HMAC-SHA-256 over method, target, time and body, with a key that only the two sides have. */
import { createHash, createHmac } from 'node:crypto'

/** What is signed of a request. */
export interface SignedRequest {
  method: string
  /** Path and query, as sent. */
  target: string
  /** Unix time in seconds or milliseconds, as sent in x-ussd-timestamp. */
  timestamp: string
  body: Buffer
  /** The header x-ussd-input: it may hold the answer of the subscriber. */
  input?: string | undefined
}

/** The string to sign: four lines, or five with x-ussd-input. */
export function stringToSign({ method, target, timestamp, body, input }: SignedRequest): string {
  const hash = createHash('sha256').update(body).digest('hex')
  return [method, target, timestamp, hash, ...(input === undefined ? [] : [input])].join('\n')
}

/** As it is sent in x-ussd-signature, but in octets. */
export function signatureOf(key: string, request: SignedRequest): Buffer {
  return createHmac('sha256', key).update(stringToSign(request)).digest()
}
