/** Call detail records of this daemon: what dialogues are recorded as, and how records come into Postgres. */
import { join } from 'node:path'
import type { Settings } from '../../config/index.ts'
import type { SqlRunner } from '../../base/index.ts'
import type { ToldAnswer } from '../../deferred/index.ts'
import { type CallRecord, isCut, type Recording, type WaitingRecord } from '../../dialogue/index.ts'
import { pushedFlow } from '../../push/index.ts'
import {
  collectWaiting,
  createCollector,
  createFileTimes,
  createOwnFiles,
  feedOf,
  FILES_LEASE_MS,
  forgetFunnel,
  holdsFiles,
  keepDays,
  NO_FILE,
  recordSms,
  recordSmsOf,
  screenCounting,
  showFileTimes,
  sealTexts,
  SMS_FILED,
  smsFiled,
  startRounds,
  unrecordedSms,
  writeCounted,
  writeFiles,
  writeRecords,
  type Collector,
  type Feed,
  type FileOf,
  type RecordsCounted,
  type Round,
  type TextsOf,
} from '../../records/index.ts'
import { TEST_LINE_LEAD } from '../../test-dials/index.ts'
import { normaliseCode, routeCode, shownCode } from '../../ussd/index.ts'
import type { Sealer } from '../../store/index.ts'
import { leftSms, type LeftSmsDeps } from './left-sms.ts'
import { deferredRecord, refusedRecord, type TurnedAwayDial } from './made-records.ts'
import { daemonName, type Runtime } from '../runtime.ts'
import type { Stores } from '../stores/index.ts'

/** What this daemon knows of a dialogue beside its record. Undefined: nothing is recorded. */
export function recordingOf({ records, services, door, testDials }: Settings, name: string): Recording | undefined {
  if (records.to === 'none') return undefined
  const testers = new Set(testDials.map(({ from }) => from))
  return {
    instance: name,
    serviceOf({ code, line, msisdn }) {
      if (pushedFlow(code) !== null) return { code: '', channel: 'push' }
      const isTest = line.startsWith(TEST_LINE_LEAD) || testers.has(msisdn)
      const channel = isTest ? 'test' : line === door?.name ? 'http' : 'ussd'
      const route = routeCode(services, code, line.replace(TEST_LINE_LEAD, ''))?.route
      const own = route && normaliseCode(route.code)
      return { code: own || shownCode(code, services), channel }
    },
  }
}

/** Which records wait for a file: those of which a feed tells. Test dials are billed to nobody. */
function filing({ records }: Settings): { fileOf: FileOf; smsFile: number | null; feeds: readonly Feed[] } {
  const feeds = (records.files?.feeds ?? []).map((feed) => ({
    ...feed,
    codes: feed.codes.map((code) => normaliseCode(code) || code),
  }))
  const fileOf = (record: Parameters<typeof feedOf>[1]) => (feedOf(feeds, record) ? null : NO_FILE)
  return { feeds, fileOf, smsFile: fileOf(SMS_FILED) }
}

/** How exact texts are written. Undefined: they are not. */
function sealing({ support }: Settings, sealer: Sealer): TextsOf | undefined {
  return support.transcriptDays === 0 ? undefined : (record, day) => sealTexts(sealer, record, day)
}

/**
 * Writes all records that wait beside the dialogues, and those of the subscriber's SMS: then none comes afterwards.
 * Without a table they wait on. `isLast`: the SMS that their SMSC took get no receipt any more.
 */
export async function collectRecords(
  { dialogues, sql, sealer }: Pick<Stores, 'dialogues' | 'sql' | 'sealer'>,
  { settings, clock, log, metrics }: LeftSmsDeps,
  { msisdn, isLast }: { msisdn: string; isLast: boolean },
): Promise<void> {
  if (settings.records.to !== 'postgres') return
  const { fileOf, smsFile } = filing(settings)
  const alsoIn = leftSms({ settings, clock, log, metrics })
  const how = { fileOf, textsOf: sealing(settings, sealer), alsoIn }
  const write = (records: readonly CallRecord[]) => writeCounted(sql, records, how)
  await collectWaiting({ shelf: dialogues.records, write, batch: BATCH.embedded })
  const beforeMs = clock.now() - (isLast ? 0 : settings.records.receiptHours * HOUR_MS)
  const ofSms = { instance: daemonName(settings), file: smsFile, limit: BATCH.embedded, beforeMs }
  countSms(metrics, await recordSmsOf(sql, msisdn, ofSms))
}

function countSms(metrics: Pick<Runtime['metrics'], 'count'>, written: number): void {
  if (written > 0) metrics.count('records_total', { kind: 'sms' }, written)
}

