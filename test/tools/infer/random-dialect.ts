/** Dialects that nobody has seen: random combinations of the fields of a profile, such as a gateway could have. */
import { loadProfile, merge } from '../../../src/smpp/dialect/load.ts'
import { dialectProfile, type DialectProfile } from '../../../src/smpp/dialect/schema.ts'
import type { Chance } from '../../../src/ussd/vocabulary.ts'

type Plain = Record<string, unknown>

const standard = loadProfile('standard', new URL('../../../dialects', import.meta.url).pathname)

/** The same seed gives the same dialect. It may be one that its own network cannot speak: the caller tries it. */
export function randomDialect(chance: Chance, n: number): DialectProfile {
  const pick = <T>(...from: T[]): T => from[Math.floor(chance() * from.length)] as T
  const often = (share: number) => chance() < share
  const octet = () => Math.floor(chance() * 256)
  const tags = new Set<number>()
  const vendorTag = (): number => {
    const tag = 0x1400 + Math.floor(chance() * 0x2c00)
    if (tags.has(tag)) return vendorTag()
    tags.add(tag)
    return tag
  }
  const deps: Deps = { pick, often, octet, vendorTag, chance }
  const opTag = often(0.75) ? (often(0.8) ? 0x0501 : vendorTag()) : undefined
  const envelope = often(0.08)
  const carrier = envelope && often(0.5) ? envelopeCarrier() : carrierOf(deps)
  const rules = rulesOf(deps, opTag !== undefined, carrier.endBit !== 'ignore')
  const wrap = envelope ? 'comviva' : often(0.08) ? 'asciiHex' : undefined
  return dialectProfile.parse(
    merge(standard, {
      name: `random-${n}`,
      inbound: {
        op: opTag === undefined ? { from: null } : { from: { tlv: opTag }, decode: rules.decode },
        classify: rules.classify,
        session: carrier.session,
        endBit: carrier.place,
        code: codeOf(deps, envelope),
        text: {
          ...(wrap ? { unwrap: wrap } : {}),
          ...(envelope ? { envelope: { type: '2', text: [pick(109, 112, 130)] } } : {}),
          ...(wrap ? {} : { byDcs: { [rules.dcs]: pick('gsm7', 'gsm7', 'ascii', 'latin1', 'gsm7packed', 'utf8') } }),
        },
      },
      outbound: {
        ...outboundOf(deps, carrier, opTag),
        actions: actionsOf(deps, { hasOp: opTag !== undefined, endBit: carrier.endBit !== 'ignore', envelope }),
        text: textOutOf(deps, rules.dcs, wrap),
      },
      responses: {
        deliverResp: pick('immediate', 'immediate', 'after-submit', 'after-submit-resp'),
        submitResp: pick('prompt', 'prompt', 'prompt', 'withheld'),
      },
    }) as Plain,
  )
}

interface Deps {
  pick<T>(...from: T[]): T
  often(share: number): boolean
  octet(): number
  vendorTag(): number
  chance: Chance
}

interface Carried {
  session: Plain
  /** Of the network's number: a parameter of its own, which can hold the end bit. */
  tag?: number
  endBit: 'honour' | 'ignore' | 'inverted'
  place: Plain
  bare: boolean
  mode: string
  randomSeq: boolean
}

function envelopeCarrier(): Carried {
  const session = { from: [{ envelope: 110 }], decode: 'ascii', step: 'none' }
  return {
    session,
    endBit: 'honour',
    place: { use: 'honour', tlv: 0x1383 },
    bare: true,
    mode: 'echo',
    randomSeq: false,
  }
}

function carrierOf(deps: Deps): Carried {
  const { pick, often, vendorTag } = deps
  const use = pick('honour', 'honour', 'ignore', 'inverted')
  const none = (session: Plain): Carried => {
    const bare = often(0.4)
    const endBit = bare ? use : 'ignore'
    return {
      session,
      endBit,
      place: { use: endBit, tlv: bare ? pick(0x1383, vendorTag()) : 0x1383 },
      bare,
      mode: 'echo',
      randomSeq: false,
    }
  }
  if (often(0.15)) return { ...none({ from: [], step: 'none' }), mode: pick('echo', 'omit') }
  if (often(0.1)) return none({ from: [{ field: 'validity_period' }], decode: 'dec', step: 'none' })
  const tag = pick(0x1383, 0x1383, 0x0204, 0x1501, 0x001e, vendorTag())
  const decode = pick('octet1', 'opaque16', 'id15be', 'id15le', 'uint', 'hex', 'ascii')
  const from = { from: [{ tlv: tag }], decode }
  if (decode === 'uint' || decode === 'hex') {
    const octets = pick(1, 2, 4, 8)
    return { ...none({ ...from, octets, swap16: octets === 2 && often(0.3), step: 'none' }), tag }
  }
  if (decode === 'ascii') return { ...none({ ...from, step: 'none' }), tag }
  const counts = decode === 'octet1' && often(0.7)
  const mode = counts ? 'increment-seq7' : pick('echo', 'echo', 'echo-masked')
  const randomSeq = counts && often(0.15)
  return {
    session: {
      ...from,
      step: counts && !randomSeq ? 'octet2' : 'none',
      ...(decode === 'opaque16' ? { mask: 0xfffe } : {}),
    },
    tag,
    endBit: use,
    place: { use, tlv: tag },
    bare: false,
    mode,
    randomSeq,
  }
}

interface Rules {
  classify: Plain[]
  decode: string
  dcs: number
}

