/** What a daemon must look like when a campaign is over: alive, without a bug met, its books in balance. */
import { books, sumOf } from './checker.ts'
import { metricsOf, type DaemonProcess } from '../staging/daemon-process.ts'
import { reached } from './outcome.ts'

/**
 * For responses that are under way to come in, or to be given up; no longer than it takes, however slow the machine is.
 */
const AT_REST_MS = 60_000

/** What is wrong, in words. */
export async function aftermath({
  daemon,
  adminPort,
}: {
  daemon: DaemonProcess
  adminPort: number
}): Promise<string[]> {
  if (!daemon.alive) return [`the daemon died: ${daemon.raw().slice(-600)}`]
  const metrics = await restingMetrics(adminPort)
  const bugs = sumOf(metrics, 'bugs_total')
  return [
    ...bugsOf(daemon),
    ...books([metrics]).map((breach) => breach.what),
    ...(bugs > 0 ? [`${bugs} bugs counted`] : []),
  ]
}

/** Lines that tell of a bug. */
export function bugsOf(daemon: Pick<DaemonProcess, 'log'>): string[] {
  return daemon
    .log()
    .filter((line) => isBug(line))
    .map((line) => JSON.stringify(line).slice(0, 600))
}

/** An end that nobody asked for: the campaigns kill, or ask with SIGTERM and get 0. */
export function gaveUp({ end, raw }: Pick<DaemonProcess, 'end' | 'raw'>): string[] {
  const isAsked = !end || end.code === 0 || end.signal === 'SIGKILL' || end.signal === 'SIGTERM'
  return isAsked ? [] : [`ended by itself, ${end.signal ?? end.code}: ${raw().slice(-600)}`]
}

/** A store that was slow or away is no bug: its turn ended with a text, and is counted. */
function isBug(line: Record<string, unknown>): boolean {
  const { type } = (line['err'] ?? {}) as { type?: string }
  return /uncaught|unhandled|turn failed|sweep failed/.test(String(line['msg'])) && type !== 'StoreError'
}

/** /metrics once the books balance; as they are if they never do. */
export async function restingMetrics(adminPort: number): Promise<string> {
  return (await metricsAtRest([{ adminPort }]))[0]!
}

/**
 * The same of several daemons, once all of them are at rest: no book is open, and nothing more was counted since the
 * last look.
 */
export async function metricsAtRest(daemons: readonly Pick<DaemonProcess, 'adminPort'>[]): Promise<string[]> {
  let figures: string[] = []
  await reached(async () => {
    const before = countersOf(figures)
    figures = await Promise.all(daemons.map(({ adminPort }) => metricsOf(adminPort)))
    return books(figures).length === 0 && countersOf(figures) === before
  }, AT_REST_MS)
  return figures
}

/** enquire_link goes on at rest: only what messages and SMS count. */
function countersOf(figures: readonly string[]): string {
  return figures
    .map((metrics) =>
      metrics
        .split('\n')
        .filter((line) => /^smpp_(rx|tx)_/.test(line))
        .join('\n'),
    )
    .join('\n')
}
