/** The files of the desk that are the same for everybody: style, script, icon. Nothing secret is in them. */
import { readFileSync } from 'node:fs'
import type { Hono } from 'hono'
import { LOOK_CSS } from '../base/index.ts'
import type { Entered } from './way-in.ts'

const web = (file: string) => new URL(`web/${file}`, import.meta.url)

const FILES: Readonly<Record<string, readonly [file: URL, type: string]>> = {
  'look.css': [LOOK_CSS, 'text/css; charset=utf-8'],
  'desk.css': [web('desk.css'), 'text/css; charset=utf-8'],
  'desk.js': [web('desk.js'), 'text/javascript; charset=utf-8'],
  'desk.svg': [web('desk.svg'), 'image/svg+xml'],
}

export function deskFiles(app: Hono<Entered>): void {
  for (const [name, [file, type]] of Object.entries(FILES)) {
    const text = readFileSync(file, 'utf8')
    app.get(`/files/${name}`, (c) => c.body(text, 200, { 'content-type': type, 'cache-control': 'no-cache' }))
  }
}
