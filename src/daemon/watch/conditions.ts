/** What is so now that somebody should know of: lines, stores, clocks, certificates. */
import type { BindState, InstanceRow } from '../../admin/index.ts'
import type { AlarmCondition } from '../../watch/index.ts'
import type { TestDialRow } from '../../test-dials/index.ts'
import type { StoresCheck } from '../stores/index.ts'

/** A line as its binds stand: an operator has not stopped it. */
export interface WatchedLine {
  line: string
  binds: readonly BindState[]
}

/** `isHeldElsewhere`: another daemon of ours has a bind of this line, or nobody knows. */
export function lineConditions(
  lines: readonly WatchedLine[],
  isHeldElsewhere: (line: string) => boolean,
): AlarmCondition[] {
  return lines.flatMap(({ line, binds }) =>
    binds
      .filter(({ state }) => state !== 'bound' && !(state === 'standby' && isHeldElsewhere(line)))
      .map(({ bind, since, peer, why = 'connecting', detail, remedy = 'ussd-connector lines says why' }) => ({
        alarm: 'line-down' as const,
        subject: bind,
        line,
        severity: 'critical' as const,
        sinceMs: Date.parse(since),
        why: [`${peer}: ${why}`, detail].filter(Boolean).join(': '),
        remedy,
      })),
  )
}

/** `undefined`: the stores were not asked yet. */
export function storeConditions(
  check: StoresCheck | undefined,
  aheadMs: Readonly<Record<string, number>>,
): AlarmCondition[] {
  const down = (subject: string, notes: readonly string[]): AlarmCondition => ({
    alarm: 'store-down',
    subject,
    severity: 'critical',
    why: notes.join('; ') || 'it does not answer',
    remedy: `is ${subject} running, and can this machine reach it? docs/OPERATIONS.md, its chapter`,
  })
  const { dialogues, postgres } = check ?? {}
  const clocks = Object.entries(aheadMs).map(([store, ms]): AlarmCondition => ({
    alarm: 'clock-wrong',
    subject: store,
    severity: 'critical',
    why: `this machine is ${ms} ms ahead of ${store}: it takes no turns`,
    remedy: 'synchronise the clocks of all machines (NTP, chrony)',
  }))
  return [
    ...(dialogues && !dialogues.ok ? [down(dialogues.kind, dialogues.notes)] : []),
    ...(postgres && !postgres.ok ? [down('postgres', postgres.notes)] : []),
    ...clocks,
  ]
}

/** Of several daemons the first by name speaks, so that one that ended is one alarm. */
export function goneConditions(
  daemons: readonly Pick<InstanceRow, 'name' | 'ageMs' | 'isGone'>[],
  { own, nowMs }: { own: string; nowMs: number },
): AlarmCondition[] {
  if (daemons.find(({ isGone }) => !isGone)?.name !== own) return []
  return daemons
    .filter(({ isGone }) => isGone)
    .map(({ name, ageMs }) => ({
      alarm: 'daemon-gone' as const,
      subject: name,
      severity: 'warning' as const,
      sinceMs: nowMs - ageMs,
      why: 'it ended without a word, or does not reach Postgres',
      remedy: 'look at that machine: is the process there, and what are the last lines of its log?',
    }))
}

/** A line that is down has an alarm of its own. */
export function testDialConditions(rows: readonly TestDialRow[]): AlarmCondition[] {
  return rows
    .filter(({ result }) => result !== 'ok' && result !== 'line-down')
    .map(({ line, service, result, why, remedy, failingSince, at }) => ({
      alarm: 'test-dial' as const,
      subject: `${line} ${service}`,
      line,
      severity: 'critical' as const,
      sinceMs: Date.parse(failingSince ?? at),
      why: `${result}: ${why}`,
      remedy,
    }))
}

const DAY_MS = 86_400_000
/** From then on it is critical: there is hardly time to get another one. */
const SOON_DAYS = 3

export function certificateConditions(
  ends: ReadonlyMap<string, number>,
  { days, nowMs }: { days: number; nowMs: number },
): AlarmCondition[] {
  return [...ends]
    .filter(([, endMs]) => days > 0 && endMs - nowMs < days * DAY_MS)
    .map(([subject, endMs]) => ({
      alarm: 'certificate' as const,
      subject,
      severity: endMs - nowMs < SOON_DAYS * DAY_MS ? ('critical' as const) : ('warning' as const),
      atOnce: true,
      why: `it ${endMs < nowMs ? 'ended' : 'ends'} at ${new Date(endMs).toISOString()}`,
      remedy: 'get another one; of ours: replace the file, then ussd-connector reload',
    }))
}
