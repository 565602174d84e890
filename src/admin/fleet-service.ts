/** What the admin server says of all daemons on the same database, and what it has them do. */
import type { CommandAnswer, Fleet, FleetCommand, Instance } from '../fleet/index.ts'
import type { AlarmRow, SilenceRow } from '../watch/index.ts'
import { fleetDials, othersOf } from './fleet-dials.ts'
import { changeLines, type CarriedOut, type LineChanger } from './line-changes.ts'
import type { LineRow } from './service.ts'

/** What a daemon writes of itself, every five seconds. Nothing of a subscriber. */
export interface DaemonState {
  /** It would serve a dial now. */
  ready: boolean
  lines: LineRow[]
  /** A second, over the last beat. */
  rates: DaemonRates
  alarms: AlarmRow[]
  /** How dialogues ended since the start. Absent: the daemon is of an earlier release. */
  ends?: EndedCount[]
  /** Flows whose files are broken or recalled, so that something else serves. */
  flows: string[]
  /** Absent: another daemon counts, or the daemon is of an earlier release. */
  open?: OpenCounted
}

/** Dialogues by the revision of their flow, as one daemon counted them. */
export interface OpenCounted {
  open: Record<string, number>
  /** False: there were too many, so only some were counted. */
  isWhole: boolean
  /** How old it was when the daemon wrote it. */
  ageMs: number
}

/** How many dialogues of one service code and flow ended for one reason. */
export interface EndedCount {
  service: string
  flow: string
  reason: string
  count: number
}

export interface DaemonRates {
  dials: number
  turns: number
  sms: number
}

export type InstanceRow = Instance<DaemonState>

/** A line of one daemon. Absent `ageMs`: of the daemon that was asked, as it is. */
export type FleetLineRow = LineRow & Whose

interface Whose {
  instance: string
  ageMs?: number
  isGone?: boolean
}

/** An alarm of one daemon. Absent `ageMs`: of the daemon that was asked, as it is. */
export type FleetAlarmRow = AlarmRow & Whose

export interface AlarmsTold {
  alarms: FleetAlarmRow[]
  silences: SilenceRow[]
}

export interface FleetTold {
  /** Who answers. */
  instance: string
  instances: InstanceRow[]
  silences: SilenceRow[]
}

export interface FleetServiceDeps {
  fleet: Fleet<DaemonState>
  service: LineChanger & { silences(): SilenceRow[] }
  /** Of this daemon, now. */
  state(): Promise<DaemonState>
}

export type FleetService = ReturnType<typeof createFleetService>

/** What each daemon says: this one as it is now, whatever Postgres knows of it, the others as they wrote last. */
function daemonsOf({ fleet, state }: FleetServiceDeps) {
  const own = fleet.name
  return {
    async instances(): Promise<InstanceRow[]> {
      const [all, now] = await Promise.all([fleet.all(), state()])
      return all.map((one) => (one.name === own ? { ...one, ageMs: 0, isGone: false, state: now } : one))
    },
    /** Rows of all, this one first. */
    async rows<T>(of: (state: DaemonState) => T[]): Promise<(T & Whose)[]> {
      const [all, now] = await Promise.all([fleet.all(), state()])
      const here: (T & Whose)[] = of(now).map((row) => ({ ...row, instance: own }))
      const others = all.filter(({ name }) => name !== own)
      const there = others.flatMap(({ name, ageMs, isGone, state: wrote }) =>
        of(wrote).map((row) => ({ ...row, instance: name, ageMs, isGone })),
      )
      return [...here, ...there]
    },
  }
}

export function createFleetService(deps: FleetServiceDeps) {
  const { fleet, service } = deps
  const own = fleet.name
  const daemons = daemonsOf(deps)

  async function everywhere(command: FleetCommand, by: string): Promise<CarriedOut> {
    const here = await changeLines(service, command, by)
    const asked = othersOf(fleet).map(async ({ name }) => ({ instance: name, ...(await fleet.ask(name, command, by)) }))
    const all = [{ instance: own, status: here.status, body: here.body }, ...(await Promise.all(asked))]
    const failed = all.filter(({ status }) => status >= 400)
    const problems = failed.map(({ instance, body }) => `${instance}: ${(body as { error?: string }).error}`)
    const body = {
      instances: all.map(({ instance, body: said }) => ({ instance, ...said })),
      ...(failed.length ? { error: `${failed.length} of ${all.length} daemons did not do it`, problems } : {}),
    }
    const audit = { ...here.audit, instances: all.map(({ instance, status }) => `${instance} ${status}`) }
    return { what: here.what, status: Math.max(...all.map(({ status }) => status)), body, audit }
  }

  return {
    name: own,
    ...fleetDials({ fleet, service }),
    async told(): Promise<FleetTold> {
      return { instance: own, instances: await daemons.instances(), silences: service.silences() }
    },
    lines: (): Promise<FleetLineRow[]> => daemons.rows(({ lines }) => lines),
    /** Of daemons that are there: what one raised before it was gone says nothing of now. */
    async alarms(): Promise<AlarmsTold> {
      const rows = await daemons.rows(({ alarms }) => alarms)
      return { alarms: rows.filter(({ isGone }) => !isGone), silences: service.silences() }
    },
    /** Changes lines here, in another daemon, or in all of them. */
    async change(command: FleetCommand, target: string | undefined, by: string): Promise<CarriedOut> {
      if (target === 'all') return everywhere(command, by)
      if (target === undefined || target === own) return changeLines(service, command, by)
      const answer: CommandAnswer = await fleet.ask(target, command, by)
      return { ...answer, what: command.what, audit: { ...command, instance: target, status: answer.status } }
    },
  }
}
