/** Writes the pages generated from the source: node --import tsx scripts/reference-docs.ts (or `npm run docs`) */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../src/base/package-root.ts'
import { unexplained } from './reference/log-events.ts'
import { referencePages } from './reference/pages.ts'

mkdirSync(join(packageRoot, 'docs/reference'), { recursive: true })
for (const [file, text] of Object.entries(await referencePages())) writeFileSync(join(packageRoot, file), text)

const { events, meanings } = unexplained()
for (const message of events) console.error(`scripts/reference/log-meanings.ts does not explain '${message}'`)
for (const message of meanings)
  console.error(`scripts/reference/log-meanings.ts explains '${message}', which is no event`)
