/** Tokens that somebody can guess. Callers send tokens over a network, so trying many costs an attacker nothing. */
import { createHash } from 'node:crypto'

/** 64 bits in hex: the fewest bits that nobody can try out. */
const TOKEN_LENGTH_MIN = 16
const DIFFERENT_MIN = 5
/** In random hex, one character in eight is a neighbour of the one before it. */
const STEPS_SHARE_MAX = 0.6

export const TOKEN_REMEDY = 'openssl rand -hex 32'

/** Why a token is too weak to protect anything. Undefined: it is strong enough. The text never shows the token. */
export function weakness(token: string): string | undefined {
  if (token.length < TOKEN_LENGTH_MIN)
    return `has ${token.length} characters; it needs at least ${TOKEN_LENGTH_MIN} random ones`
  if (!/^[\x21-\x7e]+$/.test(token)) return 'has characters that a header cannot carry (a blank, a line feed, a letter)'
  if (new Set(token).size < DIFFERENT_MIN) return 'consists of a few characters that repeat'
  if (/^(.+)\1+$/.test(token)) return 'is one piece that repeats'
  const codes = Buffer.from(token)
  const steps = codes.subarray(1).filter((code, i) => Math.abs(code - codes[i]!) <= 1).length
  return steps / (token.length - 1) > STEPS_SHARE_MAX
    ? 'is a row of neighbouring characters, such as 123456'
    : undefined
}

const WORDS = ['', 'secret', 'password', 'changeme', 'change-me', 'token', 'admin', 'test', 'operate', 'read']
const REPEATED = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'
const LENGTHS = [1, 8, 16, 32, 64]

let guessed: Set<string> | undefined

/**
 * Whether this is the hash of a token that attackers try first: a well-known word, or one repeated character. A hash
 * shows no more than that; `weakness` checks the token itself when somebody sends it.
 */
export function isHashOfWeak(sha256: Buffer): boolean {
  guessed ??= new Set([...WORDS, ...runs()].map((weak) => createHash('sha256').update(weak).digest('hex')))
  return guessed.has(sha256.toString('hex'))
}

function runs(): string[] {
  return [...REPEATED].flatMap((character) => LENGTHS.map((length) => character.repeat(length)))
}
