/** Chromium, for tests of pages. A machine without it skips them, and says so. */
import { existsSync } from 'node:fs'
import { type Browser, chromium, type Page } from 'playwright-core'

export const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
export const CHROMIUM_FLAGS: readonly string[] = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** In a `before`. Skips the suite if there is no browser. */
export async function chromiumOrSkip(suite: Mocha.Context): Promise<Browser> {
  if (!CHROMIUM) {
    process.stdout.write('No Chromium on this machine: the page is not driven.\n')
    suite.skip()
  }
  return chromium.launch({ executablePath: CHROMIUM!, args: [...CHROMIUM_FLAGS] })
}

/** What the page complains about, from now on. */
export function complaintsOf(page: Page): string[] {
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
  return complaints
}
