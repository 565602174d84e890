/**
 * The debug log of a Kannel that keeps the bind. Kannel dumps PDUs field by field; this file writes them as octets
 * again.
 */
import { encode, fieldNames } from '../../smpp/pdu/index.ts'
import type { PduBody, Tlv } from '../../smpp/index.ts'
import type { Frame, Side } from './captured.ts'
import { timeOf } from './hex-log.ts'
import { TLV_NAMES } from './show-pdu.ts'

export interface KannelLog {
  frames: Frame[]
  /** Optional parameters that Kannel's own configuration defines. The log does not show their tags. */
  unnamed: string[]
  /** How many dumps could not be written as a PDU. */
  broken: number
}

const SIGN = /DEBUG: SMPP PDU \S+ dump:/
const BEGIN = /^(.*?) \[\d+\] \[(\d+)\] DEBUG: SMPP PDU \S+ dump:/
const DIRECTION = /\[(\d+)\] DEBUG: SMPP\[.*?\]: (Sending|Got) PDU/
/** The thread, the indentation, the name, the value. */
const FIELD = /\[(\d+)\] DEBUG: ( +)(\w[\w .]*?): ?(.*)$/
const TOP_INDENT = 2
const END = /\[(\d+)\] DEBUG: SMPP PDU dump ends/
/** The widths of what Kannel writes as numbers. (SMPP v3.4 §5.3.2) */
const WIDE: Readonly<Record<string, number>> = { user_message_reference: 2, qos_time_to_live: 4, sar_msg_ref_num: 2 }
const TAGS = new Map(Object.entries(TLV_NAMES).map(([tag, name]) => [name, Number(tag)]))
/** The rest of the header, and what follows from the text. */
const HEADER = new Set(['type_name', 'command_id', 'command_status', 'sequence_number', 'sm_length'])
const C_STRINGS = new Set(['receipted_message_id'])

interface Dump {
  atMs: number
  from: Side | undefined
  values: Map<string, Buffer | number>
  /** The field whose octets are being dumped. */
  open: string | undefined
}

export function isKannelLog(text: string): boolean {
  return SIGN.test(text)
}

export function readKannelLog(text: string): KannelLog {
  const log: KannelLog = { frames: [], unnamed: [], broken: 0 }
  // The threads of several binds write at the same time.
  const dumps = new Map<string, Dump>()
  const sides = new Map<string, Side>()
  for (const line of text.split(/\r?\n/)) {
    const [, speaker, way] = DIRECTION.exec(line) ?? []
    if (speaker !== undefined) sides.set(speaker, way === 'Sending' ? 'esme' : 'smsc')
    const [, time, starting] = BEGIN.exec(line) ?? []
    if (starting !== undefined) {
      dumps.set(starting, {
        atMs: timeOf(time ?? '') ?? 0,
        from: sides.get(starting),
        values: new Map(),
        open: undefined,
      })
    }
    const ending = END.exec(line)?.[1]
    if (ending !== undefined) {
      const dump = dumps.get(ending)
      if (dump) finish(dump, `kannel ${ending}`, log)
      dumps.delete(ending)
    }
    const [, thread, indent, name, value] = FIELD.exec(line) ?? []
    const dump = thread === undefined ? undefined : dumps.get(thread)
    if (dump && indent !== undefined && name !== undefined)
      take(dump, { isDeep: indent.length > TOP_INDENT, name, value: value ?? '' })
  }
  return log
}

function take(dump: Dump, { isDeep, name, value }: { isDeep: boolean; name: string; value: string }): void {
  if (!isDeep) {
    // A parameter that is both known and configured is dumped twice.
    const isNew = !dump.values.has(name)
    dump.open = isNew && value === '' ? name : undefined
    if (isNew) dump.values.set(name, valueOf(value))
    return
  }
  if (name !== 'data' || dump.open === undefined) return
  const hex = /^(?:[\da-f]{2} ?){1,16}/.exec(value)?.[0].replace(/ /g, '') ?? ''
  dump.values.set(dump.open, Buffer.concat([dump.values.get(dump.open) as Buffer, Buffer.from(hex, 'hex')]))
}

/** `"text"`, `NULL`, `5 = 0x00000005`, a word, or nothing if octets follow. */
function valueOf(written: string): Buffer | number {
  const [, decimal] = /^(\d+) = 0x/.exec(written) ?? []
  if (decimal !== undefined) return Number(decimal)
  const [, quoted = written === 'NULL' ? '' : written] = /^"(.*)"$/.exec(written) ?? []
  const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }
  return Buffer.from(
    quoted.replace(/\\(.)/g, (_, sign: string) => escapes[sign] ?? sign),
    'latin1',
  )
}

function finish({ values, from, atMs }: Dump, link: string, log: KannelLog): void {
  const command = String(values.get('type_name') ?? '')
  const body: PduBody = {}
  const tlvs: Tlv[] = []
  const fields = fieldNames(command)
  for (const [name, value] of values) {
    const tag = TAGS.get(name)
    if (fields.includes(name))
      body[name] = typeof value === 'number' || name === 'short_message' ? value : value.toString('latin1')
    else if (tag !== undefined) tlvs.push({ tag, value: octetsOf(name, value) })
    else if (!HEADER.has(name) && !log.unnamed.includes(name)) log.unnamed.push(name)
  }
  const [status, sequence] = [Number(values.get('command_status') ?? 0), Number(values.get('sequence_number') ?? 0)]
  const coded = encode({ command, status, sequence, body, tlvs })
  if ('fault' in coded) log.broken++
  else log.frames.push({ atMs, link, octets: coded.octets, ...(from ? { from } : {}) })
}

function octetsOf(name: string, value: Buffer | number): Buffer {
  if (typeof value !== 'number') return C_STRINGS.has(name) ? Buffer.concat([value, Buffer.alloc(1)]) : value
  const octets = Buffer.alloc(WIDE[name] ?? 1)
  octets.writeUIntBE(value, 0, octets.length)
  return octets
}
