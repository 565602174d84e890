/** START HERE: an examination of one SMSC, from the connection to USSD, as findings. */
import type { Clock } from '../../ussd/index.ts'
import { examineConnection } from './connection.ts'
import { newExam, type Exam, type ExamPlan } from './exam.ts'
import { allFindings, type Finding } from './finding.ts'
import { examineDeadPeer, examineLink, examineUnbind, judgeEnquiries, judgeUnbound } from './link.ts'
import { examineLoad } from './load.ts'
import { examineReceipts } from './receipts.ts'
import { smsChecks } from './sms-plan.ts'
import { examineSms } from './sms.ts'
import { openStation, type Station } from './station.ts'
import { examineUssd, type HandsetFacts } from './ussd.ts'

export interface ExamDeps {
  clock: Clock
  say(text: string): void
  /** Called for each finding as soon as it is made. */
  onFinding(finding: Finding): void
  known: HandsetFacts
}

/** The most SMS that an examination may send; each part counts. */
export function smsCount(plan: ExamPlan): number {
  if (plan.msisdn === undefined) return 0
  return smsChecks(plan, 0).reduce((sum, it) => sum + it.pdus.length, 0) + plan.windowSms + plan.rateSms
}

/**
 * Makes every check, in the order of the sheet. Checks that could not be made are not-tested and say why. Whatever the
 * SMSC does, it never rejects.
 */
export async function examine(plan: ExamPlan, deps: ExamDeps): Promise<Finding[]> {
  const exam = newExam(plan, deps)
  const roles = await examineConnection(exam)
  if (!roles) return allFindings(exam.findings, 'nothing bound')
  const station = await openStation(exam, roles)
  if (typeof station === 'string') return allFindings(exam.findings, `no bind to test with: ${station}`)
  let lost: string | null = null
  try {
    lost = await onStation(exam, { station, known: deps.known })
  } finally {
    station.tx.close()
    station.rx.close()
  }
  await examineDeadPeer(exam, roles)
  const rest =
    plan.msisdn === undefined ? 'needs a test handset (--msisdn)' : 'the connection was lost before this test this test'
  return allFindings(exam.findings, lost ?? rest)
}

interface OnStation {
  station: Station
  known: HandsetFacts
}

/**
 * Makes the checks that need a bind. Returns what prevents the rest, or null. If the SMSC unbinds us, it binds again, a
 * few times.
 */
async function onStation(exam: Exam, { station, known }: OnStation): Promise<string | null> {
  await examineLink(exam, station)
  const isThere = await station.stand(station.tx.closedMs !== undefined ? 'anyway' : undefined)
  if (!isThere) return noMore(exam, station)
  if (exam.plan.msisdn !== undefined) {
    const sms = await examineSms(exam, station)
    if (!(await station.stand())) return noMore(exam, station)
    const plain = smsChecks(exam.plan, exam.clock.now())[0]!.pdus[0]!
    await examineLoad(exam, station, { ...plain, body: { ...plain.body, registered_delivery: 0 } })
    if (!(await station.stand())) return noMore(exam, station)
    await examineReceipts(exam, station, sms)
    if (!(await station.stand())) return noMore(exam, station)
    await examineUssd(exam, station, known)
    const others = station.others()
    if (others === 0) exam.find('others', 'pass', 'no message arrived on this bind')
    else {
      const advice = 'this account is in use: test with another account, or at night'
      exam.find('others', 'fail', `${others} messages arrived; we refused them with 0x64`, { advice })
    }
  }
  judgeEnquiries(exam, station)
  await station.stand()
  await examineUnbind(exam, station)
  station.tx.close()
  station.rx.close()
  return null
}

function noMore(exam: Exam, station: Station): string {
  judgeUnbound(exam, station)
  return station.unbound().length
    ? 'the SMSC unbound us and refuses a new bind'
    : 'the connection was lost before this test this test'
}
