/**
 * The SMS side of the lines: sends the outbox over the same binds as USSD, always after USSD, and takes delivery
 * receipts and SMS from subscribers.
 */
import { type AtSmsc, repeated, type Replacing, smsDispatcher, smsQueries, smsReplacing } from './outbox/index.ts'
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
import {
  OUTBOX_COUNTED_MAX,
  depthWatch,
  type DepthWatch,
  type OutboxDepth,
  type SmsOperator,
  smsOperator,
} from './operator/index.ts'
import { sendingBy, type SendingDeps, type SendingSettings } from './sending.ts'
import { inertSettings, serviceOfOwner, type SmsInSettings, type SmsLine } from './settings/index.ts'
import type { Line, Pdu } from '../smpp/index.ts'
import type { LateResponse } from '../smpp/session/index.ts'
import { numberingOf, type NumberedLine } from '../ussd/index.ts'
import type { OrphanWatch } from './receipts/index.ts'
import { type SmsSubject, tellGivenUp } from './terms/index.ts'

export interface SmsSide {
  onReceipt(pdu: Pdu, line: Line): Promise<void>
  onSms(pdu: Pdu, line: Line): Promise<void>
  readonly replacing: Replacing
  /** What an operator sees of the outbox, and does with it. */
  readonly operator: SmsOperator
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
  /** An SMS met its end. */
  settled?(): void
  /** The services that send SMS. */
  subjects: readonly SmsSubject[]
}

const EXPIRE_EVERY_MS = 60_000
const ORPHANS_EVERY_MS = 60_000
/** A look costs the database some milliseconds, and a scrape comes four times a minute. */
const DEPTH_EVERY_MS = 15_000

export function createSmsSide(deps: SmsDeps): SmsSide {
  const { settings, lines, clock, metrics } = deps
  // Lines may change while we run, so they are looked up each time.
  const lineOf = (name: string) => settings.lines.find((line) => line.name === name)
  const serviceOf = serviceOfOwner(settings.sms)
  const managing = { ...deps, settings: settings.lines, serviceOf }
  const recall = smsRecall(managing)
  const settled = deps.settled ?? (() => undefined)
  const sending = { ...sendingBy(deps, recall), givenUp: givingUp(deps, settled), settled }
  const outbox = smsDispatcher(sending)
  const asking = { settings: settings.lines, lines, clock, serviceOf }
  const queries = smsQueries(sending, smsQuery(asking))
  const ask = async () => void (await Promise.all(queryLines(asking).map((line) => queries.look(line))))
  const numbering = (line: string) => numberingOf(lineOf(line))
  const incoming = smsIn({ ...deps, settings: settings.sms, numbering, plain: (name) => lineOf(name)?.sms })
  showOrphans(outbox.orphans, metrics)
  const depth = shownDepth(deps)
  const upkeep = [
    repeated(EXPIRE_EVERY_MS, () => incoming.expire(), deps),
    repeated(ORPHANS_EVERY_MS, outbox.orphans.look, deps),
    repeated(DEPTH_EVERY_MS, depth.look, deps),
    repeated(QUERY_EVERY_MS, ask, deps),
  ]
  const replace = smsReplace(managing)

  const onReceipt = takingReceipts(deps, outbox.applyReceipt, settled)

  return {
    onReceipt,
    onSms(pdu, line) {
      const isReceipt = lineOf(line.name)?.sms?.unmarkedReceipts === true && isLikeReceipt(pdu)
      return isReceipt ? onReceipt(pdu, line) : incoming.take(pdu, line)
    },
    atSmsc: { replace, recall },
    replacing: smsReplacing({ ...deps, counters: metrics, recall, replace }),
    operator: operatorOf(deps, depth),
    async onLate(late, line) {
      const sms = late.lane === 'sms' ? lateSmsOf(late.key, line) : null
      const how = lineOf(line)?.sms
      const on = lines.get(line)
      if (!sms || !how || !on) return
      const changed = await outbox.late(sms, fateOf(late.outcome, how, on))
      if (changed) settled()
      metrics.count('sms_late_total', { line, result: changed ? 'settled' : 'known' })
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

function operatorOf(deps: SmsDeps, { lately }: DepthWatch): SmsOperator {
  const { settings } = deps
  const manages = (line: string) => settings.lines.find(({ name }) => name === line)?.sms?.manage === true
  return smsOperator({ ...deps, counters: deps.metrics, manages, depth: lately })
}

function takingReceipts(
  { settings, metrics }: SmsDeps,
  apply: ReturnType<typeof smsDispatcher>['applyReceipt'],
  settled: () => void,
): SmsSide['onReceipt'] {
  return async (pdu, line) => {
    const { name } = line
    const how = receiptOptions(settings.lines.find((one) => one.name === name))
    const receipt = readReceipt(pdu, name, how)
    if (!receipt) return metrics.count('sms_receipts_total', { line: name, state: 'unknown', result: 'unreadable' })
    const result = await apply(receipt)
    if (result === 'matched') settled()
    metrics.count('sms_receipts_total', { line: name, state: receipt.state, result })
  }
}

/** An SMS that is given up has met its end. */
function givingUp(deps: SmsDeps, settled: () => void): ReturnType<typeof tellGivenUp> {
  const tell = tellGivenUp({ ...deps, counters: deps.metrics })
  return (sms) => {
    tell(sms)
    settled()
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

function shownDepth({ sql, metrics, clock }: Pick<SmsDeps, 'sql' | 'metrics' | 'clock'>): DepthWatch {
  const depth = depthWatch({ sql, clock })
  const { lately } = depth
  const each = (valueOf: (depth: OutboxDepth) => number) => () =>
    (lately()?.lines ?? []).map((depth) => ({ labels: { line: depth.line }, value: valueOf(depth) }))
  const most = `up to ${OUTBOX_COUNTED_MAX} of each line and kind, as the database has them`
  metrics.gauges(
    'sms_outbox_due',
    `SMS that may leave now; ${most}`,
    ['line'],
    each(({ due }) => due),
  )
  metrics.gauges(
    'sms_outbox_later',
    `SMS whose moment is to come; ${most}`,
    ['line'],
    each(({ later }) => later),
  )
  metrics.gauges(
    'sms_outbox_oldest_seconds',
    'For how long the oldest SMS that may leave has waited; 0: none waits',
    ['line'],
    each(({ oldestMs }) => (oldestMs === null ? 0 : Math.max(0, clock.now() - oldestMs) / 1_000)),
  )
  metrics.gauge(
    'sms_outbox_ambiguous',
    'SMS that were sent without a response, and wait for a receipt',
    () => lately()?.ambiguous ?? 0,
  )
  return depth
}

function receiptOptions(line: (SmsLine & NumberedLine) | undefined): ReceiptOptions {
  return { offsetMinutes: line?.sms?.receiptOffsetMinutes ?? 0, numbering: numberingOf(line) }
}