/** Records of one subscriber that wait for a file. Undefined: they go into the table first. */
export function waitingRecords({ dialogues: { records: shelf } }: Pick<Stores, 'dialogues'>, { records }: Settings) {
  if (records.to !== 'files' || !shelf) return undefined
  const of = async (msisdn: string) => {
    const found: WaitingRecord[] = []
    for await (const page of shelf.pages(BATCH.server))
      found.push(...page.filter(({ record }) => record.msisdn === msisdn))
    return found
  }
  return {
    find: async (msisdn: string) => (await of(msisdn)).map(({ record }) => record),
    async hide(msisdn: string, pseudonym: string) {
      const found = await of(msisdn)
      const key = { group: '', msisdn: pseudonym }
      const hidden = ({ texts: _texts, ...record }: CallRecord) => ({ ...record, msisdn: pseudonym })
      for (const { record, at } of found) await shelf.replace(at, key, hidden(record))
      return found.length
    },
  }
}

export interface DaemonRecords {
  /** A dial that was turned away. */
  turnedAway(dial: TurnedAwayDial): void
  /** Writes the record of a deferred answer in the transaction that settles it. Undefined: nothing is recorded. */
  told?: (trx: SqlRunner, told: ToldAnswer) => Promise<unknown>
  /** An SMS met its end: its record is written soon. */
  smsSettled(): void
  start(): void
  stop(): Promise<void>
}

export interface DaemonRecordsDeps {
  stores: Pick<Stores, 'dialogues' | 'sql' | 'sealer'>
  recording: Recording | undefined
  mayRun(): boolean
}

/**
 * The event loop makes the rows of a batch in one piece: 500 take a millisecond, 2,000 three to seven. PGlite works in
 * this process, too.
 */
const BATCH = { server: 500, embedded: 50 }
const HOUR_MS = 3_600_000
/** A day that is in use for a moment is dropped in the next round. */
const DAYS_EVERY_MS = 600_000
/** A quarter of the lease of the writer. */
const FILES_EVERY_MS = 15_000

const nothing = () => undefined
const NONE: DaemonRecords = { turnedAway: nothing, smsSettled: nothing, start: nothing, stop: async () => undefined }

export function createRecords(runtime: Runtime, { stores, recording, mayRun }: DaemonRecordsDeps): DaemonRecords {
  if (!recording) return NONE
  showWaiting(runtime, stores)
  if (runtime.settings.records.to === 'files') return createOwnRecords(runtime, { stores, recording, mayRun })
  const { settings, clock, log, metrics, name } = runtime
  const { sql, dialogues, sealer } = stores
  const batch = BATCH[settings.postgres === 'embedded' ? 'embedded' : 'server']
  const receiptMs = settings.records.receiptHours * HOUR_MS
  const { fileOf, smsFile, feeds } = filing(settings)
  const textsOf = sealing(settings, sealer)
  const how = { fileOf, textsOf, alsoIn: leftSms(runtime) }
  const collector: Collector = createCollector({
    shelf: dialogues.records,
    write: countedWrite(metrics, (records, areNew) => writeCounted(sql, records, { ...how, areNew })),
    writeOthers: async () => {
      const beforeMs = clock.now() - receiptMs
      const { written, isMore } = await recordSms(sql, { instance: name, file: smsFile, limit: batch, beforeMs })
      countSms(metrics, written)
      return isMore
    },
    batch,
    clock,
    log,
    counters: metrics,
    mayRun,
  })
  const rounds = startRounds([daysRound(runtime, sql), funnelRound(runtime, sql), ...filesRound(runtime, sql, feeds)], {
    clock,
    mayRun,
  })
  return {
    turnedAway: (dial) => collector.put(refusedRecord(dial, runtime, recording)),
    told: (trx, told) => writeRecords(trx, [deferredRecord(told, clock.now(), recording)], fileOf, textsOf),
    smsSettled: () => collector.othersCame(),
    start() {
      collector.start()
      rounds.start()
    },
    async stop() {
      await rounds.stop()
      await collector.stop()
    },
  }
}

/** Writes records, and counts those that were new. */
function countedWrite(
  metrics: Runtime['metrics'],
  write: (records: readonly CallRecord[], areNew: boolean) => Promise<RecordsCounted>,
) {
  const countScreens = screenCounting(metrics)
  return async (records: readonly CallRecord[], areNew = false) => {
    const { fresh, folded, screens } = await write(records, areNew)
    countScreens(screens)
    for (const { kind, texts } of fresh) {
      metrics.count('records_total', { kind })
      if (texts && isCut(texts)) metrics.count('limits_total', { limit: 'transcript_octets_max' })
    }
    if (folded > 0) metrics.count('limits_total', { limit: 'funnel_choices_max' }, folded)
  }
}

