import assert from 'node:assert/strict'
import type { Browser, Page } from 'playwright-core'
import { startControl, type Control } from '../../../src/simulator/control/http.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { chromiumOrSkip, complaintsOf } from '../../support/chromium.ts'
import { realClock } from '../../support/clock.ts'
import { stageDaemon, type Staged } from '../../support/daemon.ts'
import { describeWith } from '../../support/services.ts'
import { T1, T1_MARY, T4, T5, T6, T7 } from '../../support/screens.ts'

/** In the page. */
declare const document: {
  getElementById(id: string): { textContent: string; children: { length: number } } | null
  documentElement: { scrollWidth: number; className: string }
}
declare function scrollTo(x: number, y: number): void
declare class MutationObserver {
  constructor(changed: () => void)
  observe(list: unknown, what: { childList: true }): void
}

describeWith(['redis', 'postgres'], 'the phone in the browser', () => {
  let smsc: Smsc
  let control: Control
  let staged: Staged
  let browser: Browser
  let page: Page

  before(async function () {
    this.timeout(60_000)
    browser = await chromiumOrSkip(this)
    smsc = await startSmsc({ clock: realClock, chance: Math.random })
    control = await startControl({ smsc, port: 0, token: 'behind-the-hash' })
    staged = await stageDaemon({ smscPort: smsc.port, change: (settings) => (settings.reminders.pollMs = 100) })
    page = await browser.newPage({ viewport: { width: 1280, height: 860 } })
  })
  after(async () => {
    await browser?.close()
    await staged?.close()
    await control?.stop()
    await smsc?.stop()
  })

  const shows = (text: string) =>
    page.waitForFunction((wanted) => document.getElementById('text')?.textContent === wanted, text)

  it('dials, books, and shows the SMS as it arrives', async function () {
    this.timeout(60_000)
    const complaints = complaintsOf(page)
    await page.goto(`${control.url}/#token=${control.token}`)
    // The simulator's hello starts the page anew.
    await page.getByText('ussd bound').waitFor()
    await page.getByRole('button', { name: 'John' }).click()
    await page.getByRole('button', { name: 'Dial *123#' }).click()
    await shows(T1)
    for (const [key, expected] of [
      ['2', T4],
      ['2', T5],
      ['1', T6],
      ['1', T7],
    ] as const) {
      await page.fill('#answer', key)
      await page.click('#send')
      await shows(expected)
    }
    const sms = page.locator('#inbox li').first()
    await sms.waitFor({ timeout: 15_000 })
    assert.match(await sms.innerText(), /Checkup at Koki Dental Clinic/)
    if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT })
    assert.deepEqual(complaints, [])
  })

  it('takes nothing back when the answer to a press comes after later news', async function () {
    this.timeout(60_000)
    await page.getByRole('button', { name: 'Mary' }).click()
    const sms = page.locator('#inbox li').first()
    await sms.waitFor({ state: 'detached' })
    await page.route('**/dial', async (route) => {
      const early = await route.fetch()
      await smsc.phone('67570000002').send('123', 'STOP')
      await sms.waitFor()
      await page.evaluate(() => {
        const [list, whole] = [document.getElementById('inbox')!, document.documentElement]
        new MutationObserver(() => list.children.length || (whole.className = 'taken-back')).observe(list, {
          childList: true,
        })
      })
      await route.fulfill({ response: early })
    })
    const answered = page.waitForResponse('**/dial')
    await page.getByRole('button', { name: 'Dial *123#' }).click()
    await (await answered).finished()
    // What is pressed next is answered after the page took that answer.
    await page.fill('#answer', '2')
    await page.click('#send')
    await shows(T4)
    assert.equal(await page.evaluate(() => document.documentElement.className), '')
  })

  it('shows what a simulator that was started again tells', async function () {
    this.timeout(60_000)
    const told = page.waitForResponse('**/api/phones/67570000002')
    await control.stop()
    control = await startControl({ smsc, port: Number(new URL(control.url).port), token: control.token! })
    await told
    await page.fill('#answer', '4')
    await page.click('#send')
    await shows(T1_MARY)
  })

  it('says in a word why a dial came to nothing, without all that the phone has seen', async function () {
    this.timeout(60_000)
    await page.unroute('**/dial')
    await page.route('**/dial', (route) =>
      route.continue({ postData: JSON.stringify({ code: '*123#', withinMs: 50 }) }),
    )
    const heal = smsc.chaos.add({ on: 'deliver_sm', act: { is: 'ignore' } })
    await page.getByRole('button', { name: 'John' }).click()
    await page.evaluate(() => {
      const [text, whole] = [document.getElementById('text')!, document.documentElement]
      whole.className = ''
      new MutationObserver(() => /so far/.test(text.textContent) && (whole.className = 'told-all')).observe(text, {
        childList: true,
      })
    })
    const answered = page.waitForResponse('**/dial')
    await page.getByRole('button', { name: 'Dial *123#' }).click()
    await (await answered).finished()
    // By the time that the page has asked for something else, it has taken that answer.
    await page.evaluate(async () => (await fetch('/api/strays')).text())
    assert.equal(
      await page.innerText('#text'),
      'Connection problem or invalid MMI code.\n\nthe phone waited 50 ms for a screen, which did not arrive',
    )
    assert.equal(await page.evaluate(() => document.documentElement.className), '')
    heal()
    await page.unroute('**/dial')
  })

  it('types letters by several taps on a key', async function () {
    await page.getByRole('button', { name: 'Mary' }).click()
    await page.getByRole('button', { name: 'Dial *123#' }).click()
    await shows(T1_MARY)
    await page.click('#way')
    const tap = (key: string) => page.click(`.key[data-key="${key}"]`)
    for (const key of ['5', '5', '6', '6', '6']) await tap(key)
    assert.equal(await page.inputValue('#answer'), 'ko')
    await page.click('#way')
    await tap('2')
    assert.equal(await page.inputValue('#answer'), 'koA')
    await page.click('#way')
    await tap('2')
    assert.equal(await page.inputValue('#answer'), 'koA2')
    await page.click('#cancel')
  })

  it('shows a PDU as fields, its text, and its octets in lines that can be read', async function () {
    const last = page.locator('.pdus li[data-command="submit_sm"]').first()
    await last.locator('summary').click()
    assert.match(await last.locator('dl').innerText(), /ussd_service_op 0x0501\s+02[\s\S]*text\s+Welcome/)
    const lines = (await last.locator('.dump').innerText()).split('\n')
    assert.match(lines[0]!, /^0000  00 00 00 [0-9a-f]{2} 00 00 00 04  \.\.\..\.\.\.\.$/)
    assert.match(lines[1]!, /^0008  /)
  })

  it('has what is dialled and the whole keypad on a phone, without scrolling', async function () {
    await page.setViewportSize({ width: 390, height: 844 })
    await page.evaluate(() => scrollTo(0, 0))
    const bottomOf = async (of: string) => {
      const box = (await page.locator(of).boundingBox())!
      return box.y + box.height
    }
    assert.ok((await bottomOf('[data-dial="*123#"]')) < (await bottomOf('.earpiece')))
    assert.ok((await bottomOf('.key[data-key="#"]')) <= 844)
  })

  it('fits a narrow screen', async function () {
    await page.setViewportSize({ width: 360, height: 740 })
    const wide = await page.evaluate(() => document.documentElement.scrollWidth)
    assert.ok(wide <= 360, `${wide} px`)
  })
})
