/**
 * What each command_status of an SMSC means: for a screen of a dialogue, for USSD that we begin, for an SMS, and for a
 * bind; and whose fault it is. One table for all who decide on a status: the gateway, push, the outbox, the binds, the
 * doctor and the simulator. A dialect may give its own meanings. Pure. (SMPP v3.4 §5.1.3, v5.0 §4.7.6)
 */

/** When the same request may be sent again. `never`: the SMSC will always refuse it. */
export type StatusWhen = 'now' | 'next-second' | 'later' | 'never'

/** `ours`: our settings or our pace. `subscriber`: the handset or its number. */
export const STATUS_WHOSE = ['ours', 'subscriber', 'network', 'smsc'] as const
type StatusWhose = (typeof STATUS_WHOSE)[number]

export interface StatusPolicy {
  whose: StatusWhose
  /** A screen of an open dialogue: it waits for seconds only, so `later` is too late for it. */
  screen: StatusWhen
  /** USSD that we begin. `next-second`: the network is too busy. `later`: the subscriber cannot be reached now. */
  push: StatusWhen
  /** `next-second`: the whole line pauses. `later` and the subscriber's fault: only SMS to this subscriber wait. */
  sms: StatusWhen
  /** `next-second`: the account is in use, and free soon. `never`: a person has to act. */
  bind: StatusWhen
}

interface StatusRow extends StatusPolicy {
  /** The first and the last status of the row. */
  from: number
  to: number
  means: string
}

type Means = readonly [whose: StatusWhose, screen: StatusWhen, push: StatusWhen, sms: StatusWhen]
type Meanings = readonly [...Means, bind?: StatusWhen]

const WRONG: Means = ['ours', 'never', 'never', 'never']
const VAGUE: Means = ['smsc', 'never', 'later', 'later']

/** In the order of the numbers. What no row names means UNNAMED. */
export const STATUS_ROWS: readonly StatusRow[] = [
  row(0x01, 'the text is too long for this SMSC', ...WRONG),
  row([0x02, 0x03], 'it does not know the command, or its length', ...WRONG),
  row(0x04, 'the SMSC does not count this bind as one that may submit', 'smsc', 'now', 'never', 'later'),
  row(0x05, 'the account is bound already', ...VAGUE, 'next-second'),
  row([0x06, 0x07], 'priority_flag or registered_delivery is not accepted', ...WRONG),
  row(0x08, 'a fault inside the SMSC, or it is overloaded', 'smsc', 'never', 'next-second', 'later'),
  row(0x0a, 'the source address is not ours, or not in this form', ...WRONG),
  row(0x0b, "the subscriber's number is not accepted", 'subscriber', 'never', 'never', 'never'),
  row(0x0c, 'it has no message of this id', ...WRONG),
  row(0x0d, 'the bind failed: a starting SMSC, or one that does not know us; no answer to a submit', ...VAGUE),
  row(0x0e, 'the password is wrong', ...VAGUE, 'never'),
  row(0x0f, 'the system id is wrong', ...VAGUE, 'never'),
  row([0x11, 0x13], 'the message cannot be cancelled or replaced any more', ...WRONG),
  row(0x14, "the SMSC's queue for this subscriber is full", 'subscriber', 'next-second', 'next-second', 'later'),
  row(0x15, 'service_type is not accepted', ...WRONG),
  row([0x33, 0x34], 'a distribution list; we send none', ...WRONG),
  row([0x40, 0x44], 'esm_class or a flag is not accepted', ...WRONG),
  row(0x45, 'submit failed, without a reason: often the network, seldom for good', ...VAGUE),
  row([0x48, 0x49], 'TON or NPI of the source address', ...WRONG),
  row(0x50, 'TON of the number; C gateways: the subscriber has no such dialogue', 'ours', 'never', 'later', 'never'),
  row(0x51, "NPI of the subscriber's number", 'subscriber', 'never', 'never', 'never'),
  row([0x53, 0x55], 'system_type, replace_if_present or a number of messages', ...WRONG),
  row(0x58, 'we send more in a second than the account may', 'ours', 'next-second', 'next-second', 'next-second'),
  row([0x61, 0x63], 'a time or sm_default_msg_id is not accepted', ...WRONG),
  row(0x64, 'the other side cannot take it now', 'network', 'never', 'next-second', 'later'),
  row(0x65, 'the other side will never take it', 'network', 'never', 'later', 'never'),
  row(0x66, 'the other side refused it', 'network', 'never', 'later', 'never'),
  row(0x67, 'query_sm failed: it has no such message', ...WRONG),
  row([0xc0, 0xc4], 'an optional parameter is wrong, missing or not allowed', ...WRONG),
  row(0xfe, 'delivery failed, without a reason', 'network', 'never', 'later', 'later'),
  row(0xff, 'an unknown error', ...VAGUE),
  row([0x100, 0x101], 'v5.0: the account may not use this service or command', ...WRONG),
  row(0x102, 'v5.0: the service is out of order', 'smsc', 'never', 'next-second', 'later'),
  row([0x103, 0x104], 'v5.0: the service is denied, or data_coding is not accepted', ...WRONG),
  row([0x400, 0x4ff], "a vendor's own: ask the operator what it means", 'network', 'never', 'later', 'later'),
]

/** Every other status. */
export const UNNAMED: Readonly<StatusPolicy> = {
  whose: 'smsc',
  screen: 'never',
  push: 'later',
  sms: 'never',
  bind: 'later',
}

/** Meanings of a dialect: by number in decimal, and `*` for every status that it does not name. */
export type OwnPolicies = Readonly<Record<string, { [K in keyof StatusPolicy]?: StatusPolicy[K] | undefined }>>

export function statusPolicy(status: number, own: OwnPolicies = {}): StatusPolicy {
  const named = STATUS_ROWS.find(({ from, to }) => status >= from && status <= to) ?? UNNAMED
  const { whose, screen, push, sms, bind } = own[String(status)] ?? own['*'] ?? {}
  return {
    whose: whose ?? named.whose,
    screen: screen ?? named.screen,
    push: push ?? named.push,
    sms: sms ?? named.sms,
    bind: bind ?? named.bind,
  }
}

/** The peer takes the same request again soon: it is too busy now, or we are too fast. */
export function isBusyStatus(status: number): boolean {
  return statusPolicy(status).push === 'next-second'
}

function row(
  status: number | readonly [number, number],
  means: string,
  ...[whose, screen, push, sms, bind = 'later']: Meanings
): StatusRow {
  const [from, to] = typeof status === 'number' ? [status, status] : status
  return { from, to, means, whose, screen, push, sms, bind }
}
