/** Ways to spoil PDUs, each as networks, middle boxes and enemies do it. Pure: the same chance, the same octets. */
import type { Chance } from '../../src/ussd/vocabulary.ts'

export type Mutator = (octets: Buffer, chance: Chance, other: Buffer) => Buffer

/** Below n. */
const pick = (chance: Chance, n: number): number => Math.floor(chance() * n)
const HEADER_OCTETS = 16
/** Lengths that break readers: none, less than a header, one off, the longest taken, sign bit, all ones. */
const LENGTHS = [0, 1, 4, 15, 16, 17, 69_999, 70_000, 70_001, 0x7fffffff, 0x80000000, 0xffffffff]
/** Tags of USSD and of receipts, integers and strings among them, and two that nobody has. */
const TAGS = [0x0501, 0x1383, 0x0204, 0x1501, 0x001e, 0x0427, 0x0424, 0x0381, 0x0202, 0x0005, 0x020c, 0x1400, 0xfffe]

export const MUTATORS: Record<string, Mutator> = {
  bits(octets, chance) {
    const spoilt = Buffer.from(octets)
    for (let n = 1 + pick(chance, 4); n > 0 && spoilt.length > 0; n--)
      spoilt[pick(chance, spoilt.length)]! ^= 1 << pick(chance, 8)
    return spoilt
  },
  /** Within the body, so that the framing stays. */
  body(octets, chance) {
    const spoilt = Buffer.from(octets)
    if (spoilt.length <= HEADER_OCTETS) return spoilt
    for (let n = 1 + pick(chance, 8); n > 0; n--) {
      spoilt[HEADER_OCTETS + pick(chance, spoilt.length - HEADER_OCTETS)] =
        chance() < 0.3 ? [0, 0xff, 0x7f, 0x80, 0x1b][pick(chance, 5)]! : pick(chance, 256)
    }
    return spoilt
  },
  /** command_length lies. */
  length(octets, chance) {
    const spoilt = Buffer.from(octets)
    if (spoilt.length < 4) return spoilt
    const lie =
      chance() < 0.5 ? LENGTHS[pick(chance, LENGTHS.length)]! : Math.max(0, octets.length + pick(chance, 17) - 8)
    spoilt.writeUInt32BE(lie, 0)
    return spoilt
  },
  command(octets, chance) {
    const spoilt = Buffer.from(octets)
    if (spoilt.length < 8) return spoilt
    const id =
      chance() < 0.8
        ? [1, 2, 3, 4, 5, 7, 8, 9, 0x0b, 0x15, 0x21, 0x102, 0x103, 0x10200][pick(chance, 14)]!
        : pick(chance, 0x10000)
    spoilt.writeUInt32BE((id | (chance() < 0.3 ? 0x80000000 : 0)) >>> 0, 4)
    return spoilt
  },
  /** One optional parameter's length lies, where there are any; else sm_length does. */
  tlvLength(octets, chance) {
    const spoilt = Buffer.from(octets)
    const tags = TAGS.flatMap((tag) => placesOf(spoilt, tag))
    const at = tags[pick(chance, tags.length)]
    if (at === undefined) return MUTATORS['body']!(octets, chance, octets)
    spoilt.writeUInt16BE([0, 1, 2, 3, 255, 256, 0xffff][pick(chance, 7)]!, at + 2)
    return spoilt
  },
  /** Ends early; the length says so, or does not. */
  truncated: (octets, chance) => measured(octets.subarray(0, pick(chance, octets.length + 1)), chance() < 0.7),
  /** The head of one and the tail of another. */
  spliced: (octets, chance, other) =>
    measured(
      Buffer.concat([
        octets.subarray(0, pick(chance, octets.length + 1)),
        other.subarray(pick(chance, other.length + 1)),
      ]),
      chance() < 0.8,
    ),
  /** One more parameter, perhaps one that is there already, perhaps with a length that it has not. */
  tlvMore(octets, chance) {
    const tag = TAGS[pick(chance, TAGS.length)]!
    const value = Buffer.from(Array.from({ length: pick(chance, 12) }, () => pick(chance, 256)))
    const head = Buffer.alloc(4)
    head.writeUInt16BE(tag, 0)
    head.writeUInt16BE(chance() < 0.8 ? value.length : pick(chance, 0x10000), 2)
    const one = Buffer.concat([head, value])
    return measured(Buffer.concat([octets, ...Array.from({ length: 1 + pick(chance, 3) }, () => one)]), true)
  },
  /** Octets from nowhere in the middle. */
  inserted(octets, chance) {
    const at = Math.min(octets.length, HEADER_OCTETS + pick(chance, octets.length))
    const noise = Buffer.from(Array.from({ length: 1 + pick(chance, 9) }, () => pick(chance, 256)))
    return measured(Buffer.concat([octets.subarray(0, at), noise, octets.subarray(at)]), true)
  },
  whole: (octets) => octets,
}

const NAMES = Object.keys(MUTATORS)

/** Spoils the octets once, sometimes twice. */
export function mutate(octets: Buffer, chance: Chance, other: Buffer): Buffer {
  const once = MUTATORS[NAMES[pick(chance, NAMES.length)]!]!(octets, chance, other)
  return chance() < 0.25 ? MUTATORS[NAMES[pick(chance, NAMES.length)]!]!(once, chance, other) : once
}

/** With a command_length that is true, if so wished. */
function measured(octets: Buffer, isTrue: boolean): Buffer {
  if (!isTrue || octets.length < HEADER_OCTETS) return octets
  const copy = Buffer.from(octets)
  copy.writeUInt32BE(copy.length, 0)
  return copy
}

function placesOf(octets: Buffer, tag: number): number[] {
  const places: number[] = []
  for (let at = HEADER_OCTETS; at + 4 <= octets.length; at++) if (octets.readUInt16BE(at) === tag) places.push(at)
  return places
}
