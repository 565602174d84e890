/** `simulate`, `dial` and `wallet`: the network and the back end for a person who tries things out. */
import { join } from 'node:path'
import {
  systemChance,
  systemClock,
  UsageError,
  packageRoot,
  secretIn,
  TOKEN_REMEDY,
  weakness,
} from '../../base/index.ts'
import { addTalk } from '../flows/record.ts'
import { startSampleWallet } from '../../daemon/index.ts'
import {
  simulate,
  dialTerminal,
  remotePhone,
  recordedTalkOf,
  typedLines,
  writtenLines,
  networkCodingOf,
} from '../../simulator/index.ts'
import type { Say } from '../arguments.ts'

export interface SimulateCommandOptions {
  host: string
  port: number
  httpHost: string
  httpPort: number
  httpTokenFile?: string
  dialect: string
  systemId?: string
  password?: string
  bindsMax?: number
  answer?: string[]
}

export async function simulateCommand(options: SimulateCommandOptions, say: Say): Promise<void> {
  const { systemId, password, bindsMax, httpTokenFile } = options
  await simulate({
    clock: systemClock(),
    chance: systemChance,
    say,
    signal: untilSignal(),
    coding: networkCodingOf(options.dialect, join(packageRoot, 'dialects')),
    answers: options.answer ?? [],
    smpp: {
      host: options.host,
      port: options.port,
      ...(systemId ? { accounts: [{ systemId, ...(password ? { password } : {}) }] } : {}),
      ...(bindsMax ? { bindsMax } : {}),
    },
    http: {
      host: options.httpHost,
      port: options.httpPort,
      ...(httpTokenFile ? { token: tokenIn(httpTokenFile) } : {}),
    },
  })
}

export interface DialCommandOptions {
  msisdn: string
  url: string
  tokenFile?: string
  answers?: string
  record?: string
}

export async function dialCommand(
  code: string,
  { msisdn, url, tokenFile, answers, record }: DialCommandOptions,
  say: Say,
): Promise<void> {
  const typed = answers === undefined ? typedLines(process.stdin) : writtenLines(answers.split(','))
  const token = tokenFile === undefined ? undefined : tokenIn(tokenFile)
  const phone = remotePhone(url, msisdn, token)
  const outcome = await dialTerminal({
    phone,
    code,
    typed,
    output: process.stdout,
    isTty: Boolean(process.stdin.isTTY),
  })
  process.stdin.destroy()
  if (outcome.failed) process.exitCode = 1
  if (record !== undefined) addTalk(record, await recordedTalkOf(url, msisdn, token), say)
}

export async function walletCommand(options: { host: string; port: number }, say: Say): Promise<void> {
  const wallet = await startSampleWallet(options)
  say(`wallet on http://${options.host}:${wallet.port}`)
  const signal = untilSignal()
  await new Promise((done) => signal.addEventListener('abort', done, { once: true }))
  await wallet.stop()
}

/** The token in a file. Throws UsageError if others can read the file, or if the token is weak. */
function tokenIn(file: string): string {
  const token = secretIn(file, 'the token of the phone')
  const why = weakness(token)
  if (why === undefined) return token
  throw new UsageError(`the token of the phone: ${file} ${why} (${TOKEN_REMEDY})`)
}

/** Aborted by SIGTERM or SIGINT. */
export function untilSignal(): AbortSignal {
  const stop = new AbortController()
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stop.abort())
  return stop.signal
}
