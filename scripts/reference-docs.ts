/** Writes the pages that are read off the source: node --import tsx scripts/reference-docs.ts (or `npm run docs`) */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../src/base/package-root.ts'
import { referencePages } from './reference/pages.ts'

mkdirSync(join(packageRoot, 'docs/reference'), { recursive: true })
for (const [file, text] of Object.entries(await referencePages())) writeFileSync(join(packageRoot, file), text)
