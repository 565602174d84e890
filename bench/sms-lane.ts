/**
 * Does USSD ever wait behind SMS? `node --import tsx bench/sms-lane.ts`: one daemon, one bind; USSD dialogues at a fixed rate, by turns
 * with nothing else and with 10,000 SMS due. Prints p95 with over p95 without, from one run. POSTGRES_URL names
 * an empty database to use (its tables stay there); without it an embedded one is used, which is slower.
 */
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { systemChance, systemClock } from '../src/clock.ts'
import { parseSettings } from '../src/config/load.ts'
import { startDaemon } from '../src/daemon/daemon.ts'
import { createLog } from '../src/log.ts'
import { load } from '../src/simulator/load.ts'
import { startSmsc } from '../src/simulator/smsc.ts'

const ROUNDS = 4
const SMS = Number(process.env.SMS ?? 10_000)
const SECONDS = Number(process.env.SECONDS ?? 8)
const PER_SECOND = Number(process.env.PER_SECOND ?? 40)

const clock = systemClock(undefined)
const data = mkdtempSync(join(tmpdir(), 'ussd-sms-lane-'))
cpSync('flows/language.yaml', join(data, 'flows/language.yaml'))
const smsc = await startSmsc({ clock, chance: systemChance, traceMax: 0 })
// Each round of load numbers its dialogues from the beginning: they must not be taken for copies of the last round's.
const { settings } = parseSettings(`
lines:
  - name: one
    smsc: { host: 127.0.0.1, port: ${smsc.port}, systemId: bench, password: bench }
    sms: { source: "123", perSecond: 10000, receipts: false }
services: [{ code: "*124#", flow: language }]
flows: { dir: ${data}/flows, reloadMs: 0 }
backends: { dental: { module: dental } }
redis: embedded
postgres: ${process.env.POSTGRES_URL ? JSON.stringify({ url: process.env.POSTGRES_URL }) : 'embedded'}
data: ${data}
admin: { port: 0 }
reminders: { pollMs: 50 }
dialogue: { tombstoneMs: 0, resumeMs: 0 }
`, 'bench', {})
const log = createLog({
  level: 'error', key: Buffer.from('bench'), destination: new Writable({ write: (chunk, _, done) => (process.stderr.write(chunk), done()) }) as never,
})
const daemon = await startDaemon({ settings, clock, chance: systemChance, log, processMetrics: false })
try {
  await smsc.bound(1)
  await round(0) // warm up
  const rows: ({ sms: 'none' | 'due' } & Awaited<ReturnType<typeof round>>)[] = []
  for (let n = 0; n < ROUNDS; n++) {
    rows.push({ sms: 'none', ...await round(0) })
    rows.push({ sms: 'due', ...await round(SMS) })
  }
  console.table(rows)
  const p95 = (sms: string) => median(rows.filter((row) => row.sms === sms).map((row) => row.p95))
  const sent = rows.reduce((sum, row) => sum + row.sent, 0)
  console.log(`USSD p95 with SMS over without: ${(p95('due') / p95('none')).toFixed(2)}; ${sent} SMS sent meanwhile`)
} finally {
  await daemon.stop()
  await smsc.stop()
  rmSync(data, { recursive: true, force: true })
}

async function round(sms: number) {
  if (sms) await owe(sms)
  const result = await load({
    smsc, clock, concurrent: 50, script: [{ say: '*124#' }], seconds: SECONDS, perSecond: PER_SECOND, answerMs: 2_000,
  })
  const { latency, lost, sms: sent, turns } = result
  if (process.env.DEBUG) console.log(result, await daemon.metrics.registry.metrics())
  // What is left of them must not disturb the next round.
  await daemon.stores.knex('sms_outbox').where({ state: 'due' }).delete()
  return { turns, p50: latency.p50, p95: latency.p95, max: latency.max, lost, sent }
}

async function owe(count: number): Promise<void> {
  await daemon.stores.knex.raw(`
    INSERT INTO sms_outbox (subject, kind, msisdn, text, due_at, expires_at, wake_at, created_at)
    SELECT 'bench:' || gen_random_uuid(), 'reminder', (67580000000 + n)::text, 'Reminder: Checkup', now(), now() + interval '1 hour', now(), now()
    FROM generate_series(1, ?) n`, [count])
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
}
