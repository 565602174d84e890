/**
 * National language shift tables as a handset reads them. The decoder is the simulator's own; only the tables are
 * shared. (3GPP TS 23.038 §6.2.1.2)
 */
import { LOCKING_TABLES, SINGLE_TABLES } from '../../ussd/index.ts'
import { readGsm7 } from './text.ts'

const ESCAPE = 0x1b
const IEI = { single: 0x24, locking: 0x25 }

/** The languages that a user data header (without its length octet) names. 0: none. */
export function shiftsIn(header: Buffer): { locking: number; single: number } {
  const named = { locking: 0, single: 0 }
  for (let at = 0; at + 2 < header.length; at += 2 + header[at + 1]!) {
    if (header[at] === IEI.single) named.single = header[at + 2]!
    if (header[at] === IEI.locking) named.locking = header[at + 2]!
  }
  return named
}

/** Decodes unpacked septets with these tables. An unassigned language means the default tables. */
export function readShifted(octets: Buffer, { locking, single }: { locking: number; single: number }): string {
  const letters = LOCKING_TABLES.get(locking)
  const extra = SINGLE_TABLES.get(single)
  let text = ''
  for (let at = 0; at < octets.length; at++) {
    const isEscaped = octets[at] === ESCAPE && at + 1 < octets.length
    if (isEscaped) at++
    const septet = octets[at]! & 0x7f
    const plain = letters?.[septet] ?? readGsm7(Buffer.of(septet))
    const special = extra ? extra[septet]! : readGsm7(Buffer.of(ESCAPE, septet))
    text += isEscaped && special !== ' ' ? special : plain
  }
  return text
}
