/** One examination: what it is of, what may be done, and the findings so far. */
import type { Dialect } from '../../smpp/index.ts'
import type { PlainText } from '../../sms/pdu/index.ts'
import type { SmscSettings } from '../../smpp/session/index.ts'
import { statusText } from '../../smpp/pdu/index.ts'
import type { Clock } from '../../ussd/index.ts'
import type { CheckId, Finding, Taped, CheckVerdict } from './finding.ts'
import type { WireAnswer } from './wire.ts'

/** Fixed before anything is sent. */
export interface ExamPlan {
  smsc: SmscSettings
  /** What the options said of TLS, as settings say it. */
  tlsFiles?: Record<string, string>
  /** The test handset, the only number that anything is sent to. Absent: no SMS, no USSD. */
  msisdn?: string
  /** Source of the SMS. */
  source: { addr: string; ton: number; npi: number }
  /** How the settings write SMS, where there are settings. */
  sms?: { plain: PlainText; serviceType: string; destTon: number; destNpi: number }
  /** Dialled from the handset; absent: no call is waited for. */
  code?: string
  /** Push a text and a question to the handset. */
  push: boolean
  /** How USSD is written here, where that is known. */
  dialect?: Dialect
  /** SMS sent at once; 0: the window is not tested. */
  windowSms: number
  /** SMS spent at most to find the rate; 0: not tested. */
  rateSms: number
  /** Try once with a wrong password: accounts get locked. */
  wrongPassword: boolean
  /** How long to play dead; 0: not tested. */
  deadPeerMs: number
  times: ExamTimes
}

export interface ExamTimes {
  connectMs: number
  answerMs: number
  /** For receipts after the last SMS. */
  receiptMs: number
  /** For a person with a handset. */
  handsetMs: number
  /** After a status that says: too fast. */
  pauseMs: number
}

export const EXAM_TIMES: ExamTimes = {
  connectMs: 10_000,
  answerMs: 10_000, // what the daemon waits for a submit_sm_resp by default
  receiptMs: 60_000, // a handset that is on answers within seconds; retries of the network come after minutes
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
  /** Counts what passes on all connections. */
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
      // A later word on the same check knows more.
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

/** Request and answer, as evidence. */
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

/** Of an answer other than ESME_ROK; undefined where there was none. */
export function refusedStatus(answer: WireAnswer): number | undefined {
  return answer.is === 'answered' ? answer.pdu.status : undefined
}
