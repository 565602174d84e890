/** `probe`: binds to an SMSC with an unknown dialect, shows what comes, and prints the profile that fits. */
import { systemChance, systemClock, UsageError, type Log } from '../../base/index.ts'
import { nearestProfile, printProfile, newProbe, type Probe } from '../../tools/infer/index.ts'
import { noCounters, smppLine, type LineSettings } from '../../smpp/session/index.ts'
import { compileDialect, loadProfile } from '../../smpp/dialect/index.ts'
import { DIALECTS, knownProfiles } from './dialect.ts'
import { chosenSmsc, type SmscCommandOptions } from './smsc-options.ts'
import type { Say } from '../arguments.ts'

export interface ProbeOptions extends SmscCommandOptions {
  /** Default: the bind type in the settings, or else transceiver. */
  bind?: string
  seconds: number
  calls: number
  ask?: boolean
  /** How long to listen after the last call, for its abort and its retries. Default 3 s. */
  lingerMs?: number
}

const LINGER_MS = 3_000
const LOOK_MS = 200
const ANSWER_MS = 10_000
const UNBIND_MS = 3_000

/** Resolves when enough calls are over, when the time is over, or when `signal` is aborted. */
export async function probeCommand(options: ProbeOptions, say: Say, signal: AbortSignal): Promise<Probe> {
  const clock = systemClock()
  const standard = loadProfile('standard', DIALECTS)
  const chosen = chosenSmsc(options, 'probe').line
  const settings: LineSettings = { ...chosen, name: 'probe', links: 1, bind: bindOf(options.bind ?? chosen.bind) }
  const { line, probe, wasBound } = probing(options, settings, { clock, standard, say })
  line.start()
  const hosts = settings.smsc.hosts.map(({ host, port }) => `${host}:${port}`).join(', ')
  say(
    `binding to ${hosts} as ${settings.smsc.systemId} (${settings.bind}); dial your code now, ` +
      `${options.calls} times, and let one call be cancelled`,
  )
  const until = clock.now() + options.seconds * 1_000
  let overAt: number | undefined
  while (!signal.aborted && clock.now() < until) {
    await new Promise<void>((done) => void clock.after(LOOK_MS, done))
    if (probe.calls() >= options.calls) overAt ??= clock.now()
    if (overAt !== undefined && clock.now() - overAt > (options.lingerMs ?? LINGER_MS)) break
  }
  await line.stop(clock.now() + UNBIND_MS)
  if (!wasBound()) {
    throw new UsageError('could not bind: see the reason above, and ask the operator for the five settings')
  }
  const inference = probe.believed('probed')
  if (inference.recording.dialogues.length === 0) {
    throw new UsageError('bound, but no USSD arrived: is the service code routed to this bind?')
  }
  const nearest = nearestProfile(inference, knownProfiles())
  say(`\n${printProfile(inference, { standard, nearest })}`)
  return probe
}

interface Deps {
  clock: ReturnType<typeof systemClock>
  standard: ReturnType<typeof loadProfile>
  say: Say
}

function probing(options: ProbeOptions, settings: LineSettings, { clock, standard, say }: Deps) {
  let bound = false
  const probe = newProbe({
    known: knownProfiles(),
    standard,
    say,
    now: () => clock.now(),
    ask: options.ask === true,
    submit: (pdu) => line.submit(pdu, { lane: 'ussd', deadline: clock.now() + ANSWER_MS }),
  })
  const line = smppLine(settings, {
    dialect: compileDialect(standard),
    clock,
    chance: systemChance,
    log: logTo(say),
    counters: noCounters,
    instance: 'probe',
    onRequest: (pdu, link) => probe.onRequest(pdu, link),
    onState: (_, state) => {
      if (state.startsWith('bound') && !bound) say('bound')
      bound ||= state.startsWith('bound')
    },
    tap: (direction, octets) => probe.tap(direction === 'in' ? 'smsc' : 'esme', octets),
  })
  return { line, probe, wasBound: () => bound }
}

function bindOf(text: string): 'transceiver' | 'pair' {
  if (text === 'transceiver' || text === 'pair') return text
  throw new UsageError(`--bind ${text}: write transceiver, or pair for a transmitter and a receiver`)
}

/** Prints only the problems of the bind. */
function logTo(say: Say): Log {
  const tell = (fields: object, message: string) => {
    const { status, why, detail } = fields as { status?: string; why?: string; detail?: string }
    say(
      `! ${message}${status ? `: ${status}` : ''}${why ? `: ${why}` : ''}${detail && detail !== why ? `, ${detail}` : ''}`,
    )
  }
  return { debug: () => undefined, info: () => undefined, warn: tell, error: tell }
}