function showWaiting({ metrics }: Runtime, { dialogues }: DaemonRecordsDeps['stores']): void {
  metrics.gauge('records_waiting', 'Call detail records that wait beside the dialogues', () =>
    (dialogues.records?.count() ?? Promise.resolve(0)).catch(() => -1),
  )
}

/** Without a table: each daemon writes files of its own, and what is in the table from before gets old there. */
function createOwnRecords(
  runtime: Runtime,
  { stores: { sql, dialogues }, recording, mayRun }: DaemonRecordsDeps & { recording: Recording },
): DaemonRecords {
  const { settings, clock, log, metrics, name } = runtime
  const { dir, everyMs } = settings.records.files!
  const { feeds } = filing(settings)
  const shelf = dialogues.records!
  const beforeMs = () => clock.now() - settings.records.receiptHours * HOUR_MS
  const own = createOwnFiles({
    shelf,
    feeds,
    dir,
    everyMs,
    clock,
    log,
    counters: metrics,
    instance: name,
    times: fileTimesOf(runtime, feeds),
    numbersFile: join(settings.data, `records-${name.replaceAll(/[^A-Za-z0-9.]+/g, '-')}.json`),
    mayTakeOthers: () => holdsFiles(sql, name, everyMs + FILES_LEASE_MS),
    sms: {
      rows: (limit) => unrecordedSms(sql, limit, beforeMs()),
      filed: (rows) => smsFiled(sql, rows),
    },
  })
  const writing = writingRound({ dir, everyMs, log }, () => own.round())
  const rounds = startRounds([daysRound(runtime, sql), funnelRound(runtime, sql), writing], { clock, mayRun })
  return {
    turnedAway: (dial) => own.put(refusedRecord(dial, runtime, recording)),
    async told(_trx, told) {
      const record = deferredRecord(told, clock.now(), recording)
      // Before the answer is settled for good: it may be recorded twice, and not never.
      if (await shelf.keep(told.record.key, record)) return
      metrics.count('limits_total', { limit: 'records_waiting_max' })
      own.put(record)
    },
    smsSettled: nothing,
    start: () => rounds.start(),
    async stop() {
      await rounds.stop()
      await own.last().catch(writing.failed)
    },
  }
}

function daysRound({ settings, clock, log, metrics }: Runtime, sql: Stores['sql']): Round {
  return {
    everyMs: DAYS_EVERY_MS,
    failed: (error) => log.warn({ err: error }, 'days of call detail records were not looked after'),
    async run() {
      const { records, support } = settings
      for (const [table, days] of [['cdr', records.days] as const, ['cdr_text', support.transcriptDays] as const]) {
        const done = await keepDays(sql, { table, nowMs: clock.now(), days })
        const { dropped, failed } = done
        if (dropped > 0) metrics.count('retention_purged_total', { what: `${table}_days`, backend: '' }, dropped)
        if (done.made + done.moved + dropped > 0) log.info({ table, ...done }, 'days of call detail records')
        else if (failed.length > 0) log.warn({ table, failed }, 'days of call detail records wait for the next round')
      }
    },
  }
}

function funnelRound({ settings, clock, log, metrics }: Runtime, sql: Stores['sql']): Round {
  return {
    everyMs: DAYS_EVERY_MS,
    failed: (error) => log.warn({ err: error }, 'old sums of the funnel were not removed'),
    async run() {
      const gone = await forgetFunnel(sql, { nowMs: clock.now(), days: settings.records.funnelDays })
      if (gone > 0) metrics.count('retention_purged_total', { what: 'flow_funnel', backend: '' }, gone)
    },
  }
}

/** None without feeds. */
function filesRound(runtime: Runtime, sql: Stores['sql'], feeds: readonly Feed[]): Round[] {
  const { settings, name: instance, clock, log, metrics } = runtime
  const { files } = settings.records
  const times = fileTimesOf(runtime, feeds)
  if (!files) return []
  const { dir, everyMs } = files
  const deps = { sql, feeds, dir, everyMs, times, instance, clock, log, counters: metrics }
  return [writingRound(deps, () => writeFiles(deps))]
}

type WritingDeps = Pick<Runtime, 'log'> & { dir: string; everyMs: number }

function writingRound({ dir, everyMs, log }: WritingDeps, run: Round['run']): Round {
  return {
    everyMs: Math.min(FILES_EVERY_MS, everyMs),
    failed: (error) => log.warn({ err: error, dir }, 'files of call detail records were not written'),
    run,
  }
}

function fileTimesOf({ settings, clock, metrics }: Runtime, feeds: readonly Feed[]) {
  const partners = feeds.map(({ partner }) => partner)
  const times = createFileTimes(partners, settings.records.files?.everyMs ?? 1, clock)
  showFileTimes(times, metrics)
  return times
}
