/** Delivery receipts of the accepted SMS: whether they come, how soon, and how they name the message. */
import { payloadOf, ESM_TYPE_MASK } from '../../smpp/dialect/index.ts'
import { readReceipt } from '../../sms/pdu/index.ts'
import type { Pdu } from '../../smpp/index.ts'
import type { Exam } from './exam.ts'
import type { Finding, Taped } from './finding.ts'
import { idForm, receiptFacts, type ReceivedReceipt, type MessageIdRelation, type ReceiptFacts } from './judge.ts'
import { NO_SCHEDULE } from './sms-plan.ts'
import type { SmsSent } from './sms.ts'
import type { Station } from './station.ts'

const RECEIPTED_MESSAGE_ID = 0x001e
const LOOK_MS = 100

/** Waits until every SMS has a receipt, or until the time is over. */
export async function examineReceipts(exam: Exam, station: Station, { sent }: SmsSent): Promise<void> {
  const expected = sent.filter((it) => !it.check.startsWith('schedule-'))
  if (expected.length === 0) {
    exam.find('receipts', 'not-tested', 'no SMS was accepted')
    return void exam.find('receipt-ids', 'not-tested', 'no SMS was accepted')
  }
  const { receiptMs } = exam.plan.times
  exam.say(
    `waiting up to ${Math.round(receiptMs / 1_000)} s for receipts of ${expected.length} SMS; is the handset on?`,
  )
  const until = exam.clock.now() + receiptMs
  let read = readAll(station)
  while (read.length < expected.length && exam.clock.now() < until && station.rx.closedMs === undefined) {
    await exam.wait(Math.min(LOOK_MS, receiptMs))
    read = readAll(station)
  }
  const scheduled = read.filter(
    ({ receipt }) =>
      isOf(
        sent.filter((it) => !expected.includes(it)),
        receipt,
      ) && !isOf(expected, receipt),
  )
  judgeScheduled(exam, sent, scheduled)
  read = read.filter((it) => !scheduled.includes(it))
  const facts = receiptFacts(
    expected,
    read.map((it) => it.receipt),
  )
  judgeReceipts(exam, facts, {
    expected: expected.length,
    received: read.map((it) => it.taped),
    isUnmarked: read.some((it) => it.isUnmarked),
  })
  judgeIds(exam, facts, {
    ids: expected.map((it) => it.id),
    received: read.map((it) => it.taped),
    response: expected[0]!.evidence,
  })
}

/** Accepted does not mean scheduled: an SMS that was delivered hours early did not wait. */
function judgeScheduled(exam: Exam, sent: SmsSent['sent'], received: Read[]): void {
  for (const { id, check, evidence } of sent.filter((it) => it.check.startsWith('schedule-'))) {
    const early = received.find(({ receipt }) => receipt.state === 'delivered' && isOf([{ id }], receipt))
    if (!early) continue
    exam.find(check, 'fail', 'accepted, but delivered at once: the SMSC ignores the time', {
      evidence: [...evidence, early.taped],
      advice: NO_SCHEDULE,
    })
  }
}

function isOf(sent: readonly { id: string }[], { tlvId, textId }: ReceivedReceipt): boolean {
  return sent.some(({ id }) => idForm(id, tlvId || textId) !== 'unrelated')
}

interface Read {
  receipt: ReceivedReceipt
  /** esm_class does not mark it as a receipt. */
  isUnmarked: boolean
  taped: Taped
}

function readAll({ received }: Station): Read[] {
  return received.flatMap(({ pdu, taped }) => {
    const receipt = receiptOf(pdu, taped)
    return receipt ? [{ receipt, taped, isUnmarked: (Number(pdu.body.esm_class ?? 0) & ESM_TYPE_MASK) === 0 }] : []
  })
}

/** Null for an SMS from the handset, or for USSD. */
function receiptOf(pdu: Pdu, { atMs, order }: Taped): ReceivedReceipt | null {
  const read = readReceipt(pdu, '')
  if (!read) return null
  const value =
    pdu.tlvs
      .find(({ tag }) => tag === RECEIPTED_MESSAGE_ID)
      ?.value.toString('latin1')
      .replace(/\0.*$/s, '') ?? ''
  const textId = /\bid[ \t]*:[ \t]*(\S+)/i.exec(payloadOf(pdu).toString('latin1'))?.[1] ?? ''
  return { tlvId: value, textId, state: read.state, atMs, order }
}

