/** Static files of pages: fixed lists, read once, under a content security policy without exceptions. */
import { readFileSync } from 'node:fs'
import type { Hono } from 'hono'
import { LOOK_CSS } from '../../base/index.ts'

type PageFiles = Readonly<Record<string, readonly [file: URL, type: string]>>

const HTML = 'text/html; charset=utf-8'
const CSS = 'text/css; charset=utf-8'
const SCRIPT = 'text/javascript; charset=utf-8'

const web = (file: string) => new URL(`../web/${file}`, import.meta.url)

/** What every page with a handset needs. */
export const HANDSET_FILES: PageFiles = {
  '/look.css': [LOOK_CSS, CSS],
  '/phone.css': [web('phone.css'), CSS],
  '/dom.js': [web('dom.js'), SCRIPT],
  '/link.js': [web('link.js'), SCRIPT],
  '/handset.js': [web('handset.js'), SCRIPT],
  '/inbox.js': [web('inbox.js'), SCRIPT],
  '/phone.svg': [web('phone.svg'), 'image/svg+xml'],
}
const FILES: PageFiles = {
  '/': [web('index.html'), HTML],
  '/phone.js': [web('phone.js'), SCRIPT],
  '/trace.js': [web('trace.js'), SCRIPT],
  '/faults.js': [web('faults.js'), SCRIPT],
  ...HANDSET_FILES,
}

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors "
const HEADERS = {
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
}

/** In an HTML file: here the handset is put in. */
const HANDSET_HERE = '<!-- handset -->'

export const pages = (app: Hono, framedBy: string): void => servePageFiles(app, FILES, framedBy)

/** `framedBy`: which pages may show these ones within them. */
export function servePageFiles(app: Hono, files: PageFiles, framedBy = "'none'"): void {
  const headers = { ...HEADERS, 'Content-Security-Policy': `${POLICY}${framedBy}` }
  const handset = readFileSync(web('handset.html'), 'utf8')
  for (const [path, [file, type]] of Object.entries(files)) {
    const text = readFileSync(file, 'utf8').replace(HANDSET_HERE, () => handset)
    app.get(path, (c) => c.body(text, 200, { ...headers, 'Content-Type': type }))
  }
}
