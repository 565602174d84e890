/** One running line, also while it is tried or while it closes. */
import type { ConfiguredLine, Settings } from '../../config/index.ts'
import type { Log, Metrics } from '../../base/index.ts'
import type { Connect, LateResponse, LineShares, Tap, TunableLine } from '../../smpp/session/index.ts'
import type { Line, LinkPort, OutageTold, Pdu } from '../../smpp/index.ts'
import type { Chance, Clock } from '../../ussd/index.ts'
import type { Spans } from '../../spans/index.ts'
import type { LineCaps } from './caps.ts'
import { makeLine, tuningOf, type LineSource } from './line.ts'
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
  /** An outage, or its end. Not of a line under trial: its verdict is told by `onChange`. */
  onOutage?(line: string, told: OutageTold): void
  /** A line was added, changed, removed, stopped or started. */
  onChange?(line: string, what: string): void
  tap?: Tap | undefined
  spans?: Pick<Spans, 'line'> | undefined
  /** Default: TCP or TLS. */
  connect?: Connect | undefined
  /** Where daemons divide the caps of their lines. Absent: this daemon is alone. */
  shares?: LineShares | undefined
}

export interface Running {
  settings: ConfiguredLine
  source: LineSource
  line: TunableLine
  /** Requests of the SMSC that are being answered. */
  underWay: number
  halted: boolean
  /** The line is under trial: it has not been bound yet. */
  onTrial: boolean
  onBindState?: (() => void) | undefined
}

/** `isServing`: whether, of the lines with this name, this one serves. */
export function lineMaker(deps: LinesDeps, caps: LineCaps, isServing: (one: Running) => boolean) {
  let generation = 0
  return (own: ConfiguredLine, source: LineSource): Running => {
    // Links of two lines with the same name must have different ids.
    const instance = `${deps.instance}${generation++ || ''}`
    return makeRunning(own, deps, { source, instance, caps, isServing })
  }
}

/** Puts settings in force that need no new bind. */
export function lineTuner({ chance }: Pick<LinesDeps, 'chance'>) {
  return (one: Running, own: ConfiguredLine, source: LineSource): void => {
    const isOther = one.source.tuning !== source.tuning
    one.settings = own
    one.source = source
    if (isOther) one.line.tune(tuningOf(own, source.profile, chance))
  }
}

function makeRunning(
  own: ConfiguredLine,
  deps: LinesDeps,
  parts: { source: LineSource; instance: string; caps: LineCaps; isServing(one: Running): boolean },
): Running {
  const { source, instance, caps, isServing } = parts
  const { log, metrics } = deps
  if (!own.smsc.password) {
    const remedy = 'if the operator gave you one, write it into smsc.passwordFile'
    log.warn({ line: own.name, remedy }, 'the password of a line is empty')
  }
  const answered = () => void made.underWay--
  const failed = (error: unknown): never => {
    made.underWay--
    throw error
  }
  const made: Running = {
    settings: own,
    source,
    underWay: 0,
    halted: false,
    onTrial: false,
    line: makeLine(own, source.profile, {
      ...deps,
      counters: metrics,
      cap: caps.of(own),
      log: trialLog(log, () => made.onTrial),
      instance,
      onState: (bind, state) => {
        if (isServing(made)) deps.onState?.(own.name, bind, state)
        made.onBindState?.()
      },
      onOutage: (told) => (made.onTrial ? undefined : deps.onOutage?.(own.name, told)),
      onRequest(pdu, link) {
        made.underWay++
        try {
          return deps.onRequest(pdu, made.line, link).then(answered, failed)
        } catch (error) {
          return failed(error)
        }
      },
      onLate: (late) =>
        void deps
          .onLate(late, own.name)
          .catch((error: unknown) => log.warn({ err: error, line: own.name }, 'late submit_sm_resp not stored')),
    }),
  }
  deps.spans?.line(made.line)
  return made
}
