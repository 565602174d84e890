/** The schema of a dialect profile: every known way in which operators put USSD into SMPP, as data. */
import { z } from 'zod'
import { STATUS_WHOSE } from '../../ussd/index.ts'
import { regexFault } from './regex.ts'

const octet = z.int().min(0).max(0xff)
const tag = z.int().min(0).max(0xffff)
const short = z.string().max(64)
const regex = z.string().superRefine((source, context) => {
  const fault = regexFault(source)
  if (fault) context.addIssue({ code: 'custom', message: fault })
})
/** Keys that are numbers in the file (`0x17: 17`) are strings of decimal digits here. */
const numberKey = z.string().regex(/^\d+$/, 'must be a number')
const hex = z.string().regex(/^(?:[0-9a-fA-F]{2}){0,64}$/, 'must be pairs of hex digits, as a string in quotes')

const FIELDS = [
  'service_type',
  'source_addr',
  'destination_addr',
  'validity_period',
  'schedule_delivery_time',
  'protocol_id',
  'sequence_number',
  'short_message',
] as const

/** Where a value is read from and written to: exactly one of the four kinds. `short_message` means the decoded text. */
const place = z
  .strictObject({
    /** Any optional parameter, by tag; the first one wins. */
    tlv: tag.optional(),
    field: z.enum(FIELDS).optional(),
    /** A parameter of a Comviva envelope in the text. */
    envelope: z.int().min(0).max(999).optional(),
    const: short.optional(),
    /** How many octets to skip at the start, e.g. the type octet of a subaddress. */
    skip: z.int().min(0).max(16).optional(),
  })
  .refine((it) => [it.tlv, it.field, it.envelope, it.const].filter((value) => value !== undefined).length === 1, {
    message: 'must be exactly one of tlv, field, envelope, const',
  })

/** What a PDU may be: the words of `UssdKind`, and four words for what is not a USSD message. */
export const EVENTS = [
  'begin',
  'input',
  'notify-ack',
  'end',
  'abort',
  'timeout',
  'ignore',
  'sms',
  'receipt',
  'reject',
] as const

/** A condition holds if all its members hold. */
const condition = z.strictObject({
  pdu: z.array(z.enum(['deliver_sm', 'data_sm'])).optional(),
  /** ussd_service_op after decoding and aliases. */
  op: z.array(z.union([octet, z.enum(['absent', 'present'])])).optional(),
  serviceType: z.array(short).optional(),
  serviceTypeRe: regex.optional(),
  /** esm_class & 0x3C. (SMPP v3.4 §5.2.12) */
  esmType: z.array(octet).optional(),
  /** The end bit as the profile reads it (after inversion). 0 also if there is none. */
  endBit: z.union([z.literal(0), z.literal(1)]).optional(),
  textRe: regex.optional(),
  textEmpty: z.boolean().optional(),
  dest: z.array(short).optional(),
  tlvPresent: z.array(tag).optional(),
  /** Mandatory parameters that must not be empty. */
  fieldPresent: z.array(z.enum(FIELDS)).optional(),
  /** Whether the place of the dialogue number has octets, zeros or not. */
  sessionPresent: z.boolean().optional(),
})

export const TEXT_CODINGS = ['gsm7', 'gsm7packed', 'latin1', 'ascii', 'ucs2be', 'utf8', 'dcs10', 'dcs11'] as const
const coding = z.enum(TEXT_CODINGS)

const textIn = z.strictObject({
  /** data_coding → how to read the octets. */
  byDcs: z.record(numberKey, coding),
  /** For any other data_coding. */
  fallback: coding,
  /** `asciiHex`: the text is the hex digits of the text. `comviva`: `type|param:base64|…`. */
  unwrap: z.enum(['asciiHex', 'comviva']).optional(),
  /** Envelope: its type, and the parameters that may hold the text, in order. */
  envelope: z.strictObject({ type: short, text: z.array(z.int()).min(1) }).optional(),
  /**
   * One of each is dropped at the end, in this order. A CR is padding (3GPP TS 23.038 §6.1.2.3.1); an `@` may
   * be typed.
   */
  stripTrailing: z.array(z.enum(['\r', '\0', '@'])),
  trim: z.boolean(),
})

const textOut = z.strictObject({
  /** `echo`: data_codings that are answered with themselves when the network used them. */
  gsm7: z.strictObject({ dcs: octet, echo: z.array(octet).default([]), packed: z.boolean().default(false) }),
  /** false: the gateway takes no UCS-2; text is transliterated, the rest becomes `?`. */
  ucs2: z.union([
    z.literal(false),
    z.strictObject({
      dcs: octet,
      echo: z.array(octet).default([]),
      /** Write every text as UCS-2, even if GSM 7-bit has all its letters. */
      always: z.boolean().optional(),
      /** Two letters before the text, packed in two octets. (3GPP TS 23.038 §5, coding group 0001, 0x11) */
      langPrefix: z
        .string()
        .regex(/^[a-z]{2}$/)
        .optional(),
    }),
  ]),
  wrap: z.enum(['asciiHex', 'comviva']).optional(),
  /** The envelope: its type, the parameter that holds the text, and parameters with fixed values. */
  envelope: z.strictObject({ type: short, text: z.int(), params: z.record(numberKey, short).default({}) }).optional(),
  newline: z.enum(['\n', '\r', '\r\n']),
  /** Whether to drop accents and typographic characters if that avoids UCS-2. */
  translit: z.boolean(),
})

