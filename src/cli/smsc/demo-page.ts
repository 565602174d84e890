/** The page that the demo opens on: the phone and the desk side by side, and traffic on request. */
import { readFileSync } from 'node:fs'
import type { Hono } from 'hono'
import { LOOK_CSS } from '../../base/index.ts'
import type { DemoTraffic } from './demo-traffic.ts'

export interface DemoPageDeps {
  traffic: DemoTraffic
  /** Where the desk is; undefined: the daemon starts. */
  desk(): string | undefined
}

const web = (file: string) => new URL(`web/${file}`, import.meta.url)
const HERE = '/demo'

export function demoPage(app: Hono, { traffic, desk }: DemoPageDeps): void {
  const files: Record<string, [URL, string]> = {
    [`${HERE}/look.css`]: [LOOK_CSS, 'text/css; charset=utf-8'],
    [`${HERE}/demo.css`]: [web('demo.css'), 'text/css; charset=utf-8'],
    [`${HERE}/demo.js`]: [web('demo.js'), 'text/javascript; charset=utf-8'],
  }
  for (const [path, [file, type]] of Object.entries(files)) {
    const text = readFileSync(file, 'utf8')
    app.get(path, (c) => c.body(text, 200, { 'Content-Type': type }))
  }
  const page = readFileSync(web('demo.html'), 'utf8')
  app.get(HERE, (c) => {
    const policy = `default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'`
    const frames = `frame-src 'self' ${desk() ? new URL(desk()!).origin : ''}; frame-ancestors 'none'`
    return c.html(page.replaceAll('DESK', desk() ?? 'about:blank'), 200, {
      'Content-Security-Policy': `${policy}; ${frames}`,
    })
  })
  app.get(`${HERE}/state`, (c) => c.json({ ready: desk() !== undefined, trafficUntilMs: traffic.untilMs() }))
  app.post(`${HERE}/traffic`, (c) => {
    traffic.begin()
    return c.json({ trafficUntilMs: traffic.untilMs() })
  })
}
