/**
 * What "nothing is lost" means, as checks on the evidence of a run: what phones saw, what the SMSC took, what Postgres
 * and the dialogue store hold, what the daemons counted. Pure: evidence in, breaches out.
 *
 *   I1 an acknowledged key gets its screen       I4 each SMS owed meets one end, and is sent once (twice only after a loss), no other
 *   I2 what was confirmed is booked, for ever    I5 nobody is shown what is another's; no dialogue hangs
 *   I3 one Confirm books at most once            I6 the SMPP books balance
 */
import type { Diary } from '../staging/subscriber.ts'

export interface Evidence {
  diary: Diary
  bookings: BookingRow[]
  sms: SmsRow[]
  /** Texts that the SMSC took, by MSISDN: as often as it took them. */
  taken: ReadonlyMap<string, readonly string[]>
  /** Dialogues that the store still holds open after all deadlines. */
  dialoguesOpen: number
  /** /metrics of each daemon at rest. */
  metrics: readonly string[]
}

export interface BookingRow {
  msisdn: string
  clinic: string
  intention: string
  status: string
  /** A reminder was still to come when it was booked. */
  reminds?: boolean
}

export interface SmsRow {
  id: string
  msisdn: string
  kind: string
  text: string
  state: string
  losses: number
}

export interface Breach {
  invariant: 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6'
  what: string
}

/** How long before a slot its reminder is due, in every campaign that has reminders. */
export const LEAD_MS = 24 * 3_600_000

/** Whether a reminder was still to come, by clocks that may be so far apart. */
export function reminds(startsAt: Date, bookedAt: Date, doubtMs: number): boolean {
  return startsAt.getTime() - LEAD_MS - bookedAt.getTime() > doubtMs
}

/** Ends of an SMS; ambiguous only while its grace runs. */
const TERMINAL: ReadonlySet<string> = new Set(['accepted', 'delivered', 'failed', 'expired', 'cancelled'])
/** In the campaigns that end here no SMSC refuses an SMS for good, and nobody cancels. */
const GIVEN_UP: ReadonlySet<string> = new Set(['failed', 'cancelled'])
/** After so many attempts that nobody knows the end of, one more could be a third copy: given up. */
const LOSSES_MAX = 2

export function check(evidence: Evidence): Breach[] {
  return [
    ...hung(evidence),
    ...unbooked(evidence),
    ...twice(evidence),
    ...reminders(evidence),
    ...foreign(evidence),
    ...books(evidence.metrics),
  ]
}

/** Breaches by invariant, for a table. */
export function tally(breaches: readonly Breach[]): Record<Breach['invariant'], number> {
  const sums = { I1: 0, I2: 0, I3: 0, I4: 0, I5: 0, I6: 0 }
  for (const { invariant } of breaches) sums[invariant]++
  return sums
}

function hung({ diary }: Evidence): Breach[] {
  return diary.hung.map((story) => ({ invariant: 'I1', what: `no screen came: ${story}` }))
}

function unbooked({ diary, bookings }: Evidence): Breach[] {
  const booked = new Set(bookings.filter((row) => row.status === 'booked').map((row) => `${row.msisdn} ${row.clinic}`))
  const lost = diary.confirmed
    .filter((one) => !booked.has(`${one.msisdn} ${one.clinic}`))
    .map((one): Breach => ({ invariant: 'I2', what: `confirmed to ${one.msisdn} and not booked: ${one.clinic}` }))
  const denied = diary.refused
    .filter((one) => booked.has(`${one.msisdn} ${one.clinic}`))
    .map((one): Breach => ({ invariant: 'I2', what: `booked and told that it was not: ${one.msisdn} ${one.clinic}` }))
  return [...lost, ...denied]
}

function twice({ diary, bookings }: Evidence): Breach[] {
  const breaches: Breach[] = []
  const pressed = countBy(diary.pressed, (one) => one.msisdn)
  for (const [msisdn, count] of countBy(bookings, (row) => row.msisdn)) {
    const presses = pressed.get(msisdn) ?? 0
    if (count > presses)
      breaches.push({ invariant: 'I3', what: `${msisdn} pressed Confirm ${presses} times and has ${count} bookings` })
  }
  for (const [clinic, count] of countBy(
    bookings.filter((row) => row.status === 'booked'),
    (row) => row.clinic,
  )) {
    if (count > 1) breaches.push({ invariant: 'I3', what: `the one slot of ${clinic} is booked ${count} times` })
  }
  for (const [turn, count] of countBy(bookings, (row) => row.intention.split(':').slice(0, 2).join(':'))) {
    if (count > 1) breaches.push({ invariant: 'I3', what: `turn ${turn} booked ${count} times` })
  }
  return breaches
}

