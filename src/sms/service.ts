/**
 * The SMS side of the lines: sends the outbox over the same binds as USSD, always after USSD, and takes delivery
 * receipts and SMS from subscribers.
 */
import {
  type AtSmsc,
  type OrphanWatch,
  repeated,
  type Replacing,
  smsDispatcher,
  smsQueries,
  smsReplacing,
  type SmsSubject,
} from './outbox/index.ts'
import {
  isLikeReceipt,
  readReceipt,
  type ReceiptOptions,
  QUERY_EVERY_MS,
  queryLines,
  smsQuery,
  smsRecall,
  smsReplace,
  fateOf,
  lateSmsOf,
} from './pdu/index.ts'
import { type PartShelf, type SenderAccess, smsIn, type SmsInDeps } from './inbox/index.ts'
import { sendingBy, type SendingDeps, type SendingSettings } from './sending.ts'
import { inertSettings, serviceOfOwner, type SmsInSettings, type SmsLine } from './settings/index.ts'
import type { Line, Pdu } from '../smpp/index.ts'
import type { LateResponse } from '../smpp/session/index.ts'
import { numberingOf, type NumberedLine } from '../ussd/index.ts'

export interface SmsSide {
  onReceipt(pdu: Pdu, line: Line): Promise<void>
  onSms(pdu: Pdu, line: Line): Promise<void>
  readonly replacing: Replacing
  readonly atSmsc: AtSmsc
  /** A response that came after its deadline. */
  onLate(late: LateResponse, line: string): Promise<void>
  start(): void
  stop(): Promise<void>
}

export interface SmsDeps extends Omit<SendingDeps, 'settings'> {
  settings: Omit<SendingSettings, 'lines'> & { lines: readonly (SmsLine & NumberedLine)[]; sms: SmsInSettings }
  /** Where the parts of long incoming SMS wait for the others. */
  shelf: PartShelf
  /** The limits of subscribers, the same as for USSD. */
  access: SenderAccess
  /** Plays the flow that a word starts. Absent: no word starts one. */
  play?: SmsInDeps['play']
  /** The services that send SMS. */
  subjects: readonly SmsSubject[]
}

const EXPIRE_EVERY_MS = 60_000
const ORPHANS_EVERY_MS = 60_000

export function createSmsSide(deps: SmsDeps): SmsSide {
  const { settings, sql, lines, clock, metrics } = deps
  // Lines may change while we run, so they are looked up each time.
  const lineOf = (name: string) => settings.lines.find((line) => line.name === name)
  const serviceOf = serviceOfOwner(settings.sms)
  const managing = { ...deps, settings: settings.lines, serviceOf }
  const recall = smsRecall(managing)
  const sending = sendingBy(deps, recall)
  const outbox = smsDispatcher(sending)
  const asking = { settings: settings.lines, lines, clock, serviceOf }
  const queries = smsQueries(sending, smsQuery(asking))
  const ask = async () => void (await Promise.all(queryLines(asking).map((line) => queries.look(line))))
  const numbering = (line: string) => numberingOf(lineOf(line))
  const incoming = smsIn({ ...deps, settings: settings.sms, numbering, plain: (name) => lineOf(name)?.sms })
  const { orphans } = outbox
  showOrphans(orphans, metrics)
  const upkeep = [
    repeated(EXPIRE_EVERY_MS, () => incoming.expire(), deps),
    repeated(ORPHANS_EVERY_MS, orphans.look, deps),
    repeated(QUERY_EVERY_MS, ask, deps),
  ]
  const replace = smsReplace(managing)

  async function onReceipt(pdu: Pdu, line: Line): Promise<void> {
    const receipt = readReceipt(pdu, line.name, receiptOptions(lineOf(line.name)))
    if (!receipt)
      return metrics.count('sms_receipts_total', { line: line.name, state: 'unknown', result: 'unreadable' })
    const result = await outbox.applyReceipt(receipt)
    metrics.count('sms_receipts_total', { line: line.name, state: receipt.state, result })
  }

  return {
    onReceipt,
    onSms(pdu, line) {
      const isReceipt = lineOf(line.name)?.sms?.unmarkedReceipts === true && isLikeReceipt(pdu)
      return isReceipt ? onReceipt(pdu, line) : incoming.take(pdu, line)
    },
    atSmsc: { replace, recall },
    replacing: smsReplacing({ sql, clock, counters: metrics, recall, replace }),
    async onLate(late, line) {
      const sms = late.lane === 'sms' ? lateSmsOf(late.key, line) : null
      const how = lineOf(line)?.sms
      const on = lines.get(line)
      if (!sms || !how || !on) return
      const settled = await outbox.late(sms, fateOf(late.outcome, how, on))
      metrics.count('sms_late_total', { line, result: settled ? 'settled' : 'known' })
    },
    start() {
      for (const inert of settings.lines.flatMap(inertSettings)) deps.log.warn(inert, 'a setting does nothing')
      outbox.start()
      for (const one of upkeep) one.start()
    },
    async stop() {
      await Promise.all(upkeep.map((one) => one.stop()))
      await outbox.stop()
    },
  }
}

function showOrphans({ lately }: OrphanWatch, metrics: Pick<SmsDeps['metrics'], 'gauges'>): void {
  metrics.gauges(
    'sms_receipt_orphans',
    'Receipts of ten minutes that match no SMS, as the database has them',
    ['line'],
    () => lately().map(({ line, receipts }) => ({ labels: { line }, value: receipts })),
  )
}

function receiptOptions(line: (SmsLine & NumberedLine) | undefined): ReceiptOptions {
  return { offsetMinutes: line?.sms?.receiptOffsetMinutes ?? 0, numbering: numberingOf(line) }
}
