import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { checkSource } from '../../../src/flow/check/check.ts'
import { compileFlow, type Compilation } from '../../../src/flow/load/compile.ts'
import {
  backendJsonSchema,
  catalogueJsonSchema,
  flowJsonSchema,
  partJsonSchema,
} from '../../../src/flow/language/json-schema.ts'
import { KINDS, SCREENS } from '../../../src/flow/screens/kinds.ts'
import { withReference } from '../../../src/flow/language/reference.ts'
import { parseTalks } from '../../../src/flow/talk/talk.ts'
import { describeFailure } from '../../../src/flow/talk/diff.ts'
import { playTalk } from '../../../src/flow/talk/player.ts'

const reference = readFileSync('docs/flows/REFERENCE.md', 'utf8')
const read = (name: string) => readFileSync(`docs/flows/${name}.md`, 'utf8')
const page = [read('TUTORIAL'), reference, read('COOKBOOK')].join('\n')
const blocks = (kind: string) =>
  [...page.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)].flatMap(([, of, text]) => (of === kind ? [text as string] : []))
const nameOf = (text: string) => /^flow:? (\S+)/m.exec(text)?.[1] as string
const catalogues = blocks('yaml catalogue').map((text) => ({ file: 'hello.tpi.yaml', text }))
const flows = new Map(blocks('yaml').map((text) => [nameOf(text), text]))
const parts = blocks('yaml part').map((text) => ({
  file: `parts/${/^part: (.*)$/m.exec(text)?.[1]}.yaml`,
  text,
  catalogues: [],
}))
const compiled = (name: string): Compilation =>
  compileFlow({ file: `${name}.yaml`, text: flows.get(name) as string, catalogues: [], parts })

describe('the pages about flows', () => {
  it('has the reference as the schema is now: node --import tsx scripts/flow-docs.ts', () => {
    assert.equal(reference, withReference(reference))
  })

  it('refuses a document without a place for it', () => {
    assert.throws(() => withReference('# Flows'), /no lines/)
  })

  it('says of every key of every screen what it does', () => {
    for (const kind of KINDS)
      for (const [key, schema] of Object.entries(SCREENS[kind].shape)) assert.ok(schema.description, `${kind}.${key}`)
  })

  for (const name of flows.keys()) {
    it(`has an example '${name}' without an error or a warning`, () => {
      const found = checkSource({ file: name, text: flows.get(name) as string, catalogues: [], parts })
      assert.deepEqual(
        found.filter(({ accepted }) => accepted === undefined),
        [],
      )
    })
  }

  it('has a catalogue that the example takes', () => {
    const text = (flows.get('hello') as string).replace('{ en: Good morning., tpi: Moning. }', 'Good morning.')
    const found = checkSource({ file: 'hello', text, catalogues })
    assert.deepEqual(
      found.map(({ what }) => what),
      ["review of 'tpi': needed from a native speaker"],
    )
  })

  it('has talks that go as written', async () => {
    const talks = blocks('talk').flatMap((text) => parseTalks('page', text))
    assert.ok(talks.length >= 2)
    for (const talk of talks) {
      const failure = await playTalk(talk, compiled(talk.flow).flow)
      assert.equal(failure && describeFailure(failure), undefined)
    }
  })
})

describe('the JSON Schema files', () => {
  for (const [name, schema] of [
    ['flow', flowJsonSchema()],
    ['part', partJsonSchema()],
    ['catalogue', catalogueJsonSchema()],
    ['backend', backendJsonSchema()],
  ] as const) {
    it(`schema/${name}.schema.json is up to date: node --import tsx scripts/flow-docs.ts`, () => {
      assert.deepEqual(
        JSON.parse(readFileSync(`schema/${name}.schema.json`, 'utf8')),
        JSON.parse(JSON.stringify(schema)),
      )
    })
  }
})
