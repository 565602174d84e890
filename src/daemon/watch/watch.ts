/** Looks every few seconds at what may wake somebody, and raises alarms. */
import type { DaemonState } from '../../admin/index.ts'
import { secretIn } from '../../base/index.ts'
import type { Fleet } from '../../fleet/index.ts'
import {
  createAlarmBook,
  createAlarms,
  createSilences,
  type AlarmCondition,
  type Alarms,
  type Certificates,
  type Silences,
} from '../../watch/index.ts'
import type { ClockCheck } from '../clock-check.ts'
import type { Lines } from '../lines/index.ts'
import type { Runtime } from '../runtime.ts'
import type { Stores, StoresCheck } from '../stores/index.ts'
import type { TestDials } from '../../test-dials/index.ts'
import { repeatedly } from './repeatedly.ts'
import {
  certificateConditions,
  goneConditions,
  lineConditions,
  storeConditions,
  testDialConditions,
} from './conditions.ts'

export interface DaemonWatchDeps {
  stores: Stores
  lines: Lines
  clockCheck: ClockCheck
  certificates: Certificates
  /** The daemons on the same database. */
  fleet: Pick<Fleet<DaemonState>, 'name' | 'known' | 'seesOthers'>
  testDials: Pick<TestDials, 'rows'>
}

export interface Watch {
  alarms: Alarms
  silences: Silences
  /** As the stores were asked last. */
  areStoresWell(): boolean
  start(): void
  stop(): Promise<void>
}

const LOOK_MS = 5_000
/** A question to the stores costs them a write: only at every third look. */
const STORES_EACH = 3

export function createWatch(runtime: Runtime, deps: DaemonWatchDeps): Watch {
  const { settings, clock, log, metrics } = runtime
  const { stores, lines, clockCheck, certificates, fleet, testDials } = deps
  const { afterMs, overMs, certificateDays, hook } = settings.alarms
  const { sql, first } = stores
  const keyed = hook && { ...hook, key: keyOf(hook) }
  const book = keyed && createAlarmBook({ ...runtime, counters: metrics, settings: keyed, sql, first })
  let isRestored = book === undefined
  const silences = createSilences(stores.sql, clock.now)
  const { isSilenced } = silences
  const alarms = createAlarms({ clock, log, afterMs, overMs, isSilenced, tell: (told) => book?.tell(told) })
  registerWatchGauges(runtime, { alarms, certificates })
  let check: StoresCheck | undefined
  let gone: AlarmCondition[] = []
  let looks = 0

  async function look(): Promise<void> {
    const isDue = looks++ % STORES_EACH === 0
    if (!isRestored)
      isRestored = await book!.held().then(
        (held) => (alarms.restore(held), true),
        () => false,
      )
    // Both fail while Postgres is unreachable, which is a condition of its own.
    await silences.read().catch(() => undefined)
    if (isDue) check = await stores.check().catch(() => check)
    const { ok, aheadMs } = clockCheck.state()
    const states = lines.states()
    const watched = settings.lines.flatMap(({ name: line }) =>
      lines.get(line) === undefined ? [] : [{ line, binds: states[line] ?? [] }],
    )
    // While nobody can tell, what was so last is so still.
    if (fleet.seesOthers()) gone = goneConditions(fleet.known(), { own: fleet.name, nowMs: clock.now() })
    alarms.look([
      ...lineConditions(watched, heldElsewhere(fleet)),
      ...gone,
      ...storeConditions(check, ok ? {} : aheadMs),
      ...testDialConditions(testDials.rows()),
      ...certificateConditions(certificates.ends(), { days: certificateDays, nowMs: clock.now() }),
    ])
  }

  const looking = repeatedly(LOOK_MS, look, { clock, onBug: (error) => bug(runtime, error) })
  return {
    alarms,
    silences,
    areStoresWell: () => check?.ok ?? true,
    start() {
      looking.start()
      book?.start()
    },
    async stop() {
      await looking.stop()
      await book?.stop()
    },
  }
}

function registerWatchGauges(
  { metrics }: Runtime,
  { alarms, certificates }: Pick<DaemonWatchDeps, 'certificates'> & { alarms: Alarms },
): void {
  metrics.gauges(
    'alarms',
    'Alarms now, by name and what they are about; 0: a silence holds it back',
    ['alarm', 'subject'],
    () =>
      alarms.rows().map(({ alarm, subject, silenced }) => ({ labels: { alarm, subject }, value: Number(!silenced) })),
  )
  metrics.gauges(
    'certificate_ends_seconds',
    'When a certificate ends, Unix time, by setting or peer',
    ['certificate'],
    () => [...certificates.ends()].map(([certificate, ms]) => ({ labels: { certificate }, value: ms / 1_000 })),
  )
}

/** Another daemon of ours has a bind of the line, or nobody knows. */
function heldElsewhere(fleet: DaemonWatchDeps['fleet']): (line: string) => boolean {
  const known = fleet.known()
  const live = known.filter(({ name, isGone }) => name !== fleet.name && !(isGone && fleet.seesOthers()))
  const lines = live.flatMap(({ state }) => state.lines)
  const bound = lines.filter(({ binds }) => binds.some(({ state }) => state === 'bound')).map(({ name }) => name)
  return (line) => known.length === 0 || bound.includes(line)
}

function keyOf({ keyFile }: { keyFile: string }): string {
  return secretIn(keyFile, 'alarms.hook.keyFile')
}

function bug({ log, metrics }: Runtime, error: unknown): void {
  metrics.count('bugs_total', { where: 'watch' })
  log.error({ err: error }, 'the watch failed')
}
