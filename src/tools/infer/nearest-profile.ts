/**
 * The known profile that is nearest to a recording: the one that reads and writes most of it as the inferred profile
 * does.
 */
import { compileDialect, type DialectProfile, payloadOf, decodeText } from '../../smpp/dialect/index.ts'
import { encode } from '../../smpp/pdu/index.ts'
import type { Dialect, Pdu } from '../../smpp/index.ts'
import type { Draft } from './draft.ts'
import type { Inference } from './infer.ts'

export interface Nearness {
  name: string
  /** How many messages both read alike, and how many replies both write as the same octets. */
  read: number
  messages: number
  written: number
  replies: number
  /** Fields that are certain and differ from the known profile. */
  differences: string[]
}

export function nearestProfile(inference: Inference, known: readonly DialectProfile[]): Nearness | undefined {
  const rated = known.map((profile) => rate(inference, profile))
  const share = ({ read, messages, written, replies }: Nearness) =>
    read / Math.max(1, messages) + written / Math.max(1, replies)
  return rated.toSorted((a, b) => share(b) - share(a) || a.differences.length - b.differences.length)[0]
}

function rate({ recording, draft }: Inference, profile: DialectProfile): Nearness {
  const own = compileDialect(draft.profile())
  const other = compileDialect(profile)
  const nearness: Nearness = { name: profile.name, read: 0, messages: 0, written: 0, replies: 0, differences: [] }
  for (const { turns, overBy } of recording.dialogues) {
    const names = new Set<string>()
    for (const [at, { deliver, reply }] of turns.entries()) {
      nearness.messages++
      const [mine, its] = [own.read(deliver.pdu), other.read(deliver.pdu)]
      if (its.is !== 'ussd' || mine.is !== 'ussd') continue
      names.add(its.message.network)
      const isSame =
        its.message.kind === mine.message.kind &&
        its.message.code === mine.message.code &&
        its.message.text === mine.message.text &&
        names.size === 1 &&
        (its.message.network === '') === (mine.message.network === '')
      if (isSame) nearness.read++
      if (!reply) continue
      nearness.replies++
      const action = at === turns.length - 1 && overBy === 'esme' ? 'end' : 'continue'
      const text = textOf(draft.profile(), reply.pdu)
      if (writesAlike(other, reply.pdu, { action, text, path: its.message.returnPath })) nearness.written++
    }
  }
  nearness.differences = differences(draft, profile)
  return nearness
}

/** The text of our reply, by the inferred profile. */
function textOf(profile: DialectProfile, pdu: Pdu): string {
  const { gsm7, ucs2, wrap } = profile.outbound.text
  const octets = payloadOf(pdu)
  if (wrap === 'asciiHex') return Buffer.from(octets.toString('latin1'), 'hex').toString('latin1')
  const isWide = ucs2 !== false && Number(pdu.body.data_coding) === ucs2.dcs && ucs2.dcs !== gsm7.dcs
  return decodeText(octets, isWide ? 'ucs2be' : gsm7.packed ? 'gsm7packed' : 'gsm7')
}

interface Said {
  action: 'end' | 'continue'
  text: string
  path: Parameters<Dialect['write']>[1]
}

function writesAlike(dialect: Dialect, recorded: Pdu, { action, text, path }: Said): boolean {
  const written = encode(dialect.write({ action, text }, path).pdu)
  const original = encode({ ...recorded, sequence: 0 })
  return 'octets' in written && 'octets' in original && written.octets.equals(original.octets)
}

/** Compares the values, not the text, of the profile: certain findings that differ. */
function differences(draft: Draft, profile: DialectProfile): string[] {
  const at = (root: unknown, path: string) =>
    path.split('.').reduce<unknown>((node, step) => (node as Record<string, unknown> | undefined)?.[step], root)
  const found = draft
    .findings()
    .filter((it) => it.sure && it.path !== 'inbound.classify')
    .map((it) => it.path)
  return found.filter(
    (path) => JSON.stringify(at(profile, path) ?? null) !== JSON.stringify(at(draft.profile(), path) ?? null),
  )
}
