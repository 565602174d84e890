/** SMS to the test handset: codings, long texts, times, and what can be done with a scheduled SMS. */
import { STATUS } from '../../smpp/pdu/index.ts'
import type { Pdu } from '../../smpp/index.ts'
import { isOk, evidenceOf, refusedStatus, wordsOf, type Accepted, type Exam } from './exam.ts'
import type { CheckId, Taped } from './finding.ts'
import type { SentSms } from './judge.ts'
import { RECEIPT, smsChecks } from './sms-plan.ts'
import type { Station } from './station.ts'
import type { WireAnswer } from './wire.ts'

/** The accepted SMS, for the receipts. */
export interface SmsSent {
  sent: (SentSms & { check: CheckId; evidence: Taped[] })[]
}

export async function examineSms(exam: Exam, station: Station): Promise<SmsSent> {
  const done: SmsSent = { sent: [] }
  let long: string | undefined
  let isRelativeRefused = false
  for (const { check, pdus, handset, refused, accepted } of smsChecks(exam.plan, exam.clock.now())) {
    if (!(await station.stand())) return done
    const answers: WireAnswer[] = []
    for (const pdu of pdus) {
      const answer = await station.send(pdu)
      answers.push(answer)
      if (!isOk(answer)) break
      done.sent.push({ ...sentOf(answer), check, evidence: evidenceOf(answer) })
    }
    const bad = answers.find((it) => !isOk(it))
    const evidence = evidenceOf(bad ?? answers[0], bad ? undefined : answers[1])
    const isLong = check.startsWith('long-')
    if (!bad) {
      const isFirst = isLong && long === undefined
      if (isFirst) long = check.slice('long-'.length)
      const parts = pdus.length > 1 ? `${pdus.length} parts, ` : ''
      exam.find(check, 'pass', `${parts}${wordsOf(answers[0]!)}`, {
        evidence,
        handset,
        ...accepted,
        ...(isFirst ? { settings: { 'sms.long': long! } } : {}),
      })
    } else {
      // Plain text must be accepted; a missing response is never right.
      const verdict = check === 'sms-gsm7' || refusedStatus(bad) === undefined ? 'fail' : 'not-supported'
      if (check === 'validity-relative') isRelativeRefused = true
      // The daemon needs no absolute times if relative ones are accepted.
      const isSpare = check === 'validity-absolute' && !isRelativeRefused
      exam.find(check, verdict, wordsOf(bad), { evidence, ...(isSpare ? {} : refused) })
    }
  }
  if (await station.stand()) await examineWaiting(exam, station, done)
  return done
}

function sentOf(answer: Accepted): SentSms {
  return {
    id: String(answer.pdu.body.message_id ?? ''),
    answeredMs: answer.taped.atMs,
    answeredOrder: answer.taped.order,
  }
}

/** query, replace and cancel on the scheduled SMS; query on any other SMS if there is none. */
async function examineWaiting(exam: Exam, station: Station, { sent }: SmsSent): Promise<void> {
  const waiting = sent.filter((it) => it.check.startsWith('schedule-'))
  const target = waiting[0] ?? sent[0]
  if (!target) {
    for (const check of ['query-sm', 'replace-sm', 'cancel-sm'] as const)
      exam.find(check, 'not-tested', 'no SMS was accepted')
    return
  }
  const { plan } = exam
  const source = { source_addr_ton: plan.source.ton, source_addr_npi: plan.source.npi, source_addr: plan.source.addr }
  const queried = await station.send({ command: 'query_sm', body: { message_id: target.id, ...source }, tlvs: [] })
  judge(exam, 'query-sm', queried, isOk(queried) ? `, ${stateOf(queried.pdu, exam)}` : '')
  if (!waiting[0]) {
    for (const check of ['replace-sm', 'cancel-sm'] as const)
      exam.find(check, 'not-tested', 'no SMS waits at the SMSC: it does not support scheduling')
    return
  }
  const replaced = await station.send({
    command: 'replace_sm',
    tlvs: [],
    body: {
      message_id: waiting[0].id,
      ...source,
      registered_delivery: RECEIPT,
      schedule_delivery_time: '',
      validity_period: '',
      short_message: Buffer.from('Test 7, replaced: must not arrive'),
    },
  })
  judge(exam, 'replace-sm', replaced)
  const { destTon = 1, destNpi = 1, serviceType = '' } = plan.sms ?? {}
  const destination = { dest_addr_ton: destTon, dest_addr_npi: destNpi, destination_addr: plan.msisdn! }
  const cancelled: WireAnswer[] = []
  for (const { id } of waiting) {
    const body = { service_type: serviceType, message_id: id, ...source, ...destination }
    cancelled.push(await station.send({ command: 'cancel_sm', body, tlvs: [] }))
  }
  judge(exam, 'cancel-sm', cancelled.find((it) => !isOk(it)) ?? cancelled[0]!)
}

/** 0x67, 0x13 and 0x11 come from an SMSC that knows the command but could not execute it. */
const TRIED = new Set<number>([
  STATUS.ESME_RQUERYFAIL,
  STATUS.ESME_RREPLACEFAIL,
  STATUS.ESME_RCANCELFAIL,
  STATUS.ESME_RINVMSGID,
])

function judge(exam: Exam, check: 'query-sm' | 'replace-sm' | 'cancel-sm', answer: WireAnswer, more = ''): void {
  const evidence = evidenceOf(answer)
  if (isOk(answer)) return void exam.find(check, 'pass', wordsOf(answer) + more, { evidence })
  const status = refusedStatus(answer)
  const isTried =
    status !== undefined && TRIED.has(status) && answer.is === 'answered' && answer.pdu.command !== 'generic_nack'
  const left =
    check === 'cancel-sm'
      ? { advice: 'the scheduled test SMS cannot be cancelled: they arrive in about two hours' }
      : {}
  const said = `${wordsOf(answer)}${isTried ? ': the SMSC knows the command, but refuses it for this message' : ''}`
  exam.find(check, status === undefined ? 'fail' : 'not-supported', said, { evidence, ...left })
}

/** message_state. (SMPP v3.4 §5.2.28) */
const STATES = [
  'SCHEDULED',
  'ENROUTE',
  'DELIVERED',
  'EXPIRED',
  'DELETED',
  'UNDELIVERABLE',
  'ACCEPTED',
  'UNKNOWN',
  'REJECTED',
  'SKIPPED',
]

function stateOf({ body }: Pdu, exam: Exam): string {
  const state = Number(body.message_state ?? -1)
  exam.say(`  query_sm says ${STATES[state] ?? state}`)
  return `state ${state} ${STATES[state] ?? 'of unknown meaning'}`
}
