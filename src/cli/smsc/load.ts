/** `load`: plays talks as load on a running daemon. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot, systemChance, systemClock, UsageError } from '../../base/index.ts'
import { describeFailure, parseTalks, type Talk } from '../../flow/talk/index.ts'
import {
  loadTalks,
  networkCodingOf,
  seededChance,
  startSmsc,
  type PlayedTalk,
  type ScreenCheck,
  type TalkLoadResult,
  type TalkTurn,
} from '../../simulator/index.ts'
import type { Say } from '../arguments.ts'
import { untilSignal } from './simulate.ts'
import { talksAt } from '../flows/talk-files.ts'

export interface LoadCommandOptions {
  perSecond: number
  seconds: number
  phones?: number
  msisdn: string
  language: string
  even?: boolean
  seed: number
  check: ScreenCheck
  answerMs: number
  host: string
  port: number
  dialect: string
  systemId?: string
  password?: string
  binds: number
  wait: number
  json?: boolean
}

/** How many phones: a phone presses a key every five seconds. */
const PHONES = { forEachTurn: 5, min: 10, max: 10_000 }
/** What each phone keeps: little, because there are many phones. */
const KEPT = { traceMax: 0, inboxMax: 1, storyMax: 10 }
const ENQUIRE_MS = 30_000
const BAR_WIDTH = 40

export async function loadCommand(paths: string[], options: LoadCommandOptions, say: Say): Promise<void> {
  const tell: Say = options.json ? () => undefined : say
  const { played, leftOut } = talksOf(paths, options.language)
  const { perSecond, seconds, host, dialect } = options
  const phones = options.phones ?? phonesFor(perSecond)
  const firstMsisdn = numberOf(options.msisdn, phones)
  const clock = systemClock()
  const signal = untilSignal()
  const smsc = await startSmsc({
    clock,
    chance: systemChance,
    coding: networkCodingOf(dialect, join(packageRoot, 'dialects')),
    host,
    port: options.port,
    enquireMs: ENQUIRE_MS,
    ...accountOf(options),
    ...KEPT,
  })
  try {
    tell(`SMSC on ${host}:${smsc.port}, dialect ${smsc.coding.name}: waits for a daemon`)
    await bound(smsc, options, signal)
    tell(`talks: ${played.length}, phones: ${phones}, turns per second: ${perSecond}, seconds: ${seconds}`)
    for (const line of leftOut) tell(`left out: ${line}`)
    const chance = options.even ? {} : { chance: seededChance(options.seed) }
    const { check, answerMs } = options
    const run = { smsc, clock, talks: played, phones, firstMsisdn, perSecond, seconds, check, answerMs, signal }
    const result = await loadTalks({ ...run, ...chance })
    say(options.json ? JSON.stringify(result) : resultText(result))
    if (result.wrong + result.lost + result.refused > 0) process.exitCode = 1
  } finally {
    await smsc.stop()
  }
}

function phonesFor(perSecond: number): number {
  return Math.min(PHONES.max, Math.max(PHONES.min, Math.ceil(perSecond * PHONES.forEachTurn)))
}

/** E.164: at most 15 digits. A JavaScript number holds them exactly. */
function numberOf(msisdn: string, phones: number): number {
  if (phones < 1) throw new UsageError('--phones: at least one is needed')
  if (/^[1-9]\d{4,14}$/.test(msisdn)) return Number(msisdn)
  throw new UsageError(`--msisdn: '${msisdn}' is not an international number: 5 to 15 digits, without +`)
}

function accountOf({ systemId, password }: LoadCommandOptions) {
  return systemId ? { accounts: [{ systemId, ...(password ? { password } : {}) }] } : {}
}

async function bound(
  smsc: Awaited<ReturnType<typeof startSmsc>>,
  { binds, wait, host }: LoadCommandOptions,
  signal: AbortSignal,
): Promise<void> {
  const stopped = new Promise<never>((_, fail) =>
    signal.addEventListener('abort', () => fail(new UsageError('stopped before a daemon was bound')), { once: true }),
  )
  stopped.catch(() => undefined)
  const late = () => {
    const there = smsc.binds().length
    throw new UsageError(
      `${there} of ${binds} binds after ${wait} s: let smsc.host and smsc.port of a line be ${host} and ${smsc.port}`,
    )
  }
  await Promise.race([smsc.bound(binds, wait * 1_000).catch(late), stopped])
}

