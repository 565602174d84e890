/**
 * A probe: listens on a bind with an unknown dialect, and answers calls with the end of the best matching profile. It
 * opens no dialogue, sends no SMS, and does not answer what it cannot read as USSD.
 */
import {
  compileDialect,
  getSession,
  merge,
  dialectProfile,
  type DialectProfile,
  viewOf,
} from '../../smpp/dialect/index.ts'
import { encode } from '../../smpp/pdu/index.ts'
import type { Incoming, LinkPort, OutgoingPdu, Pdu, SubmitOutcome } from '../../smpp/index.ts'
import type { UssdKind, UssdReply } from '../../ussd/index.ts'
import { capturedFrames, type Captured, type Side, showPdu } from '../capture/index.ts'
import { infer, type Inference } from './infer.ts'
import { TAG } from './recorded.ts'

export interface ProbeDeps {
  known: readonly DialectProfile[]
  standard: DialectProfile
  say(text: string): void
  now(): number
  submit(pdu: OutgoingPdu): Promise<SubmitOutcome>
  /** Ask a question first, from the second call on: it shows what an answer looks like. */
  ask?: boolean
}

export interface Probe {
  /** Gets the octets of the bind, in both directions, as they pass. */
  tap(from: Side, octets: Buffer): void
  onRequest(pdu: Pdu, link: LinkPort): Promise<void>
  /** How many calls are over, by our end or the subscriber's. */
  calls(): number
  pdus(): readonly Captured[]
  /** The profile whose last reply the SMSC accepted. */
  acceptedBy(): string | undefined
  believed(name: string): Inference
}

export const PROBE_TEXT = { end: 'Service test. Thank you.', ask: 'Service test.\n1. Continue' }
/** How many PDUs are kept: a probe is for a few calls. */
const PDUS_MAX = 10_000
/** How many ways of writing one answer are tried. More would only fill the operator's log. */
const TRIES_MAX = 4
/** Tags from here on are vendors' tags. (SMPP v3.4 §5.3.2, table 5-7) */
const VENDOR_TAG_MIN = 0x1400
/** Commands that reveal nothing of a dialect. */
const DULL = /^(?:enquire_link|bind_|unbind)/

export function newProbe(deps: ProbeDeps): Probe {
  const pdus: Captured[] = []
  const state: ProbeState = { begun: 0, over: 0, tried: 0, accepted: 0, acceptedBy: undefined }
  const refused = new Set<string>()
  /** Subscriber → the profile that asked. It also reads the subscriber's next message. */
  const asked = new Map<string, string>()

  function tap(from: Side, octets: Buffer): void {
    const [pdu] = capturedFrames([{ atMs: deps.now(), link: 'probe', octets, from }]).pdus
    if (!pdu || pdus.length >= PDUS_MAX) return
    pdus.push(pdu)
    if (!DULL.test(pdu.pdu.command)) deps.say(showPdu(pdu).join('\n'))
  }

  async function onRequest(pdu: Pdu, link: LinkPort): Promise<void> {
    link.respond(pdu, 0)
    if (looksLikeSms(pdu)) return deps.say('  (not answered: it looks like an SMS)')
    const who = String(pdu.body.source_addr ?? '')
    const askedBy = asked.get(who)
    const found = readersOf(pdu, deps, askedBy)
    const best = found.find(({ profile }) => !refused.has(profile.name)) ?? found[0]
    if (!best || best.read.is !== 'ussd') return deps.say('  (not answered: no profile reads it as USSD)')
    const { kind, text } = best.read.message
    if (kind === 'begin') state.begun++
    const isOver = overBy(kind, text)
    if (isOver !== undefined) {
      state.over++
      return deps.say(`  (not answered: ${isOver}, by ${best.profile.name})`)
    }
    const isQuestion = deps.ask === true && kind === 'begin' && state.begun > 1
    // If an answer comes to our end, the network took the end for a question: the profile's end is wrong.
    if (kind === 'input' && askedBy === undefined) refused.add(best.profile.name)
    asked.delete(who)
    const action = isQuestion ? 'continue' : 'end'
    deps.say(`  (${kind}, by ${best.profile.name})`)
    const reply: UssdReply = { action, text: isQuestion ? PROBE_TEXT.ask : PROBE_TEXT.end }
    // Set it before sending: the answer may come before the response.
    if (isQuestion) asked.set(who, best.profile.name)
    const acceptedBy = await answer(
      reply,
      found.filter(({ profile }) => !refused.has(profile.name)),
      { parts: deps, state, refused },
    )
    if (!isQuestion) state.over++
    else if (acceptedBy !== undefined && asked.has(who)) asked.set(who, acceptedBy)
  }

  return {
    tap,
    onRequest,
    calls: () => state.over,
    pdus: () => pdus,
    acceptedBy: () => state.acceptedBy,
    believed(name) {
      const inference = infer(pdus, deps.standard, name)
      doubtOwn(inference, state)
      return inference
    },
  }
}

/** Why the call is over and nobody waits for an answer. Undefined: somebody waits. */
function overBy(kind: UssdKind, text: string): string | undefined {
  if (kind === 'begin') return undefined
  if (kind !== 'input') return kind
  // Nobody answers with an empty text; a hang-up in an unknown dialect looks like that.
  return text === '' ? 'no text, it may be a hang-up' : undefined
}

/** Some profiles recognise a begin by its text alone. On an unknown bind that is not enough: it could be an SMS. */
function looksLikeSms(pdu: Pdu): boolean {
  return String(pdu.body.service_type ?? '') === '' && pdu.tlvs.every((tlv) => tlv.tag === TAG.payload)
}

interface ProbeState {
  begun: number
  over: number
  tried: number
  accepted: number
  acceptedBy: string | undefined
}

