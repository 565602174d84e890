/** The binds on which the rest of the examination is made: one transceiver, or a transmitter and a receiver. */
import type { OutgoingPdu } from '../../smpp/index.ts'
import { leave, type Roles } from './connection.ts'
import { isOk, isBusyAnswer, type Exam } from './exam.ts'
import type { Taped } from './finding.ts'
import { handsetInbox, isSameNumber, type HandsetInbox } from './handset.ts'
import { stationBinds, type StationBinds } from './station-binds.ts'
import type { WireAnswer, Wire } from './wire.ts'

export interface Station extends Omit<HandsetInbox, 'take'> {
  /** The current binds: after an unbind of the SMSC, new ones. */
  readonly tx: Wire
  readonly rx: Wire
  /** The unbind requests of the SMSC so far. */
  unbound(): Taped[]
  /**
   * Sends one request; if that was too fast, again after a pause. Only to the test handset: throws for any other
   * number.
   */
  send(pdu: OutgoingPdu): Promise<WireAnswer>
  /** Binds again if the SMSC has unbound us (or `anyway`). False: it failed, or it was needed too often. */
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
      // The addresses of query_sm, cancel_sm and replace_sm are those of existing messages.
      if ((pdu.command === 'submit_sm' || pdu.command === 'data_sm') && !isSameNumber(String(to ?? ''), plan.msisdn)) {
        throw new Error('refused to send to a number other than the test handset')
      }
      let answer = await request(pdu, binds, plan.times.answerMs)
      for (let i = 1; i < TRIES && isBusyAnswer(answer, exam); i++) {
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

/** If the bind is gone, the missing answer says nothing about the request: it is sent again on a new bind. */
async function request(pdu: OutgoingPdu, binds: StationBinds, answerMs: number): Promise<WireAnswer> {
  const answer = await binds.tx().request(pdu, answerMs)
  if (isOk(answer) || !binds.isUnbound() || !(await binds.stand())) return answer
  return binds.tx().request(pdu, answerMs)
}
