/** Test dials of this daemon: inside it, past the network, or through a dialler of the operator. */
import { secretIn } from '../base/index.ts'
import type { Settings } from '../config/index.ts'
import type { Gateway, GatewayDeps } from '../gateway/index.ts'
import type { NetworkCoding } from '../simulator/network/index.ts'
import { loadProfile } from '../smpp/dialect/index.ts'
import type { Line, Pdu } from '../smpp/index.ts'
import {
  createDialler,
  createTestDials,
  dialHere,
  testGateway,
  type Dialler,
  type PlannedDial,
  type TestDialHeard,
  type TestDials,
} from '../test-dials/index.ts'
import { profileDirs, type Lines } from './lines/index.ts'
import type { ClockCheck } from './clock-check.ts'
import type { Runtime } from './runtime.ts'

export interface DaemonTestDialsDeps {
  lines: Lines
  clockCheck: Pick<ClockCheck, 'isRight'>
  gateway: Pick<Gateway, 'onRequest' | 'overload'>
  /** Of which the gateway of subscribers was made. */
  around: GatewayDeps
}

export interface DaemonTestDials extends TestDials {
  /** Of subscribers, or, for what the number of a dialler sends, of test dials. */
  gatewayOf(pdu: Pdu, line: Line): Pick<Gateway, 'onRequest'>
}

export function createDaemonTestDials(runtime: Runtime, deps: DaemonTestDialsDeps): DaemonTestDials {
  const { settings, clock, chance, log, metrics } = runtime
  const diallers = diallersOf(settings, runtime)
  let serial = 0

  async function here(one: PlannedDial, line: Line, expected: Expected): Promise<TestDialHeard> {
    const { wish, service } = one
    const coding = await codingOf(one.line, settings)
    const asked = { line, coding, code: service, msisdn: wish.from, timeoutMs: wish.timeoutMs, expected }
    return dialHere({ ...asked, id: `${runtime.instance}.${++serial}` }, deps.around)
  }

  async function run(one: PlannedDial, expected: Expected): Promise<TestDialHeard | null> {
    const line = deps.lines.get(one.line)
    if (!line) return null
    const { wish, service: code } = one
    const dialler = wish.dialler && diallers.get(wish.dialler)
    // The network finds the daemon that has the line.
    if (dialler) return dialler.dial({ code, timeoutMs: wish.timeoutMs, expected })
    const binds = deps.lines.states()[one.line] ?? []
    if (!line.bound()) {
      if (binds.some(({ state }) => state === 'standby')) return null
      const why = binds.find((bind) => bind.why !== undefined)?.why ?? 'connecting'
      return { result: 'line-down', why }
    }
    const limit = deps.clockCheck.isRight() ? deps.gateway.overload(line) : 'clock_wrong'
    // Somebody wants no dials now.
    if (limit === 'line_held') return null
    return limit === null ? here(one, line, expected) : { result: 'turned-away', why: limit }
  }

  const dials = createTestDials({
    settings,
    clock,
    chance,
    log,
    metrics,
    run: (...of) => run(...of).catch(bug(runtime)),
  })
  return {
    rows: () => dials.rows(),
    dial: (asked) => dials.dial(asked),
    start: () => dials.start(),
    async stop() {
      await dials.stop()
      await Promise.all([...diallers.values()].map((one) => one.close()))
    },
    gatewayOf: throughNetwork(settings, deps),
  }
}

type Expected = ((text: string) => boolean) | undefined

function bug({ log, metrics }: Pick<Runtime, 'log' | 'metrics'>) {
  return (error: unknown): TestDialHeard => {
    metrics.count('bugs_total', { where: 'test-dial' })
    log.error({ err: error }, 'a test dial failed by a fault of ours')
    return { result: 'flow', why: (error as Error).name }
  }
}

function diallersOf({ testDials }: Settings, { clock }: Pick<Runtime, 'clock'>): Map<object, Dialler> {
  return new Map(
    testDials.flatMap(({ dialler }, i): [object, Dialler][] => {
      if (!dialler) return []
      const { tokenFile, ...rest } = dialler
      const token = tokenFile && secretIn(tokenFile, `testDials.${i}.dialler.tokenFile`)
      return [[dialler, createDialler({ ...rest, ...(token ? { token } : {}) }, { clock })]]
    }),
  )
}

/** Loaded only where test dials are used. */
async function codingOf(name: string, { lines, dialects }: Settings): Promise<NetworkCoding> {
  const { profileCoding, standardCoding } = await import('../simulator/network/index.ts')
  const { dialect } = lines.find((line) => line.name === name)!
  return dialect === 'standard' ? standardCoding() : profileCoding(loadProfile(dialect, profileDirs(dialects)))
}

/** What diallers dial arrives as any dial does: it is known by its number. */
function throughNetwork({ testDials }: Settings, deps: DaemonTestDialsDeps): DaemonTestDials['gatewayOf'] {
  const { gateway, around } = deps
  const numbers = new Set(testDials.flatMap(({ dialler, from }) => (dialler ? [from] : [])))
  if (numbers.size === 0) return () => gateway
  const ofTests = testGateway(around, {})
  return (pdu, line) => {
    const incoming = line.dialect.read(pdu)
    return incoming.is === 'ussd' && numbers.has(incoming.message.msisdn) ? ofTests : gateway
  }
}
