/**
 * The desk beside a loaded daemon: what open desks cost, and how long questions take. A daemon as a process, a simulated
 * SMSC with phones that dial, think and answer, faults that come and go.
 * `node --import tsx bench/desk.ts --minutes 10 --phones 2000 --desks 20 --dials 40 --faults --questions`: desks are open
 * in every second half minute, so that what they cost is the difference. On a quiet machine; needs the Redis and Postgres
 * of the tests, and Chromium for the questions.
 */
import type { ChildProcess } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { chromium, type Page } from 'playwright-core'
import { tokenHash } from '../src/admin/access.ts'
import type { Fault } from '../src/simulator/smsc/chaos.ts'
import type { Smsc } from '../src/simulator/smsc/smsc.ts'
import { CHROMIUM, CHROMIUM_FLAGS } from '../test/support/chromium.ts'
import { realClock } from '../test/support/clock.ts'
import { browserOf, type DeskBrowser } from '../test/support/desk-browser.ts'
import { ProcessStage } from '../test/support/process-stage.ts'
import { freePort, startServices, stopServices } from '../test/support/services.ts'
import { cpuSeconds } from './processes.ts'
import { numberOf } from './options.ts'

const TOKEN = 'token-of-a-bench'
const [minutes, phones, desks, dials] = [
  numberOf('--minutes', 10),
  numberOf('--phones', 2_000),
  numberOf('--desks', 20),
  numberOf('--dials', 40),
]
const HALF_MS = numberOf('--half', 30_000)
const say = (line: string) => process.stdout.write(`${line}\n`)
const pause = (ms: number) => new Promise<void>((done) => realClock.after(ms, done))

/** One after the other, half a minute each; then half a minute without. */
const FAULTS: readonly Fault[] = [
  { on: 'submit_sm', chance: 0.2, act: { is: 'refuse', status: 0x58 } },
  { on: 'deliver_sm', lane: 'ussd', chance: 0.3, act: { is: 'double', on: 'other' } },
  { on: 'submit_sm', chance: 0.1, act: { is: 'drop-response' } },
  { on: 'submit_sm', chance: 0.2, act: { is: 'delay', ms: 2_000 } },
  { on: 'deliver_sm', times: 1, act: { is: 'cut', at: 20 } },
]
const WALKS = [['2', '1', '1', '1'], ['2', '2', '1'], ['2'], ['1'], ['3', '1'], []]

interface Running {
  isOver: boolean
  dialled: number
  /** Dials and answers that got nothing usable: with faults there are some. */
  failed: number
}

async function dialogue(smsc: Smsc, n: number, running: Running): Promise<void> {
  const phone = smsc.phone(`6757${String(n % phones).padStart(7, '0')}`)
  running.dialled++
  try {
    await phone.dial('*123#')
    for (const key of WALKS[n % WALKS.length]!) {
      await pause(1_000 + Math.random() * 3_000)
      if (!phone.screen?.open) return
      await phone.answer(key)
    }
    await phone.hangUp()
  } catch {
    running.failed++
  }
}

async function dialling(smsc: Smsc, running: Running): Promise<void> {
  for (let n = 0; !running.isOver; n++) {
    void dialogue(smsc, n, running)
    await pause(1_000 / dials)
  }
}

async function misbehaving(smsc: Smsc, running: Running): Promise<void> {
  for (let n = 0; !running.isOver; n++) {
    const end = smsc.chaos.add(FAULTS[n % FAULTS.length]!)
    await pause(HALF_MS)
    end()
    await pause(HALF_MS)
  }
}

/** The streams of so many open pages. Resolves with what closes them. */
async function opened(browser: DeskBrowser): Promise<() => void> {
  const paths = ['/desk/live', '/desk/lines/live', '/desk/sms/live', '/desk/services/live']
  const streams = await Promise.all(Array.from({ length: desks }, (_, n) => browser.stream(paths[n % paths.length]!)))
  // It ends with the stream.
  const read = async (stream: (typeof streams)[number]): Promise<void> => stream.next().then(() => read(stream))
  for (const stream of streams) void read(stream).catch(() => undefined)
  return () => {
    for (const stream of streams) stream.stop()
  }
}

