/** Two daemons, two open pages: one daemon is killed. Its page says so, and goes on when it is back; the other's goes on. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { tokenHash } from '../../../src/admin/access.ts'
import { chromiumOrSkip } from '../../support/chromium.ts'
import { stageDaemon, type Staged } from '../../support/daemon.ts'
import { bound } from '../../support/process.ts'
import { ProcessStage } from '../../support/process-stage.ts'
import { describeWith, freePort } from '../../support/services.ts'

const TOKEN = 'reading-token-of-a-test'

describeWith(['redis', 'postgres'], 'the desk of a daemon that is killed', function () {
  this.timeout(150_000)
  let browser: Browser
  let stage: ProcessStage
  let other: Staged
  let port = 0

  before(async function () {
    browser = await chromiumOrSkip(this)
    port = await freePort()
    const tokens = () => join(stage.stage.data, 'tokens')
    stage = new ProcessStage((settings) => {
      settings.instance = 'a'
      settings.admin.port = port
      settings.admin.tokensFile = tokens()
    })
    writeFileSync(tokens(), `read:${tokenHash(TOKEN).toString('hex')} wall\n`, { mode: 0o600 })
    await stage.open()
    await stage.startBound()
    other = await stageDaemon({
      smscPort: stage.smsc.port,
      with: stage.stage,
      change: (settings) => {
        settings.instance = 'b'
        settings.admin.tokensFile = tokens()
      },
    })
  })
  after(async () => {
    await browser?.close()
    await other?.close()
    await stage?.close()
  })

  async function opened(at: number): Promise<Page> {
    const context = await browser.newContext()
    const page = await context.newPage()
    await page.goto(`http://127.0.0.1:${at}/desk`)
    await page.fill('input[name=token]', TOKEN)
    await page.keyboard.press('Enter')
    await page.locator('h1', { hasText: 'Overview' }).waitFor()
    return page
  }

  it('says that it is not live; the page of the other goes on and names the one that is gone', async () => {
    const [mine, others] = [await opened(port), await opened(other.daemon.admin.port)]
    const row = (page: Page, name: string) =>
      page.locator('[data-live=daemons] tr', { has: page.getByText(name, { exact: true }) })
    await row(others, 'a').locator('.badge.good').waitFor({ timeout: 30_000 })
    await row(mine, 'b').locator('.badge.good').waitFor({ timeout: 30_000 })
    assert.ok(await mine.locator('#stale').isHidden())
    await stage.kill()
    await mine.locator('#stale').waitFor({ timeout: 20_000 })
    assert.match(await mine.locator('#stale').innerText(), /Not live: the connection is lost/)
    await row(others, 'a').locator('.badge.bad', { hasText: 'gone' }).waitFor({ timeout: 40_000 })
    assert.ok(await others.locator('#stale').isHidden())
    assert.match(await others.locator('[data-live=wrong]').innerText(), /a was last seen/)
    stage.start()
    await bound(stage.daemon, stage.smsc, 2)
    await mine.locator('#stale').waitFor({ state: 'hidden', timeout: 40_000 })
    await row(others, 'a').locator('.badge.good').waitFor({ timeout: 40_000 })
  })
})
