/** The binds that the rest of the examination is made on: one transceiver, or a transmitter and a receiver. */
import type { OutgoingPdu } from '../../smpp/index.ts'
import { leave, type Roles } from './connection.ts'
import { isOk, refusedStatus, type Exam } from './exam.ts'
import type { Taped } from './finding.ts'
import { handsetInbox, isSameNumber, type HandsetInbox } from './handset.ts'
import { THROTTLES } from './judge.ts'
import { stationBinds, type StationBinds } from './station-binds.ts'
import type { WireAnswer, Wire } from './wire.ts'

export interface Station extends Omit<HandsetInbox, 'take'> {
  /** The binds as they are now: those that the SMSC unbinds are bound again. */
  readonly tx: Wire
  readonly rx: Wire
  /** unbind requests of the SMSC's, so far. */
  unbound(): Taped[]
  /**
   * Sends one request, again after a pause if it was too fast. To the test handset only: throws if it is to another
   * number.
   */
  send(pdu: OutgoingPdu): Promise<WireAnswer>
  /** Binds again where the SMSC has unbound us (or `anyway`). False: it cannot be done, or was done too often. */
  stand(anyway?: 'anyway'): Promise<boolean>
  close(): Promise<WireAnswer>
}

const TRIES = 4

export async function openStation(exam: Exam, roles: Roles): Promise<Station | string> {
  const { plan } = exam
  const inbox = handsetInbox(plan.msisdn)
  const binds = await stationBinds(exam, roles, inbox.take)
  if (typeof binds === 'string') return binds
  return {
    received: inbox.received,
    others: inbox.others,
    listen: inbox.listen,
    get tx() {
      return binds.tx()
    },
    get rx() {
      return binds.rx()
    },
    stand: binds.stand,
    unbound: binds.unbound,
    async send(pdu) {
      const to = pdu.body.destination_addr
      // The other addresses are those of messages that exist: query_sm, cancel_sm, replace_sm.
      if ((pdu.command === 'submit_sm' || pdu.command === 'data_sm') && !isSameNumber(String(to ?? ''), plan.msisdn)) {
        throw new Error('refused to send to a number other than the test handset')
      }
      let answer = await request(pdu, binds, plan.times.answerMs)
      for (let i = 1; i < TRIES && THROTTLES.has(refusedStatus(answer) ?? 0); i++) {
        await exam.wait(plan.times.pauseMs)
        answer = await request(pdu, binds, plan.times.answerMs)
      }
      return answer
    },
    async close() {
      const [tx, rx] = [binds.tx(), binds.rx()]
      if (rx !== tx) await leave(rx, exam)
      return leave(tx, exam)
    },
  }
}

/** What was asked of a bind that is gone says nothing about what was asked. */
async function request(pdu: OutgoingPdu, binds: StationBinds, answerMs: number): Promise<WireAnswer> {
  const answer = await binds.tx().request(pdu, answerMs)
  if (isOk(answer) || !binds.isUnbound() || !(await binds.stand())) return answer
  return binds.tx().request(pdu, answerMs)
}
