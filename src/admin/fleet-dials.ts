/** Test dials: each line is dialled by a daemon that has it, whichever daemon is asked. */
import type { CommandAnswer, Fleet } from '../fleet/index.ts'
import type { TestDialRow } from '../test-dials/index.ts'
import type { DaemonState } from './fleet-service.ts'
import { changeLines, type CarriedOut, type DialAsked, type LineChanger } from './line-changes.ts'

interface Told {
  instance: string
  answer: CommandAnswer
}

export interface FleetDialsDeps {
  fleet: Pick<Fleet<DaemonState>, 'name' | 'known' | 'ask'>
  service: LineChanger
}

/** The other daemons that are there, as last read. */
export function othersOf(fleet: Pick<Fleet<DaemonState>, 'name' | 'known'>) {
  return fleet.known().filter(({ name, isGone }) => name !== fleet.name && !isGone)
}

export function fleetDials({ fleet, service }: FleetDialsDeps) {
  const own = fleet.name
  const commandOf = ({ line, service: code }: DialAsked) => ({
    what: 'test-dial' as const,
    ...(line === undefined ? {} : { line }),
    ...(code === undefined ? {} : { service: code }),
  })
  const here = async (asked: DialAsked, by: string): Promise<Told> => ({
    instance: own,
    answer: await changeLines(service, commandOf(asked), by),
  })
  const there = async (instance: string, asked: DialAsked, by: string): Promise<Told> => ({
    instance,
    answer: await fleet.ask(instance, commandOf(asked), by),
  })
  const others = () => othersOf(fleet)

  /** For each line that is not bound here, a daemon that has it. */
  function holders({ line: wanted }: DialAsked): [string, string][] {
    return service.lines().flatMap(({ name, binds }): [string, string][] => {
      if ((wanted !== undefined && wanted !== name) || binds.some(isBound)) return []
      const holder = others().find(({ state: { lines } }) =>
        lines.some((line) => line.name === name && !line.stopped && !line.held && line.binds.some(isBound)),
      )
      return holder ? [[name, holder.name]] : []
    })
  }

  async function wherever(asked: DialAsked, by: string): Promise<Told[]> {
    const elsewhere = holders(asked)
    const asksOthers = elsewhere.map(([line, instance]) => there(instance, { ...asked, line }, by))
    // Here, a line that another daemon has would only be told as down.
    const mine = await here(asked, by)
    const theirs = new Set(elsewhere.map(([line]) => line))
    const { dials } = mine.answer.body as { dials?: TestDialRow[] }
    const body = dials ? { dials: dials.filter(({ line }) => !theirs.has(line)) } : mine.answer.body
    return [{ ...mine, answer: { ...mine.answer, body } }, ...(await Promise.all(asksOthers))]
  }

  return {
    /** `target`: the name of a daemon, or `all`. Undefined: for each line, a daemon that has it. */
    async dialTest(asked: DialAsked, target: string | undefined, by: string): Promise<CarriedOut> {
      if (target === own) return joined(asked, [await here(asked, by)])
      if (target === undefined) return joined(asked, await wherever(asked, by))
      if (target !== 'all') return joined(asked, [await there(target, asked, by)])
      const all = others().map(({ name }) => there(name, asked, by))
      return joined(asked, [await here(asked, by), ...(await Promise.all(all))])
    },
  }
}

const isBound = ({ state }: { state: string }) => state === 'bound'

/** One list of all that was dialled. What a daemon did not do is beside it; if none did, it is the answer. */
function joined({ line = 'all' }: DialAsked, told: readonly Told[]): CarriedOut {
  const what = 'test dial'
  const [first] = told
  const done = told.filter(({ answer }) => answer.status === 200)
  if (done.length === 0) return { ...first!.answer, what }
  const dials = done.flatMap(({ instance, answer }) =>
    (answer.body as { dials: TestDialRow[] }).dials.map((row) => ({ ...row, instance })),
  )
  const problems = told.flatMap(({ instance, answer }) =>
    answer.status === 200 ? [] : [`${instance}: ${(answer.body as { error?: string }).error ?? answer.status}`],
  )
  const body = { dials, ...(problems.length ? { problems } : {}) }
  const instances = told.map(({ instance, answer }) => `${instance} ${answer.status}`)
  return { what, status: 200, body, audit: { line, dials: dials.length, instances } }
}
