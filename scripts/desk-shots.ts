/**
 * Pictures of the desk for docs/img/desk: a daemon with the dental service, a simulated SMSC and two hundred dialogues,
 * each page at both widths, light and dark. `node --import tsx scripts/desk-shots.ts [FOLDER]`; needs Chromium, and the
 * Redis and Postgres of the tests.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import { tokenHash } from '../src/admin/access.ts'
import { startSmsc, type Smsc } from '../src/simulator/smsc/smsc.ts'
import { realClock } from '../test/support/clock.ts'
import { CHROMIUM, CHROMIUM_FLAGS } from '../test/support/chromium.ts'
import { newStage, stageDaemon, type Staged } from '../test/support/daemon.ts'
import { seedDental } from '../test/support/dental.ts'
import { startServices, stopServices } from '../test/support/services.ts'

const TOKEN = 'token-of-the-pictures'
const JOHN = '67570000001'
const HOUR = 3_600_000
const folder = process.argv[2] ?? 'docs/img/desk'

/** Pages that have nothing to do with a subscriber. */
const PAGES: readonly [name: string, path: string][] = [
  ['overview', '/desk'],
  ['lines', '/desk/lines'],
  ['line', '/desk/lines/digicel'],
  ['services', '/desk/services'],
  ['funnel', '/desk/services/dental'],
  ['sms', '/desk/sms'],
  ['releases', '/desk/releases/dental'],
  ['trace', '/desk/trace?line=digicel&last=20'],
  ['alarms', '/desk/alarms'],
  ['settings', '/desk/settings?q=digicel'],
]
/** Where dark shows something that light does not. */
const DARK = new Set(['overview', 'lines', 'funnel', 'dialogue'])

async function staging(): Promise<{ smsc: Smsc; staged: Staged }> {
  const smsc = await startSmsc({ clock: realClock, chance: Math.random })
  const stage = newStage()
  const tokensFile = join(stage.data, 'tokens')
  const roles = 'read,support,operate,publish,push,trace'
  writeFileSync(tokensFile, `${roles}:${tokenHash(TOKEN).toString('hex')} mary\n`, { mode: 0o600 })
  const staged = await stageDaemon({
    smscPort: smsc.port,
    frozen: false,
    with: stage,
    awaitReady: false,
    change: (settings) => {
      settings.instance = 'port-moresby-1'
      settings.admin.tokensFile = tokensFile
      const [line] = settings.lines
      settings.lines = [
        { ...line!, name: 'digicel' },
        { ...line!, name: 'bmobile', smsc: { ...line!.smsc, port: 1 } },
      ]
    },
  })
  await smsc.bound(1)
  await seedDental(staged.daemon.stores.sql, { atMs: Date.now() })
  return { smsc, staged }
}

const WALKS = [['2', '1', '1', '1', '1'], ['2', '2', '1'], ['2'], ['1'], ['3', '1'], ['2', '3'], []]
const pause = (ms: number) => new Promise<void>((done) => realClock.after(ms, done))

/** John, Mary and Kila have a profile; others have none. */
async function walk(smsc: Smsc, n: number, thinkMs: number): Promise<void> {
  const phone = smsc.phone(n % 3 === 0 ? `6757000${String(n).padStart(4, '0')}` : `6757000000${(n % 2) + 1}`)
  await phone.dial('*123#')
  for (const key of WALKS[n % WALKS.length]!) {
    await pause(thinkMs)
    if (phone.screen?.open) await phone.answer(key)
  }
  await phone.hangUp()
}

