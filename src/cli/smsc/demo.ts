/**
 * `npm start`: the whole chain in one process, with nothing to install: simulator, daemon, sample services, web phone.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { looseClock, systemChance, systemClock, createLog, packageRoot } from '../../base/index.ts'
import { parseSettings } from '../../config/index.ts'
import { type DaemonOptions, inData, loadModule, startDaemon, startSampleWallet } from '../../daemon/index.ts'
import { recordedText, talkRecorder, type Left } from '../../flow/talk/index.ts'
import { simulate } from '../../simulator/index.ts'
import { newToken, TOKEN_ROLES } from '../commands/token.ts'
import { demoPage } from './demo-page.ts'
import { demoTraffic } from './demo-traffic.ts'
import { freeOr } from './free-port.ts'
import { untilSignal } from './simulate.ts'

export interface DemoOptions {
  httpPort: number
  data: string
}

const CODES = ['*123#', '*123#', '*675#']

export async function demo(options: DemoOptions): Promise<void> {
  // After Ctrl-C, a phone that still waits for a screen does not hold the process.
  const clock = looseClock()
  const signal = untilSignal()
  const wallet = await startSampleWallet({ port: 0 })
  const recorder = talkRecorder()
  const talkOf = (msisdn: string, left: Left | null) => {
    const recorded = recorder.talk(msisdn, left ?? undefined)
    return recorded && recordedText(recorded)
  }
  let served = Promise.resolve()
  /** Where it is, once the daemon serves. */
  let desk: string | undefined
  await simulate({
    clock,
    chance: systemChance,
    signal,
    say: () => undefined,
    smpp: { port: 0, accounts: [{ systemId: 'ussd', password: 'secret' }] },
    http: {
      port: await freeOr(options.httpPort),
      talkOf,
      more: (app, smsc) =>
        demoPage(app, {
          traffic: demoTraffic({ smsc, clock, chance: systemChance, codes: CODES, signal }),
          desk: () => desk,
        }),
    },
    onReady: ({ smsc, control }) => {
      const at = { smscPort: smsc.port, walletPort: wallet.port, url: control.url }
      served = serve(at, { data: options.data, signal, watch: recorder.watch, onDesk: (url) => (desk = url) })
    },
  })
  await served
  await wallet.stop()
}

interface ServeDeps {
  data: string
  signal: AbortSignal
  watch: NonNullable<DaemonOptions['watch']>
  /** It serves, and its desk is there. */
  onDesk(url: string): void
}

async function serve(
  at: { smscPort: number; walletPort: number; url: string },
  { data, signal, watch, onDesk }: ServeDeps,
): Promise<void> {
  const clock = systemClock()
  const say = (text: string) => void process.stdout.write(`${text}\n`)
  try {
    const logFile = join(data, 'demo.log')
    const destination = inData(data, () => {
      mkdirSync(data, { recursive: true, mode: 0o700 })
      writeTokens(data)
      return pino.destination({ dest: logFile, sync: true })
    })
    const { settings } = parseSettings(demoSettings(at, data), 'demo', {})
    const log = createLog({ level: 'info', key: randomBytes(32), services: settings.services, destination })
    const daemon = await startDaemon({
      settings,
      clock,
      chance: systemChance,
      log,
      watch,
      desk: { framedBy: new URL(at.url).origin },
    })
    // Ctrl-C during the start means that no daemon is wanted; its phone is closed already.
    if (!signal.aborted) {
      const { metrics, stores } = daemon
      const host = { settings, sql: stores.sql, clock, chance: systemChance, metrics, log }
      const dental = await loadModule('dental', { module: 'dental', settings: {} }, host)
      await dental.seed!({ atMs: clock.today(), relative: true })
    }
    if (signal.aborted) return await daemon.stop()
    signal.addEventListener('abort', () => void daemon.stop())
    onDesk(`http://127.0.0.1:${daemon.admin.port}/desk`)
    say(`\n  Open ${at.url}/demo: a phone, and the desk of the daemon beside it. Dial *123# or *675#.`)
    say(`  Or here, in another terminal: npx ussd-connector dial '*123#' --msisdn 67570000001 --url ${at.url}`)
    const asked = `USSD_CONNECTOR_URL=http://127.0.0.1:${daemon.admin.port} USSD_CONNECTOR_TOKEN_FILE=${join(data, TOKEN)}`
    say(`  Commands that ask the daemon, there: export ${asked}`)
    say(`  Then: npx ussd-connector status, or lines, or flow list dental. Log: ${logFile}. Ctrl-C ends it.\n`)
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`)
    process.exit(1)
  }
}

/** Of the folder of the stores. */
const [TOKEN, TOKENS] = ['token', 'tokens']

/** For the command line: another token at each start, which the owner of the folder can read. */
function writeTokens(data: string): void {
  const { token, line } = newToken(TOKEN_ROLES)
  writeFileSync(join(data, TOKEN), `${token}\n`, { mode: 0o600 })
  writeFileSync(join(data, TOKENS), `${line} demo\n`, { mode: 0o600 })
}

function demoSettings(at: { smscPort: number; walletPort: number }, data: string): string {
  return `
lines:
  - name: demo
    smsc: { host: 127.0.0.1, port: ${at.smscPort}, systemId: ussd, password: secret }
    sms: { source: "123" }
    msisdn: { countryCode: "675", nationalDigits: [7, 8] }
services:
  - { code: "*123#", flow: dental }
  - { code: "*675#", flow: topup }
flows: { dir: ${JSON.stringify(join(packageRoot, 'flows'))} }
backends:
  dental: { module: dental }
  wallet: { http: { url: "http://127.0.0.1:${at.walletPort}" } }
redis: embedded
postgres: embedded
data: ${JSON.stringify(data)}
admin: { port: 0, tokensFile: ${JSON.stringify(join(data, TOKENS))} }
log: { level: info }
stopMs: 0
`
}
