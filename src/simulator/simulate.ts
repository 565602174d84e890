/** The simulator as a program: an SMSC, its phones and its control page, until it is stopped. */
import type { Chance, Clock } from '../ussd/index.ts'
import { startControl, type Control, type ControlOptions, type TalkOf } from './control/index.ts'
import { answerFault, answerTold, startSmsc, type Smsc, type SmscOptions } from './smsc/index.ts'
import type { NetworkCoding } from './network/index.ts'

export interface SimulateOptions {
  clock: Clock
  chance: Chance
  coding?: NetworkCoding
  /** SMPP. Default 127.0.0.1:2775. */
  smpp?: { host?: string; port?: number; accounts?: SmscOptions['accounts']; bindsMax?: number }
  /** Control page. Default 127.0.0.1:8775. */
  http?: {
    host?: string
    port?: number
    allowedHosts?: string[]
    token?: string
    talkOf?: TalkOf
    more?: ControlOptions['more']
  }
  /** Default 30 000. */
  enquireMs?: number
  /** Statuses to answer with, such as `sms=ESME_RTHROTTLED`. */
  answers?: readonly string[]
  /** How long the ESME may take for an answer. Default 25 000, as in USSD gateways. */
  applicationMs?: number
  /** One line at a time, for people. */
  say(line: string): void
  /** Stops the simulator. */
  signal: AbortSignal
  /** Called when it listens. */
  onReady?(parts: { smsc: Smsc; control: Control }): void
}

/** Resolves when it has stopped. Rejects if it cannot listen, and if one of `answers` is wrong. */
export async function simulate(options: SimulateOptions): Promise<void> {
  const { clock, chance, smpp = {}, http = {}, say, signal } = options
  const faults = (options.answers ?? []).map(answerFault)
  const smsc = await startSmsc({
    clock,
    chance,
    port: 2775,
    ...smpp,
    ...(options.coding ? { coding: options.coding } : {}),
    enquireMs: options.enquireMs ?? 30_000,
    applicationMs: options.applicationMs ?? 25_000,
    screenMs: 30_000,
  })
  let control: Control
  try {
    control = await startControl({ smsc, port: 8775, ...http })
  } catch (error) {
    await smsc.stop()
    throw error
  }
  const entry = control.token !== undefined && http.token === undefined ? `#token=${control.token}` : ''
  say(`SMSC on ${smpp.host ?? '127.0.0.1'}:${smsc.port}, dialect ${smsc.coding.name}; phone at ${control.url}/${entry}`)
  for (const fault of faults) {
    smsc.chaos.add(fault)
    say(answerTold(fault))
  }
  smsc.watch((event) => {
    if (event.is === 'bind') say(`${event.bind.id} ${event.bind.systemId} ${event.bind.mode} ${event.bind.state}`)
  })
  options.onReady?.({ smsc, control })
  if (!signal.aborted) await new Promise((done) => signal.addEventListener('abort', done, { once: true }))
  await control.stop()
  await smsc.stop()
}