const action = z.strictObject({
  op: z.union([octet, z.literal('omit')]).default('omit'),
  serviceType: short.max(5).optional(),
  /** Absent: the bit stays as the network sent it. */
  endBit: z.union([z.literal(0), z.literal(1)]).optional(),
  text: z.enum(['carried', 'empty']).default('carried'),
  tlvs: z.array(z.strictObject({ tag, hex })).default([]),
  envelope: z.record(numberKey, short).default({}),
  /** Another action that replaces this one if the gateway has none of its own. */
  as: z.enum(['continue', 'end', 'notify', 'push-begin', 'push-end', 'abort']).optional(),
})

const inbound = z.strictObject({
  op: z.strictObject({
    /** Absent: the dialect has no operation parameter. */
    from: place.optional(),
    decode: z.enum(['uint', 'hexString', 'bcd']),
    /** Octet on the wire → the operation it means, e.g. `0x17: 17`. */
    alias: z.record(numberKey, octet),
  }),
  /** The first rule that matches wins. If none matches, the PDU is an SMS. */
  classify: z.array(z.strictObject({ when: condition, is: z.enum(EVENTS), why: short.optional() })).min(1),
  session: z.strictObject({
    /** The first place with a value wins. [] means that the gateway gives no number: the MSISDN is the key. */
    from: z.array(place),
    decode: z.enum(['octet1', 'opaque16', 'id15be', 'id15le', 'uint', 'hex', 'ascii', 'dec']),
    mask: z.int().min(0).max(0xffff).optional(),
    /**
     * `none`: number 0 means that there is no number. Some gateways always send zeros; without this, a redial would
     * look like a copy.
     */
    zero: z.enum(['none', 'number']),
    swap16: z.boolean(),
    /** How many octets a number has that we create (for push, and in the simulator). */
    octets: z.int().min(1).max(8),
    /** `octet2`: the upper seven bits of octet 2 count the turns. (SMPP v3.4 §5.3.2.43) */
    step: z.enum(['none', 'octet2']),
    /**
     * Numbers repeat between subscribers. Dialogues are always looked up with the MSISDN as well, so this key only
     * informs people.
     */
    withMsisdn: z.boolean(),
    /** Numbers repeat between service numbers: destination_addr becomes a part of the name. */
    withDest: z.boolean(),
    /**
     * Numbers are reused soon. For this long after a begin, another begin with its number and code is a copy; later it
     * is a redial. Absent: 20 s for numbers of one octet; other numbers mean a copy for as long as
     * `dialogue.tombstoneMs`.
     */
    copyMs: z.int().min(0).max(3_600_000).optional(),
    /**
     * For networks whose counter does not tell a copy from a key that is pressed twice: the same key within this time
     * after its screen changes nothing. If it would change something, the screen is shown again. 0: it is a key like
     * any other. Absent: 1 s.
     */
    sameKeyMs: z.int().min(0).max(60_000).optional(),
    /** If there is no number: look the dialogue up by MSISDN, or refuse the PDU. */
    fallback: z.enum(['msisdn', 'none']),
  }),
  endBit: z.strictObject({
    use: z.enum(['honour', 'ignore', 'inverted']),
    tlv: tag,
    octet: octet.max(7),
    bit: octet.max(7),
  }),
  code: z.strictObject({
    from: z.array(place),
    /**
     * `first`: the first place with a code. `join`: all places, one after another. `longest`: the first place with a
     * code; but a later place wins if it continues that code (deep dial), or if it has a star and the first is a plain
     * number.
     */
    pick: z.enum(['first', 'join', 'longest']),
    prefix: short,
    suffix: short,
    /** The code is the first match of this expression in the value. */
    re: regex.optional(),
  }),
  text: textIn,
  meta: z.array(z.strictObject({ name: short, from: place, decode: z.enum(['ascii', 'tbcd', 'hex']) })),
})

