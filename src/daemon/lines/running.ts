/** One running line, also while it is tried or while it closes. */
import type { ConfiguredLine, Settings } from '../../config/index.ts'
import type { Log, Metrics } from '../../base/index.ts'
import type { Connect, LateResponse, Tap } from '../../smpp/session/index.ts'
import type { Line, LinkPort, Pdu } from '../../smpp/index.ts'
import type { Chance, Clock } from '../../ussd/index.ts'
import { makeLine } from './line.ts'
import { trialLog } from './replacement.ts'

export interface LinesDeps {
  settings: Settings
  clock: Clock
  chance: Chance
  log: Log
  metrics: Metrics
  instance: string
  onRequest(pdu: Pdu, line: Line, link: LinkPort): Promise<void>
  /** A response that came after its deadline. */
  onLate(late: LateResponse, line: string): Promise<void>
  onState?(line: string, bind: string, state: string): void
  tap?: Tap | undefined
  /** Default: TCP or TLS. */
  connect?: Connect | undefined
}

export interface Running {
  settings: ConfiguredLine
  print: string
  line: Line
  /** Requests of the SMSC that are being answered. */
  underWay: number
  halted: boolean
  /** The line is under trial: it has not been bound yet. */
  onTrial: boolean
  onBindState?: (() => void) | undefined
}

/** `isServing`: of the lines of that name, this one serves. */
export function lineMaker(deps: LinesDeps, isServing: (one: Running) => boolean) {
  let generation = 0
  return (own: ConfiguredLine, print: string): Running => {
    // Links of one name must not be taken for each other's.
    const instance = `${deps.instance}${generation++ || ''}`
    return makeRunning(own, deps, { print, instance, isServing })
  }
}

function makeRunning(
  own: ConfiguredLine,
  deps: LinesDeps,
  { print, instance, isServing }: { print: string; instance: string; isServing(one: Running): boolean },
): Running {
  const { settings, log, metrics } = deps
  const made: Running = {
    settings: own,
    print,
    underWay: 0,
    halted: false,
    onTrial: false,
    line: makeLine(own, {
      ...deps,
      dialects: settings.dialects,
      counters: metrics,
      log: trialLog(log, () => made.onTrial),
      instance,
      onState: (bind, state) => {
        if (isServing(made)) deps.onState?.(own.name, bind, state)
        made.onBindState?.()
      },
      onRequest: async (pdu, link) => {
        made.underWay++
        try {
          await deps.onRequest(pdu, made.line, link)
        } finally {
          made.underWay--
        }
      },
      onLate: (late) =>
        void deps
          .onLate(late, own.name)
          .catch((error: unknown) => log.warn({ err: error, line: own.name }, 'late submit_sm_resp not stored')),
    }),
  }
  return made
}
