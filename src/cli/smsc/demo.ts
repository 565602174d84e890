/**
 * `npm start`: the whole chain in one process, with nothing to install: simulator, daemon, sample services, web phone.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { systemChance, systemClock, createLog, packageRoot } from '../../base/index.ts'
import { parseSettings } from '../../config/index.ts'
import { loadModule, startDaemon, startSampleWallet } from '../../daemon/index.ts'
import { recordedText, talkRecorder, type Left } from '../../flow/talk/index.ts'
import { simulate } from '../../simulator/index.ts'
import { freeOr } from './free-port.ts'
import { untilSignal } from './simulate.ts'

export interface DemoOptions {
  httpPort: number
  data: string
}

export async function demo(options: DemoOptions): Promise<void> {
  const say = (text: string) => void process.stdout.write(`${text}\n`)
  const clock = systemClock()
  const signal = untilSignal()
  const wallet = await startSampleWallet({ port: 0 })
  const recorder = talkRecorder()
  const talkOf = (msisdn: string, left: Left | null) => {
    const recorded = recorder.talk(msisdn, left ?? undefined)
    return recorded && recordedText(recorded)
  }
  let served = Promise.resolve()
  await simulate({
    clock,
    chance: systemChance,
    signal,
    say: () => undefined,
    smpp: { port: 0, accounts: [{ systemId: 'ussd', password: 'secret' }] },
    http: { port: await freeOr(options.httpPort), talkOf },
    onReady: ({ smsc, control }) => {
      served = serve({ smscPort: smsc.port, walletPort: wallet.port, url: control.url })
    },
  })
  await served
  await wallet.stop()

  async function serve(at: { smscPort: number; walletPort: number; url: string }): Promise<void> {
    try {
      const { settings } = parseSettings(demoSettings(at, options.data), 'demo', {})
      const logFile = join(options.data, 'demo.log')
      mkdirSync(options.data, { recursive: true, mode: 0o700 })
      const destination = pino.destination({ dest: logFile, sync: true })
      const log = createLog({ level: 'info', key: randomBytes(32), services: settings.services, destination })
      const daemon = await startDaemon({ settings, clock, chance: systemChance, log, watch: recorder.watch })
      // Ctrl-C during the start means that no daemon is wanted; its phone is closed already.
      if (!signal.aborted) {
        const { metrics, stores } = daemon
        const host = { settings, sql: stores.sql, clock, chance: systemChance, metrics, log }
        const dental = await loadModule('dental', { module: 'dental', settings: {} }, host)
        await dental.seed!({ atMs: clock.today(), relative: true })
      }
      if (signal.aborted) return await daemon.stop()
      signal.addEventListener('abort', () => void daemon.stop())
      say(`\n  Open ${at.url}/ and dial *123# or *675#.`)
      say(`  Or here, in another terminal: npx ussd-connector dial '*123#' --msisdn 67570000001 --url ${at.url}`)
      say(
        `  Health and figures: http://127.0.0.1:${daemon.admin.port}/ready and /metrics. Log: ${logFile}. Ctrl-C ends it.\n`,
      )
    } catch (error) {
      process.stderr.write(`${(error as Error).message}\n`)
      process.exit(1)
    }
  }
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
admin: { port: 0 }
log: { level: info }
stopMs: 0
`
}
