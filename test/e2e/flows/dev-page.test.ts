/** The page of `dev` in a browser: what a designer sees of a saved file, a screen and a mistake, and that keys suffice. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { startDev } from '../../../src/cli/dev/index.ts'
import { newFlow } from '../../../src/cli/flows/flow-new.ts'
import { chromiumOrSkip, complaintsOf } from '../../support/chromium.ts'
import { realClock } from '../../support/clock.ts'

/** In the page. */
declare const document: {
  getElementById(id: string): { textContent: string } | null
  documentElement: { scrollWidth: number }
  activeElement: { id: string; className: string } | null
}

describe('the page of dev in the browser', function () {
  this.timeout(60_000)
  let folder: string
  let dev: Awaited<ReturnType<typeof startDev>> | undefined
  let browser: Browser | undefined
  let page: Page
  let complaints: string[]
  const flow = () => join(folder, 'shop.yaml')
  let text: string

  before(async function () {
    browser = await chromiumOrSkip(this)
    folder = mkdtempSync(join(tmpdir(), 'ussd-dev-page-'))
    newFlow('shop', { dir: folder }, () => undefined)
    text = readFileSync(flow(), 'utf8')
    dev = await startDev(folder, { httpPort: 0, clock: realClock })
    page = await browser.newPage({ viewport: { width: 1280, height: 860 } })
    complaints = complaintsOf(page)
    await page.goto(dev.url)
    await page.getByText('good', { exact: true }).first().waitFor()
  })
  after(async () => {
    await browser?.close()
    await dev?.stop()
    if (folder) rmSync(folder, { recursive: true, force: true })
  })
  const shows = (wanted: string) =>
    page.waitForFunction((one) => document.getElementById('text')?.textContent === one, wanted)
  const lit = (screen: string) => page.locator(`#picture .lit[data-screen="${screen}"]`).waitFor()

  it('is dialled and answered with the keyboard alone; the screen is lit, its length and values are beside it', async () => {
    await page.keyboard.type('*101#')
    await page.keyboard.press('Enter')
    await shows('Welcome.\n1. Balance\n2. Send airtime\n3. Exit')
    await lit('main')
    await page.keyboard.type('2')
    await page.keyboard.press('Enter')
    await shows('How much (3-100)?\n0. Back')
    await page.keyboard.type('20')
    await page.keyboard.press('Enter')
    await lit('sure')
    assert.equal(await page.locator('#picture .seen[data-screen="amount"]').count(), 1)
    assert.match(await page.innerText('#length'), /^\d+ of 182 septets$/)
    assert.match(await page.innerText('#values'), /answers\.amount\s+20/)
  })

  it('shows a mistake where it is as it is saved, and the new text once it is gone, without losing the dialogue', async () => {
    writeFileSync(flow(), text.replace('to: sure', 'to: shure'))
    const problem = page.locator('#problems .error').first()
    await problem.waitFor()
    assert.match(await problem.innerText(), /shop\.yaml:\d+:\d+[\s\S]*shure[\s\S]*sure/)
    assert.match(await page.innerText('#state'), /^1 error/)
    writeFileSync(flow(), text.replace("'Send K", "'Really send K"))
    await shows('Really send K20.00?\n1. Send\n0. Back')
    await page.locator('#problems .error', { hasText: 'shure' }).waitFor({ state: 'detached' })
    // The talk still has the old text.
    await page.locator('#problems .error', { hasText: 'Really send K10.00?' }).waitFor()
    assert.match(await page.innerText('#said'), /played again to the same screen/)
  })

  it('leaves the focus where it is when something is told again', async () => {
    await page.focus('#operations select')
    const before = await page.innerText('#where')
    writeFileSync(flow(), text.replace('menu: Welcome.', 'menu: Welcome back.'))
    await page.waitForFunction((old) => document.getElementById('where')?.textContent !== old, before)
    assert.notEqual(await page.evaluate(() => document.activeElement?.id), 'answer')
    await page.selectOption('#operations label:has-text("shop.send") select', {
      label: 'refuse insufficient (recorded)',
    })
    await page.fill('#answer', '1')
    await page.click('#send')
    await shows('You have too little. Nothing was sent.')
    assert.match(await page.locator('#calls li').first().innerText(), /shop\.send \{"amount":20\}\s*chosen/)
  })

  it('fits a phone, with the flows to dial above it, and complains of nothing', async () => {
    await page.setViewportSize({ width: 390, height: 844 })
    const wide = await page.evaluate(() => document.documentElement.scrollWidth)
    assert.ok(wide <= 390, `${wide} px`)
    const [dialling, device] = [
      await page.locator('.dialling').boundingBox(),
      await page.locator('.device').boundingBox(),
    ]
    assert.ok(dialling!.y < device!.y)
    assert.deepEqual(complaints, [])
  })
})
