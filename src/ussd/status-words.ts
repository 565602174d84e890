/** What the daemon does when an SMSC answers a status, in words, from the table by which it decides. Pure. */
import { STATUS_ROWS, statusPolicy, type StatusPolicy } from './status-policy.ts'

const SCREEN: Record<StatusPolicy['screen'], string> = {
  now: 'the screen is sent again at once, once more, over any bind',
  'next-second': 'the screen is sent again after 1 to 1.2 s, until the time of the turn is over',
  later: 'the dialogue ends as refused: a screen waits for seconds only',
  never: 'the dialogue ends as refused',
}
const SMS: Record<StatusPolicy['sms'], string> = {
  now: 'the SMS is sent again at once',
  'next-second': 'the line pauses for a second, its pace is cut, and the SMS is sent again',
  later: 'the SMS is sent again after 1 to 2 s, then after twice as long each time, 20 times at most',
  never: 'the SMS has failed',
}
const SUBSCRIBER_LATER = 'the SMS is sent again after 30 to 180 s; other SMS to this subscriber wait as well'

/** `lane`: what the SMSC answered. */
export function statusEffect(lane: 'ussd' | 'sms', status: number): string {
  const { screen, sms, whose } = statusPolicy(status)
  if (lane === 'ussd') return SCREEN[screen]
  return sms === 'later' && whose === 'subscriber' ? SUBSCRIBER_LATER : SMS[sms]
}

export function statusMeans(status: number): string {
  return STATUS_ROWS.find(({ from, to }) => status >= from && status <= to)?.means ?? 'a status that no table names'
}