function judgeReceipts(
  exam: Exam,
  facts: ReceiptFacts,
  of: { expected: number; received: Taped[]; isUnmarked: boolean },
): void {
  const { expected, received, isUnmarked } = of
  const evidence = received.slice(0, 2)
  if (received.length === 0) {
    return void exam.find('receipts', 'fail', `none for ${expected} SMS`, {
      advice:
        'ask the operator to switch receipts on, or for a receiver bind; without receipts the daemon knows only that the SMSC accepted an SMS',
      evidence,
      settings: { 'sms.receipts': false },
    })
  }
  const carries = {
    parameters: 'as parameters',
    text: 'as text',
    both: 'as parameters and text',
    nothing: 'without any id',
  }[facts.carries]
  const { min, median, max } = facts.delay
  const said = [
    `${facts.matched} of ${expected} SMS, ${carries}, states ${facts.states.join(', ')}`,
    facts.matched > 0 ? `${min} / ${median} / ${max} ms after the response` : '',
    facts.early > 0 ? `${facts.early} before the response` : '',
    facts.repeats > 0 ? `${facts.repeats} repeated` : '',
    facts.orphans > 0 ? `${facts.orphans} for unknown SMS` : '',
    isUnmarked ? 'esm_class does not mark them as receipts' : '',
  ]
  const isWhole = facts.matched === expected
  exam.find('receipts', isWhole ? 'pass' : 'fail', said.filter(Boolean).join('; '), {
    evidence,
    ...(isWhole ? {} : { advice: 'was the handset on? If yes, ask why some SMS have no receipt' }),
    ...(isUnmarked ? { settings: { 'sms.unmarkedReceipts': true } } : {}),
  })
}

const FORMS: Record<MessageIdRelation, { said: string; profile?: Record<string, string> }> = {
  same: { said: 'as in the response' },
  case: { said: 'as in the response, except for capital letters, which we ignore' },
  zeros: { said: 'as in the response, except for leading zeros, which we ignore' },
  'hex-to-dec': {
    said: 'decimal; the response has hexadecimal',
    profile: { 'responses.messageIdBases.response': 'hex', 'responses.messageIdBases.receipt': 'dec' },
  },
  'dec-to-hex': {
    said: 'hexadecimal; the response has decimal',
    profile: { 'responses.messageIdBases.response': 'dec', 'responses.messageIdBases.receipt': 'hex' },
  },
  unrelated: { said: 'different from the response' },
}

function judgeIds(
  exam: Exam,
  facts: ReceiptFacts,
  { ids, received, response }: { ids: string[]; received: Taped[]; response: Taped[] },
): void {
  const evidence = [...response.slice(-1), ...received.slice(0, 1)]
  if (received.length === 0) return void exam.find('receipt-ids', 'not-tested', 'no receipt arrived')
  if (new Set(ids).size < ids.length || ids.includes('')) {
    return void exam.find('receipt-ids', 'fail', 'the responses have no message id, or the same id twice', {
      evidence,
      advice: 'we cannot match receipts to SMS: ask for message ids',
      profile: { 'responses.messageIdUseless': 'true' },
    })
  }
  if (facts.forms.length === 0) {
    return void exam.find('receipt-ids', 'fail', 'no receipt has the id of a response, in any known form', {
      evidence,
      advice: 'ask what the id in a receipt means',
      settings: { 'sms.receipts': false },
    })
  }
  const forms = facts.forms.map((it) => FORMS[it])
  // Some ids look the same in both bases; an id that does not decides.
  const profile: Finding['profile'] = forms.find((it) => it.profile)?.profile
  exam.find('receipt-ids', 'pass', forms.map((it) => it.said).join('; '), {
    evidence,
    ...(profile ? { profile, advice: 'set this in the dialect profile' } : {}),
  })
}
