/** The JSON Schemas that editors complete and underline by. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import { catalogueJsonSchema, flowJsonSchema, partJsonSchema } from '../../../src/flow/language/json-schema.ts'
import { readFlow } from '../../../src/flow/read/read.ts'
import { KINDS } from '../../../src/flow/screens/kinds.ts'
import { good, ROWS } from '../check/seeded-faults.ts'

const schemas = {
  flow: z.fromJSONSchema(flowJsonSchema() as never),
  part: z.fromJSONSchema(partJsonSchema() as never),
  catalogue: z.fromJSONSchema(catalogueJsonSchema() as never),
}

/** What kind of file it is; undefined: none of ours. */
function kindOf(text: string): keyof typeof schemas | undefined {
  if (/^flow: /m.test(text) && /^screens:/m.test(text)) return 'flow'
  if (/^part: /m.test(text)) return 'part'
  return /^language: /m.test(text) && /^texts:/m.test(text) ? 'catalogue' : undefined
}

/** Its screens are of a type of its own, and so is its schema: `flow schema --plugin`. */
const OF_PLUGINS = ['examples/plugins/visit.yaml']

const INSTALLED = '/opt/ussd-connector/'

const files = execFileSync('git', ['ls-files', '*.yaml'], { encoding: 'utf8' })
  .trim()
  .split('\n')
  .map((file) => ({ file, text: readFileSync(file, 'utf8') }))
  .filter(({ file, text }) => kindOf(text) && !OF_PLUGINS.includes(file) && !file.startsWith('test/tools/flow-import/'))

describe('the JSON Schema of flow files', () => {
  it('knows every kind of screen', () => {
    const titles = [...JSON.stringify(flowJsonSchema()).matchAll(/"title":"(\w+)"/g)].map((found) => found[1])
    for (const kind of KINDS) assert.ok(titles.includes(kind), kind)
  })

  it('is in force in every flow, part and catalogue of the tree, and takes it', () => {
    assert.ok(files.length >= 12)
    for (const { file, text } of files) {
      const kind = kindOf(text)!
      const [, path] = /^# yaml-language-server: \$schema=(.*)\n/.exec(text) ?? []
      assert.ok(path, `${file}: the first line is to be # yaml-language-server: $schema=…/schema/${kind}.schema.json`)
      // A file of a package names the schema where the package puts it.
      const named = path.startsWith(INSTALLED) ? path.slice(INSTALLED.length) : join(dirname(file), path)
      assert.ok(named === `schema/${kind}.schema.json` && existsSync(named), `${file} names ${named}`)
      assert.deepEqual(schemas[kind].safeParse(parse(text)).error?.issues ?? [], [], file)
    }
  })

  /**
   * What no schema can say: how two values stand to each other, names that screens are given, patterns, zones, and
   * parts in files of their own.
   */
  const BEYOND =
    /no value lies|repeats a group|is not a time zone|is listed twice|lacks a day|is searched|has one of|no keep|pattern|makes a screen|'pni'/

  it('refuses every seeded fault that is one of form, and what it takes is found by the check', () => {
    let refused = 0
    for (const [flow, from, into, says] of ROWS) {
      const text = good[flow].text.replace(from, () => into)
      const takes = schemas.flow.safeParse(parse(text)).success
      if (!takes) refused++
      let reads = true
      try {
        readFlow({ ...good[flow], text })
      } catch {
        reads = false
      }
      if (takes && !reads) assert.match(String(says), BEYOND, `${flow}: ${into}`)
      if (!takes) assert.equal(reads, false, `${flow}: ${into} is underlined, and nothing is wrong`)
    }
    assert.ok(refused >= 16, `${refused} of ${ROWS.length}`)
  })

  it('refuses an unknown key, and a screen of no kind', () => {
    const head = { flow: 'a', spec: 1, start: 'main', languages: ['en'] }
    assert.equal(schemas.flow.safeParse({ ...head, screens: { main: { end: 'x' } } }).success, true)
    assert.equal(schemas.flow.safeParse({ ...head, screens: { main: { end: 'x', exitt: true } } }).success, false)
    assert.equal(schemas.flow.safeParse({ ...head, screens: { main: {} } }).success, false)
    assert.equal(schemas.flow.safeParse({ ...head, colour: 1, screens: {} }).success, false)
  })
})
