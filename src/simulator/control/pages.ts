/** The static files of the web phone: a fixed list, read once, under a content security policy without exceptions. */
import { readFileSync } from 'node:fs'
import type { Hono } from 'hono'

const FILES: Record<string, [file: string, type: string]> = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/phone.css': ['phone.css', 'text/css; charset=utf-8'],
  '/phone.js': ['phone.js', 'text/javascript; charset=utf-8'],
  '/dom.js': ['dom.js', 'text/javascript; charset=utf-8'],
  '/link.js': ['link.js', 'text/javascript; charset=utf-8'],
  '/trace.js': ['trace.js', 'text/javascript; charset=utf-8'],
  '/faults.js': ['faults.js', 'text/javascript; charset=utf-8'],
  '/phone.svg': ['phone.svg', 'image/svg+xml'],
}

const HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
}

export function pages(app: Hono): void {
  for (const [path, [file, type]] of Object.entries(FILES)) {
    const content = readFileSync(new URL(`../web/${file}`, import.meta.url))
    app.get(path, (c) => c.body(new Uint8Array(content), 200, { ...HEADERS, 'Content-Type': type }))
  }
}
