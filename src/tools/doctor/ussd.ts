/** USSD with a person at the test handset: a call from the handset, and a text and a question pushed to it. */
import { newProbe, type Probe } from '../infer/index.ts'
import { compileDialect, payloadOf, type DialectProfile } from '../../smpp/dialect/index.ts'
import type { Dialect, LinkPort, OutgoingPdu, SubmitOutcome } from '../../smpp/index.ts'
import type { UssdAction } from '../../ussd/index.ts'
import { isOk, evidenceOf, refusedStatus, wordsOf, type Exam } from './exam.ts'
import type { CheckId } from './finding.ts'
import { dialledAs } from './judge.ts'
import type { ReceivedMessage } from './handset.ts'
import type { Station } from './station.ts'
import type { WireAnswer } from './wire.ts'

export interface HandsetFacts {
  profiles: readonly DialectProfile[]
  standard: DialectProfile
}

const LOOK_MS = 100
/** The number of our first dialogue: it fits in an octet and is far from what the network has just used. */
const PUSH_NUMBER = 177
/** How long to wait after the end: an abort or a confirmation may still come. */
const LINGER_MS = 1_000

export async function examineUssd(exam: Exam, station: Station, known: HandsetFacts): Promise<void> {
  const { plan } = exam
  const found = plan.code === undefined ? undefined : await examinePull(exam, station, { ...known, code: plan.code })
  if (plan.code === undefined) exam.find('ussd-pull', 'not-tested', "skipped (--code '*123#' runs it)")
  if (!plan.push) {
    for (const check of ['ussd-notify', 'ussd-request'] as const)
      exam.find(check, 'not-tested', 'skipped (--push runs it)')
  } else await examinePush(exam, station, plan.dialect ?? found ?? compileDialect(known.standard))
}

async function examinePull(
  exam: Exam,
  station: Station,
  { profiles, standard, code }: HandsetFacts & { code: string },
): Promise<Dialect | undefined> {
  const { clock, plan } = exam
  const calls: ReceivedMessage[] = []
  const replies: WireAnswer[] = []
  const probe = newProbe({
    known: profiles,
    standard,
    say: () => undefined,
    now: clock.now,
    submit: async (pdu) => outcomeOf(await sendReply(station, pdu, replies)),
  })
  const before = station.received.length
  const link: LinkPort = { id: 'doctor', line: 'doctor', respond: () => undefined }
  station.listen((message) => {
    // Receipts of the earlier SMS may still come.
    if (message.pdu.tlvs.length === 0 && String(message.pdu.body.service_type ?? '') === '') return
    calls.push(message)
    probe.tap('smsc', message.taped.octets)
    void probe.onRequest(message.pdu, link)
  })
  exam.say(`now dial ${code} on the test handset; waiting up to ${Math.round(plan.times.handsetMs / 1_000)} s`)
  const until = clock.now() + plan.times.handsetMs
  while (probe.calls() === 0 && clock.now() < until && station.rx.closedMs === undefined) await exam.wait(LOOK_MS)
  if (probe.calls() > 0) await exam.wait(Math.min(LINGER_MS, plan.times.handsetMs))
  station.listen(null)
  return judgePull(exam, { probe, calls, replies, profiles, code, silent: station.received.length === before })
}

/** A reply to the call of the test handset goes back to where the call came from. */
async function sendReply({ tx }: Station, pdu: OutgoingPdu, replies: WireAnswer[]): Promise<WireAnswer> {
  const answer = await tx.request(pdu, REPLY_MS)
  replies.push(answer)
  return answer
}

const REPLY_MS = 10_000

function outcomeOf(answer: WireAnswer): SubmitOutcome {
  if (isOk(answer)) return { kind: 'ok', messageId: String(answer.pdu.body.message_id ?? ''), pdu: answer.pdu }
  const status = refusedStatus(answer)
  return status === undefined ? { kind: 'timeout' } : { kind: 'refused', status }
}

interface Pulled {
  probe: Probe
  calls: ReceivedMessage[]
  replies: WireAnswer[]
  profiles: readonly DialectProfile[]
  code: string
  /** Nothing came from the handset at all. */
  silent: boolean
}

