/**
 * Why an SMS is as it is, in words: for the log, for `sms list` and for support. What a command_status means is in
 * `src/ussd/status-policy.ts`. Pure.
 */
import { statusText } from '../../smpp/pdu/index.ts'
import { statusMeans } from '../../ussd/index.ts'

/** What a row says of its last failure (`last_error`), if the row has no text of its own. */
export const SMS_ERRORS = {
  refused: 'refused',
  wait: 'the SMSC asked us to wait',
  lost: 'no response',
  lostTwice: 'no response, twice',
  refusedLate: 'refused, late',
} as const

/** How `last_error` begins if a receipt said it; then come its state and its error code. */
export const RECEIPT_ERROR = 'receipt: '

/** The final states of a receipt except delivered (SMPP v3.4 §5.2.28), in words. */
const RECEIPT_STATES: Readonly<Record<string, string>> = {
  expired: 'the SMSC tried until its time was over: the handset was off, full or out of reach',
  deleted: 'it was deleted at the SMSC',
  undeliverable: 'the network cannot deliver it: the number may not exist, or not take SMS',
  rejected: 'the network refused it',
}

export interface SmsFate {
  state: string
  /** The command_status of the last refusal. */
  status: number | null
  /** `last_error` of the row. */
  error: string | null
  /** How often it was sent since it was owed, or since an operator sent it again. */
  attempts: number
}

/** '': there is nothing to explain. */
export function smsReason({ state, status, error, attempts }: SmsFate): string {
  if (state === 'expired') return 'its time was over before it could leave'
  if (state === 'cancelled') return 'it was taken back, or its subscriber wants no SMS'
  if (state === 'accepted' || state === 'delivered') return ''
  if (error?.startsWith(RECEIPT_ERROR)) return receiptReason(error.slice(RECEIPT_ERROR.length))
  const said = status === null ? '' : `${statusText(status)}: ${statusMeans(status)}`
  switch (error) {
    case null:
      return ''
    case SMS_ERRORS.refused:
      return said ? `the SMSC refused it with ${said}` : 'the SMSC refused it'
    case SMS_ERRORS.wait:
      return `the SMSC asked us to wait${attempts > 1 ? `, ${attempts} times` : ''}${said && `; the last time with ${said}`}`
    case SMS_ERRORS.lost:
      return 'it was sent, and the SMSC did not answer: the handset may have it'
    case SMS_ERRORS.lostTwice:
      return 'it was sent twice, and the SMSC answered neither time: the handset may have it'
    case SMS_ERRORS.refusedLate:
      return 'the SMSC refused it, after the time for its answer'
    default:
      return error
  }
}

/** A short word for the counter: by whom it was given up. */
export function givenUpBy({ state, error }: Pick<SmsFate, 'state' | 'error'>): string {
  if (state === 'expired') return 'expired'
  if (error?.startsWith(RECEIPT_ERROR)) return 'receipt'
  if (error === SMS_ERRORS.wait) return 'tries'
  if (error === SMS_ERRORS.lostTwice) return 'no-response'
  return error === SMS_ERRORS.refused || error === SMS_ERRORS.refusedLate ? 'refused' : 'not-sent'
}

function receiptReason(said: string): string {
  const [state = '', ...code] = said.split(' ')
  const means = RECEIPT_STATES[state] ?? `the receipt says ${state}`
  const error = code.join(' ')
  return error === '' || /^0*$/.test(error) ? means : `${means} (error ${error} of the network)`
}
