/** The binds that the rest of the examination is made on: one transceiver, or a transmitter and a receiver. */
import type { OutgoingPdu, Pdu } from '../../smpp/index.ts'
import { bindOn, leave, wireParts, type Roles } from './connection.ts'
import { isOk, refusedStatus, wordsOf, type Exam } from './exam.ts'
import type { Taped } from './finding.ts'
import { THROTTLES } from './judge.ts'
import { openWire, type WireAnswer, type Wire, type WireDeps } from './wire.ts'

export interface ReceivedMessage {
  pdu: Pdu
  taped: Taped
}

export interface Station {
  /** The binds as they are now: those that the SMSC unbinds are bound again. */
  readonly tx: Wire
  readonly rx: Wire
  /** What the SMSC delivered about the test handset. */
  heard: ReceivedMessage[]
  /** Of other subscribers: answered with ESME_RX_T_APPN, and not kept. */
  others(): number
  /** unbind requests of the SMSC's, so far. */
  unbound(): Taped[]
  /** Hears every message of the test handset; null: nobody. */
  listen(listener: ((message: ReceivedMessage) => void) | null): void
  /**
   * Sends one request, again after a pause if it was too fast. To the test handset only: throws if it is to another
   * number.
   */
  send(pdu: OutgoingPdu): Promise<WireAnswer>
  /** Binds again where the SMSC has unbound us (or `anyway`). False: it cannot be done, or was done too often. */
  stand(anyway?: 'anyway'): Promise<boolean>
  close(): Promise<WireAnswer>
}

/** Not ours: the SMSC may try again, with whoever is bound then. (SMPP v3.4 §5.1.3) */
const TEMPORARY = 0x64
const TRIES = 4
/** An SMSC that unbinds more often wants us gone. */
const REBINDS_MAX = 3
/** Networks write one number in several ways; its last digits are the same in all. */
const DIGITS = 7

export async function openStation(exam: Exam, { transceiver }: Roles): Promise<Station | string> {
  const { plan } = exam
  const heard: ReceivedMessage[] = []
  let listener: ((message: ReceivedMessage) => void) | null = null
  let others = 0
  const onMessage = (pdu: Pdu, taped: Taped): number => {
    if (!plan.msisdn || !isAbout(pdu, plan.msisdn)) {
      others++
      return TEMPORARY
    }
    heard.push({ pdu, taped })
    listener?.({ pdu, taped })
    return 0
  }
  const bound = await bindAll(exam, transceiver, onMessage)
  if (typeof bound === 'string') return bound
  let wires: Wire[] = bound
  const unbound: Taped[] = []
  let rebinds = 0
  let isGone = false
  const tx = () => wires[0]!
  const rx = () => wires.at(-1)!
  const told = () => wires.flatMap((wire) => wire.unbound ?? [])

  async function stand(anyway?: 'anyway'): Promise<boolean> {
    if (isGone) return false
    if (!anyway && told().length === 0) return true
    unbound.push(...told())
    for (const wire of wires) {
      wire.close()
      wire.unbound = undefined
    }
    isGone = true
    if (rebinds++ >= REBINDS_MAX) return false
    if (!anyway) {
      exam.say('  the SMSC sent unbind; binding again')
      await exam.wait(plan.times.pauseMs)
    }
    const again = await bindAll(exam, transceiver, onMessage)
    if (typeof again === 'string') return false
    wires = again
    isGone = false
    return true
  }

  async function request(pdu: OutgoingPdu): Promise<WireAnswer> {
    const answer = await tx().request(pdu, plan.times.answerMs)
    // What was asked of a bind that is gone says nothing about what was asked.
    if (isOk(answer) || told().length === 0 || !(await stand())) return answer
    return tx().request(pdu, plan.times.answerMs)
  }

  return {
    get tx() {
      return tx()
    },
    get rx() {
      return rx()
    },
    heard,
    stand,
    others: () => others,
    unbound: () => [...unbound, ...told()],
    listen: (to) => void (listener = to),
    async send(pdu) {
      const to = pdu.body.destination_addr
      // The other addresses are those of messages that exist: query_sm, cancel_sm, replace_sm.
      if ((pdu.command === 'submit_sm' || pdu.command === 'data_sm') && !isSame(String(to ?? ''), plan.msisdn)) {
        throw new Error('a request to another number than the test handset')
      }
      let answer = await request(pdu)
      for (let i = 1; i < TRIES && THROTTLES.has(refusedStatus(answer) ?? 0); i++) {
        await exam.wait(plan.times.pauseMs)
        answer = await request(pdu)
      }
      return answer
    },
    async close() {
      if (rx() !== tx()) await leave(rx(), exam)
      return leave(tx(), exam)
    },
  }
}

/** A message on its way in while we bind again is heard, too. */
async function bindAll(exam: Exam, transceiver: boolean, onMessage: WireDeps['onMessage']): Promise<Wire[] | string> {
  const wires: Wire[] = []
  for (const role of transceiver ? (['transceiver'] as const) : (['transmitter', 'receiver'] as const)) {
    const opened = await openWire(wireParts(exam, onMessage))
    const answer = 'wire' in opened ? await bindOn(opened.wire, role, exam) : undefined
    if ('wire' in opened) wires.push(opened.wire)
    if (answer && isOk(answer)) continue
    for (const wire of wires) wire.close()
    return 'failed' in opened ? opened.failed : `bind_${role}: ${wordsOf(answer!)}`
  }
  return wires
}

function isAbout({ body }: Pdu, msisdn: string): boolean {
  return [body.source_addr, body.destination_addr].some((it) => isSame(String(it ?? ''), msisdn))
}

function isSame(address: string, msisdn: string | undefined): boolean {
  const digits = address.replace(/\D/g, '')
  return msisdn !== undefined && digits.length >= DIGITS && digits.slice(-DIGITS) === msisdn.slice(-DIGITS)
}
