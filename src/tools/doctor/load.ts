/**
 * How many requests at once and how many per second the SMSC accepts. The test is bounded and announced, and it backs
 * off at the first sign of trouble.
 */
import { statusText } from '../../smpp/pdu/index.ts'
import type { OutgoingPdu } from '../../smpp/index.ts'
import { evidenceOf, isBusyAnswer, refusedStatus, type Exam } from './exam.ts'
import { nextRate, rateFacts, windowFacts, type RateStep } from './judge.ts'
import type { Station } from './station.ts'
import type { WireAnswer } from './wire.ts'

/** The window that the daemon uses by default. */
const WINDOW = 10
/** A margin below the rate that went through: SMSCs count differently from us. */
const MARGIN = 0.9
const DEFAULT_PER_SECOND = 50
/** How long one step lasts at most: limits are per second. */
const STEP_MS = 1_000

export async function examineLoad(exam: Exam, station: Station, pdu: OutgoingPdu): Promise<void> {
  await examineWindow(exam, station, pdu)
  await examineRate(exam, station, pdu)
}

async function examineWindow(exam: Exam, { tx }: Station, pdu: OutgoingPdu): Promise<void> {
  const { windowSms, times } = exam.plan
  if (windowSms === 0) return void exam.find('window', 'not-tested', 'skipped (--window N runs it)')
  // The earlier requests must not count against this test if there is a limit per second.
  await exam.wait(times.pauseMs)
  const answers = await Promise.all(Array.from({ length: windowSms }, () => tx.request(pdu, times.answerMs)))
  const facts = windowFacts(answers.map((it) => ({ status: refusedStatus(it), ms: it.ms })))
  const bad = answers.find((it) => refusedStatus(it) !== 0)
  const refused = [...facts.refused].map(([status, n]) => `${n} refused with ${statusText(status)}`)
  const said = [
    `${windowSms} sent together: ${facts.accepted} accepted`,
    ...refused,
    facts.silent > 0 ? `${facts.silent} without a response` : '',
    `the first response after ${facts.first} ms, the last after ${facts.last} ms${facts.grows ? ': the SMSC handles them one after the other' : ''}`,
  ]
    .filter(Boolean)
    .join('; ')
  const evidence = evidenceOf(bad ?? answers.at(-1))
  if (!bad)
    return void exam.find('window', 'pass', said, {
      evidence,
      ...(windowSms > WINDOW ? { settings: { window: windowSms } } : {}),
    })
  exam.find('window', facts.silent > 0 ? 'fail' : 'pass', said, {
    evidence,
    settings: { window: Math.max(1, Math.min(facts.accepted, WINDOW)) },
    advice:
      'do not set window higher than this; ask for the agreed window, because a limit for each second looks the same here',
  })
  await exam.wait(times.pauseMs)
}

async function examineRate(exam: Exam, station: Station, pdu: OutgoingPdu): Promise<void> {
  const { rateSms, times } = exam.plan
  if (rateSms === 0) return void exam.find('throughput', 'not-tested', 'skipped (--rate-sms N runs it)')
  const steps: RateStep[] = []
  let left = rateSms
  let throttled: WireAnswer | undefined
  for (let rate = nextRate(steps); rate !== undefined && rate <= left; rate = nextRate(steps)) {
    exam.say(`  ${rate} SMS a second`)
    const answers = await second(exam, station, { pdu, rate })
    left -= rate
    const bad = answers.filter((it) => isBusyAnswer(it, exam) || it.is === 'silent')
    throttled ??= bad[0]
    const status = bad[0] && refusedStatus(bad[0])
    const perSecond = bad.length > 0 ? rate : paceOf(answers)
    steps.push({ perSecond, sent: rate, throttled: bad.length, ...(status === undefined ? {} : { status }) })
    if (bad.length > 0) await exam.wait(times.pauseMs)
    if (answers.some((it) => it.is === 'closed')) break
  }
  const { best, worst, status } = rateFacts(steps)
  const tried = steps.map((it) => `${it.perSecond}${it.throttled > 0 ? ` (${it.throttled} throttled)` : ''}`).join(', ')
  if (worst === undefined) {
    const advice = `ask for the agreed rate: this test tried at most ${best} a second`
    const said = `SMS a second: ${tried || 'too few allowed for one step'}; never throttled`
    return void exam.find('throughput', best > 0 ? 'pass' : 'not-tested', said, {
      advice,
      ...(best > 0 && best < DEFAULT_PER_SECOND ? { settings: { 'sms.perSecond': best } } : {}),
    })
  }
  const how = status === undefined ? 'by silence' : `with ${statusText(status)}`
  exam.find('throughput', 'pass', `SMS a second: ${tried}; throttled at ${worst} ${how}, not at ${best}`, {
    evidence: evidenceOf(throttled),
    settings: { 'sms.perSecond': Math.max(1, Math.floor(best * MARGIN)) },
  })
}

/**
 * Sends this many requests, evenly over one second. If this machine is late, it takes longer: a burst to catch up
 * would test something else.
 */
async function second(
  { clock, wait, plan }: Exam,
  { tx }: Station,
  { pdu, rate }: { pdu: OutgoingPdu; rate: number },
): Promise<WireAnswer[]> {
  const [start, gapMs] = [clock.now(), STEP_MS / rate]
  const answers: Promise<WireAnswer>[] = []
  for (let i = 0, dueMs = start; i < rate; i++) {
    const aheadMs = dueMs - clock.now()
    if (aheadMs > 0) await wait(aheadMs)
    answers.push(tx.request(pdu, plan.times.answerMs))
    dueMs = Math.max(dueMs + gapMs, clock.now() + gapMs / 2)
  }
  const all = await Promise.all(answers)
  // The next step begins after this second.
  await wait(Math.max(0, start + STEP_MS - clock.now()))
  return all
}

/** How many requests really left in a second. */
function paceOf(answers: readonly WireAnswer[]): number {
  const spanMs = answers.at(-1)!.asked.atMs - answers[0]!.asked.atMs
  return Math.round((answers.length * STEP_MS) / Math.max(STEP_MS, spanMs + STEP_MS / answers.length))
}