interface Answering {
  parts: ProbeDeps
  state: ProbeState
  /** Names of profiles whose replies were refused. */
  refused: Set<string>
}

/**
 * Tries the best profile first. If its reply is refused, tries the next profile that writes it differently. Returns the
 * profile whose reply was accepted.
 */
async function answer(
  reply: UssdReply,
  found: readonly Candidate[],
  { parts, state, refused }: Answering,
): Promise<string | undefined> {
  const tried: string[] = []
  for (const { profile, read } of found) {
    if (read.is !== 'ussd' || tried.length >= TRIES_MAX) continue
    const { pdu } = compileDialect(profile).write(reply, read.message.returnPath)
    const coded = encode(pdu)
    if ('fault' in coded || tried.includes(coded.octets.toString('hex'))) continue
    tried.push(coded.octets.toString('hex'))
    parts.say(`  (answering with the ${reply.action} of ${profile.name})`)
    state.tried++
    const outcome = await parts.submit(pdu)
    if (outcome.kind === 'ok') {
      state.accepted++
      state.acceptedBy = profile.name
      return profile.name
    }
    refused.add(profile.name)
    parts.say(
      outcome.kind === 'refused'
        ? `  (refused with status 0x${outcome.status.toString(16).padStart(2, '0')})`
        : `  (no response: ${outcome.kind})`,
    )
    if (outcome.kind !== 'refused') return undefined
  }
  return undefined
}

/** Profiles for a number in a vendor's parameter: the standard profile, with the parameter echoed unchanged. */
function echoing(pdu: Pdu, standard: DialectProfile): DialectProfile[] {
  const vendor = pdu.tlvs.filter(({ tag, value }) => tag >= VENDOR_TAG_MIN && tag !== TAG.carrier && value.length <= 8)
  const classify = standard.inbound.classify.map((rule) =>
    rule.why === 'unknown-op' ? { when: rule.when, is: 'input' } : rule,
  )
  return vendor.map(({ tag }) =>
    dialectProfile.parse(
      merge(standard, {
        name: `echo-0x${tag.toString(16)}`,
        inbound: {
          classify,
          session: { from: [{ tlv: tag }], decode: 'hex', step: 'none' },
          endBit: { use: 'ignore' },
        },
        outbound: { session: { mode: 'echo' } },
      }),
    ),
  )
}

interface Candidate {
  profile: DialectProfile
  read: Incoming
  worth: number
}

/** The profiles that read it as USSD, the best first. `askedBy`: the profile that asked this subscriber. */
function readersOf(pdu: Pdu, { known, standard }: ProbeDeps, askedBy: string | undefined): Candidate[] {
  const profiles = [...known, ...echoing(pdu, standard)]
  const sure = candidates(pdu, profiles, askedBy)
  return sure.length > 0 ? sure : supposed(pdu, profiles, askedBy)
}

/**
 * Profiles that read it as USSD, the best first: the one that asked this subscriber, then those that find a code, and a
 * number where they expect one.
 */
function candidates(pdu: Pdu, known: readonly DialectProfile[], askedBy?: string): Candidate[] {
  const rated = known.map((profile): Candidate => {
    const read = compileDialect(profile).read(pdu)
    if (read.is !== 'ussd') return { profile, read, worth: 0 }
    const { from } = profile.inbound.session
    const carrier = getSession(profile, viewOf(profile, pdu)).raw
    const hasNumber = carrier.length > 0
    const wellRead = read.message.kind === 'begin' ? read.message.code !== '' : read.message.kind !== 'timeout'
    const fits = from.length === 0 ? 0 : hasNumber ? 2 : -2
    // A turn counter begins at 0. Any other octet 2 is a part of the number and must not be incremented.
    const isBegin = read.message.kind === 'begin'
    const counts =
      isBegin && profile.inbound.session.step === 'octet2' && carrier.length > 1 && (carrier[1] as number) > 1 ? -4 : 0
    const own = !isBegin && profile.name === askedBy ? 16 : 0
    const taste = profile.name === 'standard' ? 1 : profile.outbound.session.bare ? -1 : 0
    return { profile, read, worth: 4 + (wellRead ? 4 : 0) + fits + counts + taste + own }
  })
  return rated.filter((it) => it.worth > 0).toSorted((a, b) => b.worth - a.worth)
}

/**
 * A subscriber who was asked answers next: if no profile can read the message, the asking profile reads it as an
 * answer.
 */
function supposed(pdu: Pdu, profiles: readonly DialectProfile[], askedBy: string | undefined): Candidate[] {
  return profiles
    .filter(({ name }) => name === askedBy)
    .flatMap((asking): Candidate[] => {
      const profile: DialectProfile = {
        ...asking,
        inbound: { ...asking.inbound, classify: [{ when: {}, is: 'input' }] },
      }
      const read = compileDialect(profile).read(pdu)
      return read.is === 'ussd' ? [{ profile, read, worth: 1 }] : []
    })
}

/**
 * What we wrote is our guess and no evidence of the network: none of these fields is certain, however often accepted.
 */
function doubtOwn({ draft }: Inference, { accepted, tried }: { accepted: number; tried: number }): void {
  const why = `our own guess; the SMSC accepted ${accepted} of ${tried}`
  const isOwn = (path: string) => /^(?:outbound\.|inbound\.endBit|responses\.deliverResp)/.test(path)
  for (const { path, value, sure } of draft.findings()) {
    if (sure && isOwn(path)) draft.doubtful(path, value, why)
    // Operations are recognised by what follows them.
    if (sure && path === 'inbound.op.from' && value === null)
      draft.doubtful(path, value, 'our own replies show no operation')
  }
}
