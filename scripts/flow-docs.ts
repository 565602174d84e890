/** Writes the pages generated from the flow language's schema: node --import tsx scripts/flow-docs.ts */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  backendJsonSchema,
  catalogueJsonSchema,
  flowJsonSchema,
  partJsonSchema,
} from '../src/flow/language/json-schema.ts'
import { withReference } from '../src/flow/language/reference.ts'
import { packageRoot } from '../src/base/package-root.ts'

const page = join(packageRoot, 'docs/flows/REFERENCE.md')
writeFileSync(page, withReference(readFileSync(page, 'utf8')))
mkdirSync(join(packageRoot, 'schema'), { recursive: true })
for (const [name, schema] of [
  ['flow', flowJsonSchema()],
  ['part', partJsonSchema()],
  ['catalogue', catalogueJsonSchema()],
  ['backend', backendJsonSchema()],
] as const)
  writeFileSync(join(packageRoot, `schema/${name}.schema.json`), `${JSON.stringify(schema, null, 2)}\n`)