/** Dialogues that come to an end, and some that do not; SMS that failed, and some that wait. */
async function traffic({ smsc, staged }: { smsc: Smsc; staged: Staged }): Promise<void> {
  for (let n = 0; n < 60; n++) await walk(smsc, n, 0)
  const now = Date.now()
  const row = (n: number, more: object) => ({
    subject: `shot:${n}`,
    kind: n % 3 ? 'reminder' : 'campaign',
    line: 'digicel',
    text: 'At ten',
    msisdn: `6757000${String(n).padStart(4, '0')}`,
    ...{ due_at: new Date(now), wake_at: new Date(now + n * 60_000), created_at: new Date(now - HOUR) },
    expires_at: new Date(now + 5 * HOUR),
    ...more,
  })
  const why = [
    { last_error: 'refused', last_status: 11 },
    { last_error: 'receipt: undeliverable 011', last_status: null },
    { last_error: 'the SMSC asked us to wait', last_status: 88, attempts: 5 },
  ]
  const failed = Array.from({ length: 12 }, (_, n) =>
    row(n, {
      state: 'failed',
      settled_at: new Date(now - n * 90_000),
      submitted_at: new Date(now - n * 95_000),
      ...why[(n % 7) % 3],
    }),
  )
  const due = Array.from({ length: 120 }, (_, n) => row(100 + n, { state: 'due' }))
  const lost = [row(300, { state: 'ambiguous', submitted_at: new Date(now), msisdn: JOHN, losses: 1 })]
  await staged
    .knex('sms_outbox')
    .insert([
      ...failed,
      row(301, { state: 'failed', settled_at: new Date(now), msisdn: JOHN, ...why[0] }),
      ...due,
      ...lost,
    ])
}

/** Two screens of each page are enough. */
const SCREENS = 2

async function shoot(page: Page, name: string): Promise<void> {
  await page.waitForTimeout(400)
  const { width, height } = page.viewportSize()!
  const whole = await page.evaluate('document.documentElement.scrollHeight')
  const clip = { x: 0, y: 0, width, height: Math.min(Number(whole), height * SCREENS) }
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true, clip })
}

async function shootAll(browser: Browser, url: string): Promise<void> {
  for (const [width, colorScheme] of [
    [1280, 'light'],
    [390, 'light'],
    [1280, 'dark'],
  ] as const) {
    const context = await browser.newContext({ viewport: { width, height: width > 400 ? 800 : 844 }, colorScheme })
    const page = await context.newPage()
    await page.goto(`${url}/desk`)
    await page.fill('input[name=token]', TOKEN)
    await page.keyboard.press('Enter')
    await page.locator('h1', { hasText: 'Overview' }).waitFor()
    const isWanted = (name: string) => colorScheme === 'light' || DARK.has(name)
    const named = (name: string) => `${name}${width > 400 ? '' : '-390'}${colorScheme === 'dark' ? '-dark' : ''}`
    for (const [name, path] of PAGES.filter(([one]) => isWanted(one))) {
      // The picture of a flow is wide.
      if (width > 400) await page.setViewportSize({ width: name === 'funnel' ? 1680 : width, height: 800 })
      await page.goto(`${url}${path}`)
      await shoot(page, named(name))
    }
    await page.goto(`${url}/desk/number`)
    await page.fill('input[name=number]', JOHN)
    await page.fill('input[name=note]', 'ticket 4711: was charged twice')
    await page.keyboard.press('Enter')
    await page.locator('#ticket').waitFor()
    if (isWanted('number')) await shoot(page, named('number'))
    await page.locator('a[href*="/dialogue/"]').nth(1).click()
    await page.locator('.shown').first().waitFor()
    await shoot(page, named('dialogue'))
    await context.close()
  }
}

mkdirSync(folder, { recursive: true })
await startServices()
const stage = await staging()
await traffic(stage)
let isOver = false
const busy = (async () => {
  for (let n = 1; !isOver; n++) await walk(stage.smsc, n, 200).catch(() => undefined)
})()
// Sums of the funnel and the depth of the outbox are some seconds late.
await pause(40_000)
const browser = await chromium.launch({ executablePath: CHROMIUM!, args: [...CHROMIUM_FLAGS] })
await shootAll(browser, `http://127.0.0.1:${stage.staged.daemon.admin.port}`)
await browser.close()
isOver = true
await busy
await stage.staged.close()
await stage.smsc.stop()
await stopServices()
process.exit(0)
