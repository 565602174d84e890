/** The link itself: enquire_link in both directions, an unknown command, unbind, and the effect of silence. */
import { STATUS, statusText } from '../../smpp/pdu/index.ts'
import { bindOn, wireParts, type Roles } from './connection.ts'
import { isOk, evidenceOf, wordsOf, type Exam } from './exam.ts'
import { statsOf } from './judge.ts'
import type { Station } from './station.ts'
import { openWire, type WireAnswer } from './wire.ts'

const ROUNDS = 5
/** An id of the vendors' range that no known vendor uses. (SMPP v3.4 §5.1.2.1) */
const NO_COMMAND = 0x000102fe

export async function examineLink(exam: Exam, { tx }: Station): Promise<void> {
  const answers: WireAnswer[] = []
  for (let i = 0; i < ROUNDS; i++)
    answers.push(await tx.request({ command: 'enquire_link', body: {}, tlvs: [] }, exam.plan.times.answerMs))
  const good = answers.filter(isOk)
  const { min, median, max } = statsOf(good.map((it) => it.ms))
  if (good.length === ROUNDS) {
    exam.find(
      'enquire-link',
      'pass',
      `${ROUNDS} of ${ROUNDS} answered, in ${min} / ${median} / ${max} ms (least, median, most)`,
      {
        evidence: evidenceOf(answers[0]),
      },
    )
  } else {
    const bad = answers.find((it) => !isOk(it))!
    exam.find('enquire-link', 'fail', `${good.length} of ${ROUNDS} answered; ${wordsOf(bad)}`, {
      evidence: evidenceOf(bad),
      advice:
        'the daemon closes a link after two misses: ask why the SMSC does not answer, or set a longer timers.enquireMs',
    })
  }
  await examineUnknown(exam, tx)
}

async function examineUnknown(exam: Exam, tx: Station['tx']): Promise<void> {
  const octets = Buffer.alloc(16)
  octets.writeUInt32BE(16, 0)
  octets.writeUInt32BE(NO_COMMAND, 4)
  const answer = await tx.octets(octets, exam.plan.times.answerMs)
  const evidence = evidenceOf(answer)
  if (answer.is === 'answered' && answer.pdu.command === 'generic_nack') {
    const meant =
      answer.pdu.status === STATUS.ESME_RINVCMDID ? '' : `, but ${statusText(STATUS.ESME_RINVCMDID)} is expected`
    return void exam.find('unknown-command', 'pass', `generic_nack ${statusText(answer.pdu.status)}${meant}`, {
      evidence,
    })
  }
  const said = answer.is === 'answered' ? `answered with ${answer.pdu.command}` : wordsOf(answer)
  exam.find('unknown-command', 'fail', `${said}; generic_nack is expected (SMPP v3.4 §4.3)`, {
    evidence,
    ...(answer.is === 'closed' ? { advice: 'the daemon sends no unknown commands, so this does no harm' } : {}),
  })
}

/** Called at the end: covers all the time that the binds were up. */
export function judgeEnquiries(exam: Exam, { tx, rx }: Station): void {
  const wires = tx === rx ? [tx] : [tx, rx]
  const received = wires.flatMap((it) => it.enquiries)
  const upMs = exam.clock.now() - tx.openedMs
  const seconds = Math.round(upMs / 1_000)
  if (received.length === 0) {
    return void exam.find(
      'enquire-link-theirs',
      'not-tested',
      `none within ${seconds} s: the SMSC sends none, or sends them less often`,
      {
        advice: 'ask how long the SMSC keeps a silent link, and set timers.enquireMs below that',
      },
    )
  }
  const times = (wires.find((it) => it.enquiries.length > 1) ?? wires[0]!).enquiries.map((it) => it.atMs)
  const gaps = times.slice(1).map((at, i) => at - times[i]!)
  const every = gaps.length ? `, every ${(statsOf(gaps).median / 1_000).toFixed(1)} s` : ''
  exam.find('enquire-link-theirs', 'pass', `${received.length} within ${seconds} s${every}; all answered`, {
    evidence: received.slice(0, 1),
  })
}

export async function examineUnbind(exam: Exam, station: Station): Promise<void> {
  judgeUnbound(exam, station)
  if (station.tx.closedMs !== undefined) return void exam.find('unbind', 'fail', 'the connection was closed before')
  const answer = await station.close()
  exam.find(
    'unbind',
    isOk(answer) ? 'pass' : 'fail',
    isOk(answer) ? `unbind_resp in ${answer.ms} ms` : wordsOf(answer),
    {
      evidence: evidenceOf(answer),
    },
  )
}

/** Judges the unbinds that the SMSC sent, if there were any. */
export function judgeUnbound(exam: Exam, station: Station): void {
  const unbound = station.unbound()
  if (unbound.length === 0) {
    return void exam.find('unbind-theirs', 'not-tested', 'the SMSC sent none: ask the operator to unbind the link once')
  }
  const isBack = station.tx.closedMs === undefined
  const times = unbound.length === 1 ? '' : ` ${unbound.length} times`
  const after = isBack ? 'then we bound again' : 'then the SMSC refused a new bind'
  exam.find(
    'unbind-theirs',
    isBack ? 'pass' : 'fail',
    `the SMSC sent unbind${times} during the tests, and we answered; ${after}`,
    {
      evidence: unbound.slice(0, 1),
      advice: isBack
        ? 'ask why: the daemon binds again after timers.reconnectMs'
        : 'ask why, and test again when the SMSC accepts binds',
    },
  )
}

/** Stays silent on a bind of its own: nothing is answered, not even enquire_link. */
export async function examineDeadPeer(exam: Exam, { transceiver }: Roles): Promise<void> {
  const { deadPeerMs } = exam.plan
  if (deadPeerMs === 0) return void exam.find('dead-peer', 'not-tested', 'skipped (--dead-peer SECONDS runs it)')
  const opened = await openWire(wireParts(exam))
  if ('failed' in opened) return void exam.find('dead-peer', 'fail', opened.failed)
  const { wire } = opened
  const bound = await bindOn(wire, transceiver ? 'transceiver' : 'transmitter', exam)
  if (!isOk(bound)) {
    wire.close()
    return void exam.find('dead-peer', 'fail', wordsOf(bound), { evidence: evidenceOf(bound) })
  }
  const start = exam.clock.now()
  wire.isMute = true
  exam.say(`staying silent for up to ${Math.round(deadPeerMs / 1_000)} s`)
  const isClosed = await wire.whenClosed(deadPeerMs)
  const seconds = ((exam.clock.now() - start) / 1_000).toFixed(1)
  const asked = `${wire.enquiries.length} enquire_link unanswered`
  wire.close()
  const evidence = wire.enquiries.slice(0, 2)
  if (isClosed) {
    const said = `closed after ${seconds} s, ${asked}: after a crash the account is free again by then`
    return void exam.find('dead-peer', 'pass', said, { evidence })
  }
  exam.find('dead-peer', 'fail', `still open after ${seconds} s, ${asked}`, {
    evidence,
    advice:
      'after a crash the account may stay in use for longer than this: ask for a second bind, or expect a standby',
  })
}