function judgePull(exam: Exam, { probe, calls, replies, profiles, code, silent }: Pulled): Dialect | undefined {
  const first = calls[0]
  if (!first) {
    const said = silent
      ? 'nothing arrived from the test handset'
      : 'a message arrived from the test handset, but it is not USSD'
    exam.find('ussd-pull', 'fail', said, { advice: 'did somebody dial? Is the service code routed to this account?' })
    return undefined
  }
  const accepted = replies.find(isOk)
  const evidence = [first.taped, ...evidenceOf(accepted ?? replies[0])]
  const text = payloadOf(first.pdu)
  const coded = {
    unpacked: 'one septet in each octet',
    packed: 'packed septets',
    ucs2: 'UCS-2',
    unclear: 'in an unknown way',
  }[dialledAs(text, code)]
  const dcs = `data_coding 0x${Number(first.pdu.body.data_coding ?? 0)
    .toString(16)
    .padStart(2, '0')}, the code written ${coded}`
  if (!accepted) {
    const said = replies[0]
      ? `the call arrived (${dcs}); our last reply was ${wordsOf(replies[0])}`
      : `the call arrived (${dcs}), but no known profile reads it as USSD`
    exam.find('ussd-pull', 'fail', said, {
      evidence,
      advice: 'go on with `ussd-connector probe`, and a capture of a service that works',
    })
    return undefined
  }
  const profile = profiles.find((it) => it.name === probe.acceptedBy())
  const by = profile
    ? `as profile ${profile.name} writes it`
    : 'with its session number sent back unchanged, which no known profile does'
  exam.find('ussd-pull', 'pass', `the call arrived (${dcs}); our last reply, ${by}, was ${wordsOf(accepted)}`, {
    evidence,
    handset: '"Service test. Thank you." without a field to type in',
    advice: 'one call shows only a begin and an end: see docs/DIALECTS.md for the rest (`ussd-connector probe --ask`)',
    ...(profile && !exam.plan.dialect ? { settings: { dialect: profile.name } } : {}),
  })
  return profile ? compileDialect(profile) : undefined
}

async function examinePush(exam: Exam, station: Station, dialect: Dialect): Promise<void> {
  await push(exam, station, {
    dialect,
    check: 'ussd-notify',
    action: 'notify',
    text: 'Service test: a text. Thank you.',
    n: PUSH_NUMBER,
  })
  await push(exam, station, {
    dialect,
    check: 'ussd-request',
    action: 'continue',
    text: 'Service test: type 7 and send',
    n: PUSH_NUMBER + 1,
  })
}

interface Pushed {
  dialect: Dialect
  check: CheckId
  action: UssdAction
  text: string
  n: number
}

async function push(exam: Exam, station: Station, { dialect, check, action, text, n }: Pushed): Promise<void> {
  const { plan } = exam
  const path = dialect.push?.({ msisdn: plan.msisdn!, source: plan.code?.replace(/[*#]/g, '') ?? plan.source.addr, n })
  if (!path) return void exam.find(check, 'not-tested', `profile ${dialect.name} does not support USSD push`)
  const received: ReceivedMessage[] = []
  station.listen((message) => void received.push(message))
  const answer = await station.send(dialect.write({ action, text }, path).pdu)
  if (!isOk(answer)) {
    station.listen(null)
    const verdict = refusedStatus(answer) === undefined ? 'fail' : 'not-supported'
    return void exam.find(check, verdict, wordsOf(answer), {
      evidence: evidenceOf(answer),
      advice: 'keep reminders.channel: sms',
    })
  }
  exam.say(
    action === 'notify'
      ? 'the handset should show a text now'
      : 'the handset should show a question now: type 7 and send',
  )
  const until = exam.clock.now() + plan.times.handsetMs
  const reply = () => received.find(({ pdu }) => dialect.read(pdu).is === 'ussd')
  while (!reply() && exam.clock.now() < until && station.rx.closedMs === undefined) await exam.wait(LOOK_MS)
  station.listen(null)
  const came = reply()
  const read = came && dialect.read(came.pdu)
  const message = read?.is === 'ussd' ? read.message : undefined
  if (message?.kind === 'input')
    await station.send(dialect.write({ action: 'end', text: 'Service test. Thank you.' }, message.returnPath).pdu)
  const what = message
    ? `; then ${message.kind}${message.kind === 'input' ? ` ${JSON.stringify(message.text)}` : ''}`
    : '; nothing arrived back'
  const isWhole = message !== undefined || action === 'notify'
  exam.find(check, isWhole ? 'pass' : 'fail', wordsOf(answer) + what, {
    evidence: [...evidenceOf(answer), ...(came ? [came.taped] : [])],
    handset: `"${text}"`,
    ...(isWhole ? {} : { advice: 'did somebody answer on the handset? Is profile ' + dialect.name + ' right?' }),
  })
}