function reminders({ bookings, sms, taken }: Evidence): Breach[] {
  const breaches: Breach[] = []
  const copies = new Map([...taken].map(([msisdn, texts]) => [msisdn, countBy(texts, (text) => text)]))
  for (const row of sms) {
    const count = copies.get(row.msisdn)?.get(row.text) ?? 0
    const what = `${row.kind} ${row.id}, ${row.state}, losses ${row.losses}, taken ${count} times by the SMSC`
    const isSent = row.state === 'accepted' || row.state === 'delivered'
    const isDoubled = count > 2 || (count === 2 && row.losses === 0)
    const isSentInSecret = !isSent && count > 0 && row.losses === 0
    const isWrong =
      !TERMINAL.has(row.state) ||
      (GIVEN_UP.has(row.state) && row.losses < LOSSES_MAX) ||
      (isSent && count === 0) ||
      isDoubled ||
      isSentInSecret
    if (isWrong) breaches.push({ invariant: 'I4', what })
  }
  const owes = (kind: string) =>
    new Set(sms.filter((row) => row.kind === kind).map((row) => `${row.msisdn} ${/C\d{5}/.exec(row.text)?.[0]}`))
  const [confirmations, reminding] = [owes('confirmation'), owes('reminder')]
  for (const { msisdn, clinic, reminds } of bookings) {
    if (!confirmations.has(`${msisdn} ${clinic}`))
      breaches.push({ invariant: 'I4', what: `booking ${clinic} owes no SMS` })
    if (reminds && !reminding.has(`${msisdn} ${clinic}`))
      breaches.push({ invariant: 'I4', what: `booking ${clinic} owes no reminder` })
  }
  return [...breaches, ...unowed(sms, taken)]
}

/** What the SMSC took and no row asked for. */
function unowed(sms: readonly SmsRow[], taken: Evidence['taken']): Breach[] {
  const rows = new Set(sms.map((row) => `${row.msisdn} ${row.text}`))
  return [...taken].flatMap(([msisdn, texts]) =>
    [...new Set(texts)]
      .filter((text) => !rows.has(`${msisdn} ${text}`))
      .map((text): Breach => ({ invariant: 'I4', what: `${msisdn} was sent what nobody owed: ${text}` })),
  )
}

/** SMS that the SMSC took twice: allowed after a recorded loss, and counted. */
export function doubledSms({ sms, taken }: Evidence): number {
  return sms.filter((row) => (taken.get(row.msisdn) ?? []).filter((text) => text === row.text).length > 1).length
}

/** SMS that were given up, of which the SMSC took none: allowed after two recorded losses, and counted. */
export function missingSms({ sms, taken }: Evidence): number {
  return sms.filter((row) => GIVEN_UP.has(row.state) && !taken.get(row.msisdn)?.includes(row.text)).length
}

function foreign({ diary, dialoguesOpen }: Evidence): Breach[] {
  const shown = [
    ...diary.foreign.map((story) => `foreign screen: ${story}`),
    ...diary.odd.map((story) => `odd screen: ${story}`),
  ]
  const breaches = shown.map((what): Breach => ({ invariant: 'I5', what }))
  if (dialoguesOpen > 0) breaches.push({ invariant: 'I5', what: `${dialoguesOpen} dialogues hang in the store` })
  return breaches
}

/** The two equations of src/smpp/session/counters.ts, on each daemon's figures. */
export function books(metrics: readonly string[]): Breach[] {
  return metrics.flatMap((text, daemon) => {
    const sum = (name: string): number => sumOf(text, `smpp_${name}_total`)
    const rx = sum('rx') - sum('rx_handled') - sum('rx_duplicate') - sum('rx_rejected') - sum('rx_dropped')
    const tx =
      sum('tx_submit') - sum('tx_ok') - sum('tx_refused') - sum('tx_timeout') - sum('tx_lost') - sum('tx_recalled')
    const breaches: Breach[] = []
    if (!/^smpp_rx_total\b/m.test(text)) breaches.push({ invariant: 'I6', what: `daemon ${daemon}: tells no books` })
    if (rx !== 0)
      breaches.push({ invariant: 'I6', what: `daemon ${daemon}: ${rx} PDUs received are in no other counter` })
    if (tx !== 0)
      breaches.push({ invariant: 'I6', what: `daemon ${daemon}: ${tx} requests written are in no other counter` })
    return breaches
  })
}

/** The sum of one counter over all its labels, in Prometheus' text format. */
export function sumOf(metrics: string, name: string): number {
  return [...metrics.matchAll(/^(\w+)(?:\{[^}]*\})? (\S+)$/gm)]
    .filter(([, found]) => found === name)
    .reduce((sum, [, , value]) => sum + Number(value), 0)
}

function countBy<T>(all: readonly T[], keyOf: (one: T) => string): Map<string, number> {
  const counts = new Map<string, number>()
  for (const one of all) counts.set(keyOf(one), (counts.get(keyOf(one)) ?? 0) + 1)
  return counts
}

/** The same over those of its labels in which a word stands. */
export function sumWhere(metrics: string, name: string, word: string): number {
  return sumOf(
    metrics
      .split('\n')
      .filter((line) => line.includes(`"${word}"`))
      .join('\n'),
    name,
  )
}
