/**
 * The log: pino, JSON to stdout. Subscribers' numbers are masked here, in one place, wherever they occur. A field that
 * holds a number gets two digits and a keyed hash, by which one subscriber can be followed. Digits in any other text
 * are removed. So is what was dialled behind a service code: it may be a PIN.
 */
import { createHmac } from 'node:crypto'
import { pino, stdTimeFunctions, type DestinationStream, type Logger } from 'pino'
import { type CodeRoute, hideDialled } from '../../ussd/index.ts'

export interface LogOptions {
  level: string
  /** The key of the hash that replaces a number. Without the key nobody can tell whose number it is. */
  key: Buffer
  /** The services whose codes may be in the log in full. */
  services?: readonly CodeRoute[]
  destination?: DestinationStream
}

/** Fields that hold an MSISDN. */
const NUMBERS = new Set(['msisdn', 'from', 'to', 'source', 'destination', 'source_addr', 'destination_addr'])
/** Fields of ours that may hold long runs of digits. */
const PLAIN = new Set([
  'subscriber',
  'epoch',
  'sms',
  'revision',
  'intention',
  'link',
  'instance',
  'pid',
  'time',
  'level',
])
/** A run of 7 to 15 digits that is not part of a longer word (a uuid, a hash, a date-time). */
const DIGITS = /(?<![0-9A-Za-z-])\+?\d{7,15}(?![0-9A-Za-z])/g
const DEPTH_MAX = 5

/** What decides over each line while subscribers are followed: see log-levels.ts. */
export interface LogFilter {
  /** Absent: the levels of pino decide alone. */
  isWanted?: ((logger: Logger, level: number, fields: unknown) => boolean) | undefined
  hash(msisdn: string): string
}

const filters = new WeakMap<Logger, LogFilter>()

/** `log`: made by createLog. */
export function logFilterOf(log: Logger): LogFilter {
  return filters.get(log) ?? { hash: () => '' }
}

export function createLog(options: LogOptions): Logger {
  const hash = (msisdn: string) => subscriberHash(options.key, msisdn)
  const strike: Strike = (text) => strikeDigits(hideDialled(text, options.services))
  const filter: LogFilter = { hash }
  const log = pino(
    {
      level: options.level,
      base: { pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => mask(fields, { hash, strike }, 0) as Record<string, unknown>,
      },
      hooks: {
        logMethod(args, method, level) {
          if (filter.isWanted && !filter.isWanted(this, level, args[0])) return
          const last = args.length - 1
          const message: unknown = args[last]
          if (typeof message === 'string') (args as unknown[])[last] = strike(message)
          method.apply(this, args)
        },
      },
      serializers: { err: (error: unknown) => error, error: (error: unknown) => error },
    },
    options.destination ?? pino.destination({ fd: 1, sync: false }),
  )
  filters.set(log, filter)
  return log
}

const strikeDigits: Strike = (text) => text.replace(DIGITS, (digits) => maskMsisdn(digits.replace('+', '')))

/** Fields as the log would have them. */
export function fieldsWithoutNumbers(fields: object, key: Buffer): Record<string, unknown> {
  const by = { hash: (msisdn: string) => subscriberHash(key, msisdn), strike: strikeDigits }
  return mask(fields, by, 0) as Record<string, unknown>
}

/** By this one subscriber can be followed in the log. Without the key nobody can tell whose number it is. */
export function subscriberHash(key: Buffer, msisdn: string): string {
  return createHmac('sha256', key).update(msisdn).digest('base64url').slice(0, 12)
}

/** `67570000001` becomes `675******01`: country and two digits; enough to recognise a number, not to call it. */
export function maskMsisdn(msisdn: string): string {
  if (msisdn.length < 7) return '*'.repeat(msisdn.length)
  return `${msisdn.slice(0, 3)}${'*'.repeat(msisdn.length - 5)}${msisdn.slice(-2)}`
}

type Strike = (text: string) => string

interface Masks {
  hash(msisdn: string): string
  strike: Strike
}

function mask(value: unknown, by: Masks, depth: number): unknown {
  const { hash, strike } = by
  if (typeof value === 'string') return strike(value)
  if (value === null || typeof value !== 'object') return value
  if (depth > DEPTH_MAX) return '…'
  if (value instanceof Error) {
    const { code } = value as { code?: unknown }
    return { type: value.name, message: strike(value.message), code, stack: value.stack && strike(value.stack) }
  }
  if (Buffer.isBuffer(value)) return `${value.length} octets`
  if (Array.isArray(value)) return value.map((item) => mask(item, by, depth + 1))
  const out: Record<string, unknown> = {}
  for (const [key, inner] of Object.entries(value)) {
    if (NUMBERS.has(key) && typeof inner === 'string') {
      out[key] = maskMsisdn(inner)
      if (key === 'msisdn') out.subscriber = hash(inner)
    } else out[key] = PLAIN.has(key) ? inner : mask(inner, by, depth + 1)
  }
  return out
}