/** How a begin, an input and an abort are told. */
function rulesOf(deps: Deps, hasOp: boolean, hasEndBit: boolean): Rules {
  const { pick, often } = deps
  const dcs = pick(0x00, 0x00, 0x0f, 0x0f, 0xf0, 0x15, 0x01)
  const types = pick(['PSSRR', 'USSRC', 'RELC'], ['BR', 'CR', 'AF'], ['BEG', 'CON', 'END'], ['U1', 'U2', 'U3'])
  const byType = hasOp ? often(0.15) : often(0.8)
  if (byType) {
    const [begin, input, abort] = types.map((it) => ({ serviceType: [it] }))
    return {
      classify: [
        { when: begin, is: 'begin' },
        { when: input, is: 'input' },
        { when: abort, is: pick('abort', 'end') },
      ],
      decode: 'uint',
      dcs,
    }
  }
  const end = hasEndBit && often(0.5) ? { endBit: 1 } : { esmType: [0x08] }
  if (!hasOp) {
    const begin = { when: { textRe: '^\\*\\d+' }, is: 'begin' }
    return {
      classify: [{ when: end, is: 'abort' }, begin, { when: { textEmpty: false }, is: 'input' }],
      decode: 'uint',
      dcs,
    }
  }
  const abort = pick<Plain>(
    { op: [33] },
    { op: [129] },
    { op: [17] },
    { op: [18], textEmpty: true },
    { op: ['present'], ...end },
    { op: [34] },
  )
  const input = pick<Plain>({ op: [18] }, { op: [2] }, { op: ['present'] }, { op: [19] }, { op: [20] })
  return {
    classify: [
      { when: abort, is: pick('abort', 'abort', 'end') },
      { when: { op: [0, 1] }, is: 'begin' },
      { when: input, is: 'input' },
    ],
    decode: pick('uint', 'uint', 'uint', 'hexString', 'bcd'),
    dcs,
  }
}

function codeOf({ pick }: Deps, envelope: boolean): Plain {
  const text = { field: 'short_message' }
  const destination = { field: 'destination_addr' }
  if (envelope) return { from: [text, destination], pick: 'first' }
  return pick<Plain>(
    { from: [text], pick: 'first' },
    { from: [destination], pick: 'first' },
    { from: [destination, text], pick: 'longest' },
    { from: [text, destination], pick: 'first' },
    { from: [{ tlv: 0x0203, skip: 1 }, destination], pick: 'join', suffix: '#' },
  )
}

function outboundOf({ pick, often, vendorTag, octet }: Deps, carrier: Carried, opTag: number | undefined): Plain {
  const known = [opTag, carrier.tag, carrier.bare ? Number(carrier.place.tlv) : undefined].filter(
    (it) => it !== undefined,
  )
  const fixed = often(0.3) ? { sourceTon: pick(0, 3, 5), sourceNpi: pick(0, 9) } : {}
  return {
    pdu: often(0.12) ? 'data_sm' : 'submit_sm',
    payload: often(0.12) ? 'message_payload' : 'short_message',
    addr: { swap: true, ...fixed, ...(often(0.1) ? { destTon: 1, destNpi: 1 } : {}) },
    serviceType: pick('echo', 'echo', 'USSD', ''),
    esmClass: pick(0, 0, 0, 2, 3),
    registeredDelivery: pick(0, 0, 1, 3),
    validity: carrier.session.decode === 'dec' ? 'none' : pick('none', 'none', '000000000500000R'),
    session: { mode: carrier.mode, randomSeq: carrier.randomSeq, bare: carrier.bare },
    tlvOrder: pick(known, known.toReversed(), [...known.toReversed(), vendorTag()], [0x0424, ...known], [octet()]),
  }
}

function actionsOf(deps: Deps, has: { hasOp: boolean; endBit: boolean; envelope: boolean }): Plain {
  const { pick, often, vendorTag } = deps
  const extra = often(0.15) ? [{ tag: vendorTag(), hex: pick('01', '04', '05265c00') }] : []
  const types = has.hasOp ? undefined : pick(['USSRR', 'PSSRC', 'USSNR', 'RELR'], ['CN', 'EN', 'NN', 'AN'])
  const bit = (set: 0 | 1) => (has.endBit ? { endBit: set } : { endBit: null })
  const [ask, end] = pick([2, 17], [2, 17], [2, 3], [2, 0x17], has.endBit ? [2, 2] : [2, 17], [1, 17], [2, 32])
  const form = (op: number, type: number, set: 0 | 1, next: string) => ({
    ...(has.hasOp ? { op } : { op: 'omit', serviceType: types?.[type] }),
    ...bit(set),
    tlvs: extra,
    ...(has.envelope ? { envelope: { 123: next } } : {}),
  })
  return {
    continue: form(ask as number, 0, 0, '1'),
    end: form(end as number, 1, 1, '3'),
    notify: form(4, 2, 0, '2'),
    'push-begin': form(ask as number, 0, 0, '1'),
    'push-end': form(end as number, 1, 1, '3'),
    abort: form(end as number, 1, 1, '3'),
  }
}

function textOutOf({ pick, often }: Deps, dcs: number, wrap: string | undefined): Plain {
  const wide = pick(0x08, 0x08, 0x48)
  const ucs2: unknown = wrap
    ? false
    : often(0.15)
      ? false
      : {
          dcs: wide,
          echo: [wide],
          ...(often(0.1) ? { langPrefix: 'ru' } : {}),
          ...(often(0.05) ? { always: true } : {}),
        }
  return {
    gsm7: {
      dcs: often(0.7) ? dcs : pick(0x00, 0x0f),
      echo: pick([dcs], [], [0x00, 0x0f]),
      packed: !wrap && often(0.08),
    },
    ucs2,
    newline: pick('\n', '\n', '\n', '\r', '\r\n'),
    translit: often(0.8),
    ...(wrap ? { wrap } : {}),
    ...(wrap === 'comviva' ? { envelope: { type: '1', text: 121, params: { 116: '1' } } } : {}),
  }
}
