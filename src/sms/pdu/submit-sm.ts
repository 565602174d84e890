/** How the outbox sends: the parts of an SMS in order. If one part fails, the rest is not sent. */
import { failpointOnceWritten, type Counters, type Log } from '../../base/index.ts'
import { type LateSms } from '../outbox/index.ts'
import {
  type BeforePart,
  type PartIds,
  type SmsOutcome,
  type SmsSubmit,
  type SmsToSend,
  ownClasses,
  refused,
  statusClass,
  urgencyOf,
} from '../terms/index.ts'
import { dressed, type SmsDress } from './regulated.ts'
import { smppAbsoluteTime, relativeTime, smsPdu, splitSms, type SmsPart } from './segments.ts'
import { STATUS } from '../../smpp/pdu/index.ts'
import type { Line, SubmitOutcome } from '../../smpp/index.ts'
import { LANGUAGES, type Clock } from '../../ussd/index.ts'
import type { OfService, SmsLine, SmsSettings } from '../settings/index.ts'

export interface SubmitDeps {
  settings: readonly SmsLine[]
  lines: { all: readonly Line[]; get(name: string): Line | undefined }
  clock: Clock
  log: Log
  metrics: Counters
  /** What the SMS of a service have of their own, by the owner. Default: nothing. */
  serviceOf?: ((owner?: string) => OfService | undefined) | undefined
}

/** The parts of one SMS take at most this many response times; the lease of its row is no longer. */
export const RESPONSES_MAX = 3
/** The shortest validity that we ask for. */
const VALIDITY_MS_MIN = 60_000

export function smsSubmit(deps: SubmitDeps): SmsSubmit {
  return async (sms, beforePart) => {
    const line = lineFor(sms, deps.lines, deps.settings)
    const own = deps.settings.find(({ name }) => name === line?.name)
    const how = own?.sms
    if (!line || !how) return { is: 'unsent' }
    const dress = dressed(sms, how, deps.serviceOf?.(sms.owner))
    if ('fault' in dress) {
      const { fault } = dress
      deps.log.warn({ line: line.name, owner: sms.owner, sms: sms.id, why: fault }, 'an SMS is not sent: its template')
      return { is: 'failed', status: STATUS.ESME_RMISSINGOPTPARAM, why: fault }
    }
    const { parts: pieces, cut } = splitSms(sms.text, splittingOf(how), sms.reference)
    if (cut) deps.metrics.count('limits_total', { limit: 'sms_parts_max' })
    const { responseMs } = own.timers
    return sendParts(pieces, { sms, line, how, dress, responseMs, clock: deps.clock, beforePart })
  }
}

/** The key of a request in the SMS lane, to recognise a late response. */
function lateKey(id: string, part: number): string {
  return `${id}/${part}`
}

/** The SMS of a key, if it is one of ours: SMS of the outbox have numbers. */
export function lateSmsOf(key: string | undefined, line: string): Required<LateSms> | null {
  const [, id, part] = /^(\d+)\/(\d+)$/.exec(key ?? '') ?? []
  return id && part ? { id, line, part: Number(part) } : null
}

/** What the response to one part means on this line. */
export function fateOf(outcome: SubmitOutcome, how: SmsSettings, { dialect }: Pick<Line, 'dialect'>): SmsOutcome {
  if (outcome.kind === 'ok') return { is: 'accepted', messageIds: [outcome.messageId] }
  if (outcome.kind === 'unsent')
    return outcome.why === 'uncodable' ? { is: 'failed', status: STATUS.ESME_RSUBMITFAIL } : { is: 'unsent' }
  if (outcome.kind !== 'refused') return { is: 'ambiguous' }
  const { status } = outcome
  return refused(status, statusClass(status, ownClasses(how.statuses), dialect.policy(status)))
}

interface Sending {
  sms: SmsToSend
  line: Line
  how: SmsSettings
  dress: SmsDress
  responseMs: number
  clock: Clock
  beforePart: BeforePart | undefined
}

async function sendParts(pieces: readonly SmsPart[], sending: Sending): Promise<SmsOutcome> {
  const { sms, line, how, clock, beforePart } = sending
  const messageIds: (string | null)[] = pieces.map(() => null)
  // If the line's current settings split it into another number of parts, a handset cannot join them with the old
  // parts.
  const has = sms.parts === undefined || sms.parts === pieces.length ? sms.taken : undefined
  const overMs = clock.now() + (RESPONSES_MAX - 1) * sending.responseMs
  for (let i = 0; i < pieces.length; i++) {
    if (has?.includes(i + 1)) continue
    if (pieces.length > 1) await beforePart?.({ messageIds: [...messageIds], line: line.name })
    const deadline = Math.min(overMs, clock.now() + sending.responseMs)
    const key = lateKey(sms.id, i + 1)
    const { kind } = sms
    const submitting = line.submit(pduOf(pieces[i]!, sending), {
      lane: 'sms',
      kind,
      urgency: urgencyOf(kind),
      deadline,
      key,
    })
    failpointOnceWritten('sms-after-octets')
    const outcome = await submitting
    if (outcome.kind !== 'ok') return partly(fateOf(outcome, how, line), messageIds, line.name)
    messageIds[i] = outcome.messageId
  }
  return { is: 'accepted', messageIds, line: line.name }
}

/** An SMS of one part is complete or unsent. For several parts, the outbox must know which are missing. */
function partly(fate: SmsOutcome, messageIds: PartIds, line: string): SmsOutcome {
  return messageIds.length === 1 || fate.is === 'accepted' ? fate : { ...fate, partly: { messageIds, line } }
}

function pduOf(piece: SmsPart, { sms, line, how, dress, clock }: Sending) {
  const leftMs = Math.max(VALIDITY_MS_MIN, Math.min(sms.expiresMs - clock.now(), how.validityMs ?? Infinity))
  const { source, sourceTon, sourceNpi } = dress.sender ?? line.sms
  // No spread with other fields behind it, on the way of each SMS: see WHY, "Objects put together by spread".
  return smsPdu(piece, {
    source,
    sourceTon,
    sourceNpi,
    tlvs: dress.tlvs,
    msisdn: sms.msisdn,
    registeredDelivery: how.receipts ? 1 : 0,
    userMessageReference: sms.reference,
    validityPeriod: validityOf(how, leftMs, clock),
    priority: how.priority,
    serviceType: how.serviceType,
    destTon: how.destTon,
    destNpi: how.destNpi,
  })
}

/** The SMSC has its own clock, so absolute times may be a minute wrong. */
function validityOf({ validity }: SmsSettings, ms: number, clock: Clock): string {
  if (validity === 'none') return ''
  return validity === 'absolute' ? smppAbsoluteTime(clock.now() + ms) : relativeTime(ms)
}

/** How a line splits a text. */
export function splittingOf(how: SmsSettings) {
  return {
    concatenation: how.long,
    ucs2: how.ucs2,
    translit: how.transliterate,
    languages: how.languages.map((name) => LANGUAGES[name]),
    plain: { alphabet: how.alphabet, dataCoding: how.dataCoding },
  }
}

/** The line that the SMS names, or else the first bound line that may send SMS. */
function lineFor(sms: SmsToSend, lines: SubmitDeps['lines'], settings: readonly SmsLine[]): Line | undefined {
  const sends = (line: Line) => settings.find(({ name }) => name === line.name)?.sms !== undefined
  const named = sms.line ? lines.get(sms.line) : undefined
  return named && sends(named) ? named : lines.all.find((line) => line.bound() && sends(line))
}
