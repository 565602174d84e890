/**
 * Named points at which a fault campaign kills this process, like a power cut. They do nothing unless the environment
 * arms them:
 *
 *   USSD_CONNECTOR_FAILPOINTS='after-write=0.2,sms-after-octets=0.5;seed=7;log=kills.log'
 *
 * `seed` makes chance repeatable. `log` gets one line per kill: the name, and how often the point was reached.
 */
import { appendFileSync } from 'node:fs'

/**
 * In the order in which a message passes them (src/gateway/gateway.ts); then those of an SMS
 * (src/sms/outbox/dispatch.ts, src/sms/service.ts), and those of a call detail record (src/records/collector.ts,
 * src/records/files.ts).
 */
export const FAILPOINTS = [
  'before-read',
  'after-read',
  'in-step',
  'after-write',
  'after-ack',
  'before-call',
  'after-call',
  'before-rest',
  'after-rest',
  'before-submit',
  'after-submit',
  'after-response',
  'sms-before-submitting',
  'sms-after-submitting',
  'sms-after-octets',
  'sms-after-response',
  'sms-in-settle',
  'cdr-written',
  'file-cut',
  'file-renamed',
] as const

export type Failpoint = (typeof FAILPOINTS)[number]

const armed = arm(process.env.USSD_CONNECTOR_FAILPOINTS)

/** Whether this process may kill itself. Such a process must not serve a real network. */
export const isArmed: boolean = armed !== null

/** Kills the process here if this point is armed and chance decides so. */
export const failpoint: (name: Failpoint) => void = armed ?? (() => undefined)

/** The same, after the octets that were just passed to a socket have left this process. */
export const failpointOnceWritten: (name: Failpoint) => void = armed
  ? (name) => void setImmediate(() => setImmediate(() => armed(name)))
  : () => undefined

function arm(written: string | undefined): ((name: Failpoint) => void) | null {
  if (!written) return null
  const [points = '', ...rest] = written.split(';')
  const chances = new Map(
    points
      .split(',')
      .map((point) => point.split('='))
      .map(([name, chance]) => [name, Number(chance)]),
  )
  const options = new Map(rest.map((option) => option.split('=') as [string, string]))
  const chance = repeatable(Number(options.get('seed') ?? 1))
  const visits = new Map<string, number>()
  return (name) => {
    visits.set(name, (visits.get(name) ?? 0) + 1)
    const likely = chances.get(name) ?? 0
    if (likely === 0 || chance() >= likely) return
    const log = options.get('log')
    if (log) appendFileSync(log, `${name} ${visits.get(name)}\n`)
    process.kill(process.pid, 'SIGKILL')
  }
}

/** Linear congruential, Numerical Recipes' constants: good enough to scatter kills. */
function repeatable(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 4_294_967_296
  }
}
