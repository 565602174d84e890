/** Static files of pages: fixed lists, read once, under a content security policy without exceptions. */
import { readFileSync } from 'node:fs'
import type { Hono } from 'hono'

type PageFiles = Readonly<Record<string, readonly [file: URL, type: string]>>

const HTML = 'text/html; charset=utf-8'
const CSS = 'text/css; charset=utf-8'
const SCRIPT = 'text/javascript; charset=utf-8'

const web = (file: string) => new URL(`../web/${file}`, import.meta.url)

/** What every page with a handset needs. */
export const HANDSET_FILES: PageFiles = {
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

const HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
}

/** In an HTML file: here the handset is put in. */
const HANDSET_HERE = '<!-- handset -->'

export const pages = (app: Hono): void => servePageFiles(app, FILES)

export function servePageFiles(app: Hono, files: PageFiles): void {
  const handset = readFileSync(web('handset.html'), 'utf8')
  for (const [path, [file, type]] of Object.entries(files)) {
    const text = readFileSync(file, 'utf8').replace(HANDSET_HERE, () => handset)
    app.get(path, (c) => c.body(text, 200, { ...HEADERS, 'Content-Type': type }))
  }
}