/** Throws UsageError if no talk can be played. */
function talksOf(paths: string[], language: string): { played: PlayedTalk[]; leftOut: string[] } {
  const all = paths.flatMap(talksAt).flatMap((file) => parseTalks(file, readFileSync(file, 'utf8')))
  const played: PlayedTalk[] = []
  const leftOut: string[] = []
  for (const talk of all) {
    const turns = turnsOf(talk, language)
    if (typeof turns === 'string') leftOut.push(`${talk.title} (${talk.file}): ${turns}`)
    else played.push({ title: talk.title, turns })
  }
  if (played.length > 0) return { played, leftOut }
  throw new UsageError(
    all.length === 0 ? `no .talk files in ${paths.join(', ')}` : `no talk can be played: ${leftOut.join('; ')}`,
  )
}

/** What the subscriber of a talk does. A string: why the talk cannot be played on a daemon, whose data are its own. */
function turnsOf({ file, steps }: Talk, language: string): TalkTurn[] | string {
  const turns: TalkTurn[] = []
  for (const step of steps) {
    const where = `${file}:${step.line}`
    const turn = turns.at(-1)
    const screen = turn?.screens.at(-1)
    switch (step.do) {
      case 'dial':
        turns.push({ does: 'dial', text: step.code, screens: [{ where }] })
        break
      case 'answer':
        turns.push({ does: 'type', text: step.text, screens: [{ where }] })
        break
      case 'ack':
        turn?.screens.push({ where })
        break
      case 'expect':
        if (screen) Object.assign(screen, { text: step.text, where })
        break
      case 'ended':
        if (screen) screen.isEnd = true
        break
      case 'hang-up':
      case 'lost':
        if (turn) turn.leaves = step.do
        break
      case 'stub':
        if (step.outcome.is !== 'data') return `a back end ${step.outcome.is === 'failed' ? 'fails' : 'refuses'} in it`
        break
      case 'msisdn':
        return 'it needs one certain number'
      case 'write':
        return 'a word by SMS begins it'
      case 'language':
        if (step.language !== language) return `its subscriber has language ${step.language}: see --language`
        break
      default: // now, code, called, sms: only the player of `talk` handles these.
    }
  }
  return turns[0]?.does === 'dial' ? turns : 'it does not dial first'
}

function resultText(result: TalkLoadResult): string {
  const { latency, lag, turns, dialogues, seconds } = result
  const ms = (value: number) => (value < 10 ? value.toFixed(2) : value.toFixed(value < 100 ? 1 : 0))
  const times = (of: typeof latency) =>
    `p50 ${ms(of.p50)}, p95 ${ms(of.p95)}, p99 ${ms(of.p99)}, p99.9 ${ms(of.p999)}, most ${ms(of.max)}`
  const free =
    result.unsent > 0
      ? [`${result.unsent} turns found no free phone: the daemon is too slow for them, or give more --phones`]
      : []
  return [
    ...result.examples.map(({ title, ...failure }) =>
      describeFailure({ what: `wrong screen in '${title}'`, ...failure }),
    ),
    `${turns} turns in ${seconds.toFixed(1)} s, ${result.perSecond.toFixed(1)} per second, ${dialogues} dialogues`,
    `latency in ms: ${times(latency)}`,
    `of which before the phone sent: p50 ${ms(lag.p50)}, p99 ${ms(lag.p99)}, most ${ms(lag.max)}`,
    ...barsOf(result),
    ...free,
    `${result.wrong} wrong screens, ${result.lost} turns lost, ${result.refused} refused`,
  ].join('\n')
}

function barsOf({ buckets, latency }: TalkLoadResult): string[] {
  const most = Math.max(...buckets.map(({ count }) => count))
  return buckets.map(({ upToMs, count }) => {
    const edge = upToMs === Infinity ? '    more' : `≤ ${String(upToMs).padStart(6)}`
    const share = `${((100 * count) / latency.count).toFixed(1)} %`
    const bar = '█'.repeat(Math.round((BAR_WIDTH * count) / most))
    return `  ${edge} ms ${String(count).padStart(9)} ${share.padStart(7)} ${bar}`.trimEnd()
  })
}