const outbound = z.strictObject({
  pdu: z.enum(['submit_sm', 'data_sm']),
  payload: z.enum(['short_message', 'message_payload']),
  addr: z.strictObject({
    /** The reply goes from the destination to the source of the incoming PDU. */
    swap: z.boolean(),
    source: short.max(20).optional(),
    sourceTon: octet.optional(),
    sourceNpi: octet.optional(),
    destTon: octet.optional(),
    destNpi: octet.optional(),
  }),
  serviceType: z.union([z.literal('echo'), short.max(5)]),
  esmClass: octet,
  registeredDelivery: octet,
  /** `none`, `echo` of the incoming validity_period, or a time of SMPP v3.4 §7.1.1. */
  validity: short.max(16),
  actions: z.strictObject({
    continue: action,
    end: action,
    notify: action,
    'push-begin': action,
    'push-end': action,
    abort: action,
  }),
  /** `{ 0: 16 }`: a dialogue that PSSD began gets one answer, with 16, and cannot be asked anything. (24.090 §6.2.2) */
  endByBeginOp: z.record(numberKey, octet),
  session: z.strictObject({
    /** `increment-seq7`: octet 2 increments with each of our replies. */
    mode: z.enum(['echo', 'echo-masked', 'increment-seq7', 'omit']),
    /**
     * `increment-seq7` with a random step, for a gateway that wants a new octet each time and does not check its value.
     */
    randomSeq: z.boolean(),
    /** Write the parameter of the end bit as zero octets if the number of the dialogue is elsewhere. */
    bare: z.boolean(),
  }),
  tlvOrder: z.array(tag),
  text: textOut,
})

/**
 * What a status means here, where it differs from the table of all statuses (docs/reference/STATUSES.md). The three
 * words are those of older profiles: never, next-second, and never by our own fault, for a screen alone.
 */
const meanings = z.union([
  z.enum(['dialogue-gone', 'retry-once', 'dialect-wrong']),
  z
    .strictObject({
      whose: z.enum(STATUS_WHOSE),
      screen: z.enum(['now', 'next-second', 'never']),
      push: z.enum(['next-second', 'later', 'never']),
      sms: z.enum(['next-second', 'later', 'never']),
    })
    .partial(),
])
const base = z.enum(['as-is', 'hex', 'dec'])

export const dialectProfile = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]*$/, 'must be small letters, digits and hyphens'),
  extends: short.optional(),
  /** Where it was seen: which product, which country, which source code. */
  seen: z.string().min(1).max(1000),
  /**
   * How reliable the facts are: `documented` by the vendor, `captured` PDUs, a `sample` of another program, or
   * `inferred`.
   */
  confidence: z.enum(['documented', 'captured', 'sample', 'inferred']),
  notes: z.array(z.string().max(1000)),
  /** What such gateways usually expect of a bind. The settings of the line decide. */
  bind: z.strictObject({
    type: z.enum(['transceiver', 'pair']),
    interfaceVersion: z.union([z.literal(0x33), z.literal(0x34), z.literal(0x50)]),
    systemType: short.max(12).optional(),
    addressRange: short.max(40).optional(),
    ton: octet.optional(),
    npi: octet.optional(),
  }),
  inbound,
  outbound,
  push: z.strictObject({ idFrom: z.enum(['esme', 'submit_sm_resp', 'first-deliver', 'msisdn', 'none']) }),
  responses: z.strictObject({
    /** When deliver_sm_resp goes out: at once (default) or only after our submit_sm was answered. */
    deliverResp: z.enum(['immediate', 'after-submit', 'after-submit-resp']),
    /** Whether a deliver_sm_resp with an error status has its message_id. (SMPP v3.4 §4.6.2: it has) */
    deliverRespBody: z.boolean(),
    /**
     * `withheld`: the SMSC answers a USSR submit only when the subscriber answers, so it is kept outside the window.
     */
    submitResp: z.enum(['prompt', 'withheld']),
    /** What to do with an input for an unknown dialogue: end it politely, or treat it as a begin. */
    unknownInput: z.enum(['expired', 'begin']),
    /**
     * What a dial gets that we have no time to serve. `text`: texts.overload, because a status would mean silence for
     * the caller. `throttled`: ESME_RTHROTTLED, for a centre that then delivers the dial again or tells the caller.
     */
    overload: z.enum(['text', 'throttled']).default('text'),
    /** Status of a submit_sm_resp → what it means; `*` means every other status. */
    statusMeaning: z.record(z.string().regex(/^(?:\d+|\*)$/, 'must be a status or *'), meanings),
    messageIdUseless: z.boolean(),
    messageIdBases: z.strictObject({ response: base, receipt: base }),
  }),
  limits: z.strictObject({
    septets: z.int().min(1).max(254),
    octets: z.int().min(1).max(254),
    ucs2: z.int().min(1).max(127),
    /** How long the gateway waits for our answer, and for the subscriber's. These are hints for the settings. */
    answerMs: z.int().min(1),
    idleMs: z.int().min(1),
    maxDialogues: z.int().min(1).optional(),
  }),
})

export type DialectProfile = z.infer<typeof dialectProfile>
export type DialectPlace = z.infer<typeof place>
export type DialectCondition = z.infer<typeof condition>
export type DialectEvent = (typeof EVENTS)[number]
export type TextCoding = (typeof TEXT_CODINGS)[number]
export type ActionProfile = z.infer<typeof action>
export type TextInProfile = z.infer<typeof textIn>
export type TextOutProfile = z.infer<typeof textOut>
