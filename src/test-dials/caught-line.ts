/** A line for one test dial: the real one in all but where replies go. What the gateway submits is caught here. */
import type { Line, LinkPort, OutgoingPdu, SubmitOptions, SubmitOutcome } from '../smpp/index.ts'

/**
 * What a dialogue of a test dial has as its line in the store. No line of the settings can have such a name: a daemon
 * that finds one that was left behind ends it, and sends nothing.
 */
export const TEST_LINE_LEAD = 'test-dial:'

const TAKEN: SubmitOutcome = {
  kind: 'ok',
  messageId: '',
  pdu: { command: 'submit_sm_resp', status: 0, sequence: 0, body: {}, tlvs: [] },
}

export interface CaughtLineDeps {
  real: Line
  /** Unique for each dial: two dials never meet in the store, and none meets a subscriber. */
  group: string
  link: Pick<LinkPort, 'id'>
  caught(pdu: OutgoingPdu): void
}

export function caughtLine({ real, group, link, caught }: CaughtLineDeps): Line {
  async function submit(pdu: OutgoingPdu, { mayLeave, leaving }: SubmitOptions): Promise<SubmitOutcome> {
    const may = mayLeave?.() ?? 'yes'
    if (may !== 'yes') return { kind: 'unsent', why: may }
    leaving?.leaves(link.id)
    leaving?.left()
    caught(pdu)
    return TAKEN
  }

  return {
    name: TEST_LINE_LEAD + real.name,
    group,
    dialect: real.dialect,
    sms: real.sms,
    submit,
    bound: () => true,
    // A subscriber's dial would wait as long for its slot.
    waitMs: (ahead) => real.waitMs(ahead),
    smsRoom: () => 0,
    isGone: () => false,
    states: () => [],
    start: () => undefined,
    stop: async () => undefined,
  }
}
