/** What the admin server says of all daemons on the same database, and what it has them do. */
import type { CommandAnswer, Fleet, FleetCommand, Instance } from '../fleet/index.ts'
import type { AlarmRow, SilenceRow } from '../watch/index.ts'
import { fleetDials } from './fleet-dials.ts'
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
export type FleetLineRow = LineRow & { instance: string; ageMs?: number; isGone?: boolean }

export interface FleetTold {
  /** Who answers. */
  instance: string
  instances: InstanceRow[]
  silences: SilenceRow[]
}

export interface FleetServiceDeps {
  fleet: Fleet<DaemonState>
  service: LineChanger & { alarms(): { silences: SilenceRow[] } }
  /** Of this daemon, now. */
  state(): Promise<DaemonState>
}

export type FleetService = ReturnType<typeof createFleetService>

export function createFleetService({ fleet, service, state }: FleetServiceDeps) {
  const own = fleet.name

  /** This daemon as it is, whatever Postgres knows of it. */
  async function instances(): Promise<InstanceRow[]> {
    const [all, now] = await Promise.all([fleet.all(), state()])
    return all.map((one) => (one.name === own ? { ...one, ageMs: 0, isGone: false, state: now } : one))
  }

  async function everywhere(command: FleetCommand, by: string): Promise<CarriedOut> {
    const here = await changeLines(service, command, by)
    const others = fleet.known().filter(({ name, isGone }) => name !== own && !isGone)
    const asked = others.map(async ({ name }) => ({ instance: name, ...(await fleet.ask(name, command, by)) }))
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
      return { instance: own, instances: await instances(), silences: service.alarms().silences }
    },
    /** Of all daemons, this one first. */
    async lines(): Promise<FleetLineRow[]> {
      const [all, now] = await Promise.all([fleet.all(), state()])
      const others = all.filter(({ name }) => name !== own)
      const here = now.lines.map((row) => ({ ...row, instance: own }))
      const there = others.flatMap(({ name, ageMs, isGone, state: { lines } }) =>
        lines.map((row) => ({ ...row, instance: name, ageMs, isGone })),
      )
      return [...here, ...there]
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
