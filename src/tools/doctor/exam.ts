/** One examination: its subject, what it may do, and the findings so far. */
import type { Dialect } from '../../smpp/index.ts'
import type { PlainText } from '../../sms/pdu/index.ts'
import type { SmscSettings } from '../../smpp/session/index.ts'
import { statusText } from '../../smpp/pdu/index.ts'
import { statusPolicy, type Clock } from '../../ussd/index.ts'
import type { CheckId, Finding, Taped, CheckVerdict } from './finding.ts'
import type { WireAnswer } from './wire.ts'

/** The plan is fixed before anything is sent. */
export interface ExamPlan {
  smsc: SmscSettings
  /** The TLS options, in the form of the settings. */
  tlsFiles?: Record<string, string>
  /** The test handset: the only number to which anything is sent. Absent: no SMS and no USSD. */
  msisdn?: string
  /** The source address of the SMS. */
  source: { addr: string; ton: number; npi: number }
  /** How the settings write SMS, if there are settings. */
  sms?: { plain: PlainText; serviceType: string; destTon: number; destNpi: number }
  /** The code to dial from the handset. Absent: the doctor waits for no call. */
  code?: string
  /** Push a text and a question to the handset. */
  push: boolean
  /** How this SMSC writes USSD, if that is known. */
  dialect?: Dialect
  /** SMS sent at once. 0: the window is not tested. */
  windowSms: number
  /** The most SMS spent to find the rate. 0: it is not tested. */
  rateSms: number
  /** Try once with a wrong password. Some SMSCs lock accounts after that. */
  wrongPassword: boolean
  /** How long to stay silent on a bind. 0: not tested. */
  deadPeerMs: number
  times: ExamTimes
}

export interface ExamTimes {
  connectMs: number
  answerMs: number
  /** How long to wait for receipts after the last SMS. */
  receiptMs: number
  /** How long to wait for a person with a handset. */
  handsetMs: number
  /** The pause after a status that says: too fast. */
  pauseMs: number
}

export const EXAM_TIMES: ExamTimes = {
  connectMs: 10_000,
  answerMs: 10_000, // how long the daemon waits for a submit_sm_resp by default
  receiptMs: 60_000, // a handset that is on answers within seconds; the network retries after minutes
  handsetMs: 60_000,
  pauseMs: 1_000, // SMSCs count by the second
}

export interface Exam {
  readonly plan: ExamPlan
  readonly clock: Clock
  say(text: string): void
  readonly findings: Finding[]
  find(
    check: CheckId,
    verdict: CheckVerdict,
    said: string,
    more?: Partial<Omit<Finding, 'check' | 'verdict' | 'said'>>,
  ): Finding
  wait(ms: number): Promise<void>
  /** Numbers the PDUs of all connections. */
  order(): number
}

export function newExam(
  plan: ExamPlan,
  {
    clock,
    say,
    onFinding,
  }: {
    clock: Clock
    say(text: string): void
    onFinding(finding: Finding): void
  },
): Exam {
  const findings: Finding[] = []
  let passed = 0
  return {
    plan,
    clock,
    say,
    findings,
    find(check, verdict, said, more = {}) {
      const finding: Finding = { check, verdict, said, evidence: [], ...more }
      // A later finding on the same check replaces the earlier one: it knows more.
      const at = findings.findIndex((it) => it.check === check)
      if (at < 0) findings.push(finding)
      else findings[at] = finding
      onFinding(finding)
      return finding
    },
    order: () => ++passed,
    wait: (ms) => new Promise((done) => void clock.after(ms, done)),
  }
}

/** Requests and answers, as evidence. */
export function evidenceOf(...answers: readonly (WireAnswer | undefined)[]): Taped[] {
  return answers.flatMap((it) => (it === undefined ? [] : it.is === 'answered' ? [it.asked, it.taped] : [it.asked]))
}

/** `refused with 0x58 ESME_RTHROTTLED`, for the sheet. */
export function wordsOf(answer: WireAnswer): string {
  if (answer.is === 'silent') return `no response within ${answer.ms} ms`
  if (answer.is === 'closed') return 'the SMSC closed the connection instead of a response'
  if (answer.pdu.command === 'generic_nack') return `refused with generic_nack ${statusText(answer.pdu.status)}`
  return answer.pdu.status === 0 ? `accepted in ${answer.ms} ms` : `refused with ${statusText(answer.pdu.status)}`
}

/** An answer with ESME_ROK. */
export type Accepted = WireAnswer & { is: 'answered'; pdu: { status: 0 } }

export function isOk(answer: WireAnswer): answer is Accepted {
  return answer.is === 'answered' && answer.pdu.status === 0 && answer.pdu.command !== 'generic_nack'
}

/** The SMSC says: too fast, or too many. */
export function isBusyAnswer(answer: WireAnswer, { plan }: Exam): boolean {
  const { push } = (plan.dialect?.policy ?? statusPolicy)(refusedStatus(answer) ?? 0)
  return push === 'next-second'
}

/** The status of an answer other than ESME_ROK. Undefined if there was no answer. */
export function refusedStatus(answer: WireAnswer): number | undefined {
  return answer.is === 'answered' ? answer.pdu.status : undefined
}