/** CPU of the daemon in percent of a core, with and without open desks, in turns. */
async function measured(browser: DeskBrowser, daemon: ChildProcess): Promise<{ with: number[]; without: number[] }> {
  const found = { with: [] as number[], without: [] as number[] }
  const halves = Math.max(2, Math.floor((minutes * 60_000) / HALF_MS))
  for (let n = 0; n < halves; n++) {
    const is = n % 2 === 0 ? 'without' : 'with'
    const close = is === 'with' ? await opened(browser) : () => undefined
    const [fromS, fromMs] = [cpuSeconds(daemon), performance.now()]
    await pause(HALF_MS)
    const share = (100_000 * (cpuSeconds(daemon) - fromS)) / (performance.now() - fromMs)
    close()
    found[is].push(share)
    say(`${is.padEnd(8)} ${desks} desks: ${share.toFixed(1)} % of a core, load ${loadavg()[0]!.toFixed(1)}`)
  }
  return found
}

const middle = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

/** What a night shift asks: which clicks lead to the answer, and what it looks like. */
const QUESTIONS: readonly [question: string, clicks: readonly string[], answer: string][] = [
  ['Is all well?', [], '[data-live=verdict] .chip'],
  ['How many dials a second go through?', [], '.tile .figure'],
  ['Which line is down, and why?', ['nav >> text=Lines'], '[data-live=lines] .badge'],
  ['Since when, and how often in 90 days?', ['nav >> text=Lines', '#line-test'], '.days'],
  ['Who stopped it?', ['nav >> text=Alarms'], 'h2 >> text=Audit'],
  ['Why do dialogues end?', [], '[data-live=ends] .parts'],
  ['Where do subscribers leave the flow?', ['nav >> text=Services', 'main >> text=dental'], '.pill.lost'],
  ['Which SMS failed, and why?', ['nav >> text=SMS'], '.tabs [aria-current]'],
  ['How long has the oldest SMS waited?', ['nav >> text=SMS'], '[data-live=depth] .figure'],
  ['Which revision serves, and since when?', ['nav >> text=Releases'], 'main table'],
  ['What did the SMSC answer last?', ['nav >> text=Lines', '#line-test', 'text=Last PDUs'], '.listing'],
  ['What was set to what?', ['nav >> text=Settings'], 'main table'],
]

async function answered(page: Page, url: string): Promise<void> {
  for (const [question, clicks, answer] of QUESTIONS) {
    await page.goto(`${url}/desk`)
    const fromMs = performance.now()
    for (const click of clicks) await page.locator(click).first().click()
    await page.locator(answer).first().waitFor({ timeout: 10_000 })
    say(`${question} ${clicks.length} clicks, ${((performance.now() - fromMs) / 1_000).toFixed(2)} s of pages`)
  }
}

async function questions(url: string): Promise<void> {
  const browser = await chromium.launch({ executablePath: CHROMIUM!, args: [...CHROMIUM_FLAGS] })
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
  await page.goto(`${url}/desk`)
  await page.fill('input[name=token]', TOKEN)
  await page.keyboard.press('Enter')
  await page.locator('h1', { hasText: 'Overview' }).waitFor()
  await answered(page, url).finally(() => browser.close())
}

await startServices()
const port = await freePort()
const stage = new ProcessStage((settings) => {
  settings.admin.port = port
  settings.admin.tokensFile = join(stage.stage.data, 'tokens')
})
const roles = 'read,support,operate,publish,push,trace'
writeFileSync(join(stage.stage.data, 'tokens'), `${roles}:${tokenHash(TOKEN).toString('hex')} mary\n`, { mode: 0o600 })
const running: Running = { isOver: false, dialled: 0, failed: 0 }
try {
  await stage.open()
  await stage.startBound()
  const url = `http://127.0.0.1:${port}`
  const browser = await browserOf(url).enter(TOKEN)
  void dialling(stage.smsc, running)
  if (process.argv.includes('--faults')) void misbehaving(stage.smsc, running)
  await pause(HALF_MS / 3)
  const found = await measured(browser, stage.daemon.child)
  const [open, none] = [middle(found.with), middle(found.without)]
  say(
    `${desks} open desks: ${(open - none).toFixed(1)} % of a core (${open.toFixed(1)} with, ${none.toFixed(1)} without)`,
  )
  say(`${running.dialled} dials of ${phones} phones; ${running.failed} got nothing usable`)
  if (process.argv.includes('--questions')) await questions(url)
} finally {
  running.isOver = true
  await stage.close()
  await stopServices()
}
process.exit(0)
