/** PDUs to start from: every hostile case, every vector, and what every profile's network says in a dialogue. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../src/base/package-root.ts'
import { writePdu } from '../../src/simulator/codec/codec.ts'
import { profileCoding } from '../../src/simulator/network/profile-encoder.ts'
import { dialectNames, loadDialect, loadProfile } from '../../src/smpp/dialect/load.ts'
import type { Dialect } from '../../src/smpp/types.ts'

export interface Sample {
  /** Of the case, the vector, or `profile event`. */
  id: string
  octets: Buffer
  /** The dialect that it is said in. */
  dialect: string
  /** How often it is to be sent, where the case is a flood. */
  repeat: number
}

const DIALECTS = join(packageRoot, 'dialects')
const MSISDN = '67570000001'

export function dialects(): Map<string, Dialect> {
  return new Map(dialectNames(DIALECTS).map((name) => [name, loadDialect(name, DIALECTS)]))
}

/** Octets as a hostile SMSC may send them, one case each. */
export function cases(): Sample[] {
  const { cases: all } = vectors<{ cases: { id: string; hex: string; repeat?: number }[] }>('smpp-fuzz-cases.json')
  return all.map(({ id, hex, repeat }) => ({
    id,
    octets: Buffer.from(hex, 'hex'),
    dialect: 'standard',
    repeat: repeat ?? 1,
  }))
}

export function corpus(): Sample[] {
  const { vectors: all } = vectors<{ vectors: { id: string; hex: string; dialect: string }[] }>('pdu-vectors.json')
  const known = new Set(dialectNames(DIALECTS))
  const spoken = all.map(({ id, hex, dialect }): Sample => ({
    id,
    octets: Buffer.from(hex, 'hex'),
    dialect: known.has(dialect) ? dialect : 'standard',
    repeat: 1,
  }))
  return [...cases(), ...spoken, ...dialectNames(DIALECTS).flatMap((name) => ofProfile(name))]
}

/** One dialogue as the network of that profile says it. */
function ofProfile(name: string): Sample[] {
  const coding = profileCoding(loadProfile(name, DIALECTS))
  const opening = {
    msisdn: MSISDN,
    source: [1, 1, MSISDN] as [number, number, string],
    code: '*123*4#',
    by: 'subscriber' as const,
    beginOp: 1,
  }
  const dialogue = coding.open({ ...opening, number: 77 })
  const events = ['begin', 'input', 'notify-ack', 'end', 'abort', 'timeout'] as const
  return events.flatMap((event, n) => {
    const said = coding.say(event, dialogue, event === 'input' ? '2' : event === 'begin' ? '*123*4#' : '')
    return said
      ? [{ id: `${name} ${event}`, octets: writePdu({ ...said, sequence: n + 1 }), dialect: name, repeat: 1 }]
      : []
  })
}

function vectors<T>(file: string): T {
  return JSON.parse(readFileSync(join(packageRoot, 'test/vectors', file), 'utf8')) as T
}
