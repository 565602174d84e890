/** The desk in a real browser: no word of the content security policy is broken, nothing that axe finds, both widths. */
import assert from 'node:assert/strict'
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import axe from 'axe-core'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { tokenHash } from '../../../src/admin/access.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { chromiumOrSkip, complaintsOf } from '../../support/chromium.ts'
import { realClock } from '../../support/clock.ts'
import { DESK_PAGES } from '../../support/desk-browser.ts'
import { FROZEN, newStage, stageDaemon, type Staged } from '../../support/daemon.ts'
import { seedDental } from '../../support/dental.ts'
import { describeWith } from '../../support/services.ts'

/** In the page. */
declare const document: {
  documentElement: { scrollWidth: number }
  activeElement: { tagName: string; textContent: string }
}
declare function getComputedStyle(element: unknown): { outlineStyle: string; outlineWidth: string }

const TOKEN = 'operating-token-of-a-test'

describeWith(['redis', 'postgres'], 'the desk in a browser', () => {
  let smsc: Smsc
  let staged: Staged
  let browser: Browser
  let url: string

  before(async function () {
    this.timeout(90_000)
    browser = await chromiumOrSkip(this)
    smsc = await startSmsc({ clock: realClock, chance: Math.random })
    const stage = newStage()
    const tokensFile = join(stage.data, 'tokens')
    writeFileSync(tokensFile, `read,support,operate,publish,push,trace:${tokenHash(TOKEN).toString('hex')} mary\n`, {
      mode: 0o600,
    })
    staged = await stageDaemon({
      smscPort: smsc.port,
      with: stage,
      change: (settings) => {
        settings.admin.tokensFile = tokensFile
        // Paths are in the history of flows, and no phone is as wide.
        const dir = join(stage.data, 'aFolderWhoseNameIsOneWordThatNoPageBreaks'.repeat(2))
        cpSync(settings.flows.dir, dir, { recursive: true })
        settings.flows.dir = dir
      },
    })
    url = `http://127.0.0.1:${staged.daemon.admin.port}`
    await seedDental(staged.daemon.stores.sql, { atMs: FROZEN })
    const phone = smsc.phone('67570000001')
    await phone.dial('*123#')
    for (const key of ['2', '2', '1', '1']) await phone.answer(key)
    await phone.hangUp()
    const owed = { kind: 'reminder', line: 'test', text: 'At ten', msisdn: '67570000001', created_at: new Date() }
    const times = { due_at: new Date(), wake_at: new Date(), expires_at: new Date(), settled_at: new Date() }
    await staged
      .knex('sms_outbox')
      .insert({ ...owed, ...times, subject: 'page:1', state: 'failed', last_error: 'refused', last_status: 11 })
  })
  after(async () => {
    await browser?.close()
    await staged?.close()
    await smsc?.stop()
  })

  async function signedIn(context: BrowserContext): Promise<Page> {
    const page = await context.newPage()
    await page.goto(`${url}/`)
    await page.fill('input[name=token]', TOKEN)
    await page.keyboard.press('Enter')
    await page.locator('h1', { hasText: /Overview|Vue/ }).waitFor()
    return page
  }

  /** By way of the debugger: the policy of the page would stop a script. */
  async function axeOf(page: Page): Promise<string[]> {
    const cdp = await page.context().newCDPSession(page)
    await cdp.send('Runtime.evaluate', { expression: axe.source })
    const expression = 'axe.run().then((all) => all.violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`))'
    const { result } = await cdp.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true })
    await cdp.detach()
    return result.value as string[]
  }

  /** Another subscriber, so that each of these pages has the first one. */
  async function erased(page: Page, look: (path: string) => Promise<void>): Promise<void> {
    const at = new Date()
    const msisdn = '67570000077'
    await staged.knex('subscriber_language').insert({ msisdn, language: 'en', chosen_at: at })
    await page.goto(`${url}/desk/number`)
    await page.fill('input[name=number]', msisdn)
    await page.fill('input[name=note]', 'ticket 8')
    await page.keyboard.press('Enter')
    await page.locator('#ticket').waitFor()
    await page.locator('.act.danger summary', { hasText: /Erase|Effacer/ }).click()
    await look('what is asked before somebody is erased')
    const form = page.locator('form[action="/desk/number/erase"]')
    await form.locator('input[name=number]').fill(msisdn)
    await form.locator('input[name=note]').fill('his letter')
    await page.keyboard.press('Enter')
    await page.locator('h1', { hasText: /Erased|Effacé/ }).waitFor()
    await look('what became of it')
    assert.deepEqual(await staged.knex('subscriber_language').where({ msisdn }), [])
  }

  for (const [width, colorScheme, locale] of [
    [1280, 'light', 'en'],
    [1280, 'dark', 'fr'],
    [390, 'light', 'fr'],
    [390, 'dark', 'en'],
  ] as const) {
    it(`${width} px, ${colorScheme}, ${locale}: fits, breaks no policy, and axe finds nothing`, async function () {
      this.timeout(120_000)
      const context = await browser.newContext({ viewport: { width, height: 844 }, colorScheme, locale })
      const page = await signedIn(context)
      const complaints = complaintsOf(page)
      const look = async (path: string) => {
        assert.deepEqual(await axeOf(page), [], path)
        assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= width, path)
      }
      for (const path of DESK_PAGES) {
        await page.goto(`${url}${path}`)
        await look(path)
      }
      await page.goto(`${url}/desk/number`)
      await page.fill('input[name=number]', '67570000001')
      await page.fill('input[name=note]', 'ticket 7')
      await page.keyboard.press('Enter')
      await page.locator('#ticket').waitFor()
      await look('one number')
      await page.locator('a[href*="/dialogue/"]').first().click()
      await page.locator('.shown').first().waitFor()
      await look('one dialogue')
      await erased(page, look)
      assert.deepEqual(complaints, [])
      await context.close()
    })
  }

  it('puts what is new without loading the page again', async function () {
    this.timeout(60_000)
    const context = await browser.newContext()
    const page = await signedIn(context)
    await page.goto(`${url}/desk/lines`)
    await page.evaluate('document.body.dataset.same = "yes"')
    await page.locator('.badge.good', { hasText: 'bound' }).waitFor()
    const name = page.locator('#line-test')
    await name.focus()
    await smsc.stop()
    await page.locator('td .badge.bad').waitFor({ timeout: 30_000 })
    assert.equal(await page.evaluate('document.body.dataset.same'), 'yes')
    assert.equal(await page.evaluate('document.activeElement.id'), 'line-test')
    await context.close()
  })

  it('works without script, and by keyboard with a focus that is seen', async function () {
    this.timeout(60_000)
    const context = await browser.newContext({ javaScriptEnabled: false })
    const page = await signedIn(context)
    await page.goto(`${url}/desk/lines/test`)
    await page.keyboard.press('Tab')
    assert.equal(await page.locator(':focus').innerText(), 'Skip to the content')
    const style = await page.locator(':focus').evaluate((one) => {
      const { outlineStyle, outlineWidth } = getComputedStyle(one)
      return `${outlineStyle} ${outlineWidth}`
    })
    assert.equal(style, 'solid 3px')
    await page.getByText('Stop the line…').focus()
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Do it' }).first().focus()
    await page.keyboard.press('Enter')
    await page.locator('.badge.quiet', { hasText: 'stopped' }).first().waitFor()
    await context.close()
  })
})
