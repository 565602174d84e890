import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { z } from 'zod'
import { compileFlow } from '../../src/flow/compile.ts'
import { KINDS } from '../../src/flow/schema.ts'
import { drawFlow } from '../../src/flow/draw.ts'
import { catalogueJsonSchema, flowJsonSchema } from '../../src/flow/json-schema.ts'
import { sourceOf } from '../../src/flow/loader.ts'
import { flowOf } from './support.ts'

describe('a drawing of a flow', () => {
  it('has every screen and every way', () => {
    const { definition } = flowOf(`
  main: { menu: 'Hi: "{msisdn}"', choices: [{ label: Go; on, to: call }], back: end }
  call: { call: w.x, once: true, to: end, refused: { gone: main } }
  end: { exit: true }
`)
    assert.equal(drawFlow(definition), `stateDiagram-v2
  [*] --> s_main
  state "main - Hi - 'msisdn'" as s_main
  s_main --> s_call : Go, on
  s_main --> s_end : back
  state "call - w.x (once)" as s_call
  s_call --> s_main : refused gone
  s_call --> s_end
  state "end - exit" as s_end
  s_end --> [*]
`)
  })

  it('names only states that it has', async () => {
    const text = drawFlow(compileFlow(await sourceOf('flows', 'dental')).definition)
    const states = new Set([...text.matchAll(/ as (\w+)$/gm)].map((found) => found[1]))
    for (const [, from, to] of text.matchAll(/^ {2}(\w+) --> (\w+)/gm)) assert.ok(states.has(from) && states.has(to), `${from} ${to}`)
  })
})

describe('the JSON Schema of flow files', () => {
  const schema = z.fromJSONSchema(flowJsonSchema() as never)
  const catalogue = z.fromJSONSchema(catalogueJsonSchema() as never)

  it('knows every kind of screen', () => {
    const titles = [...JSON.stringify(flowJsonSchema()).matchAll(/"title":"(\w+)"/g)].map((found) => found[1])
    for (const kind of KINDS) assert.ok(titles.includes(kind), kind)
  })

  for (const file of readdirSync('flows').filter((name) => name.endsWith('.yaml'))) {
    it(`accepts ${file}`, () => {
      const value: unknown = parse(readFileSync(`flows/${file}`, 'utf8'))
      const parsed = (/\.\w+\.yaml$/.test(file) ? catalogue : schema).safeParse(value)
      assert.deepEqual(parsed.error?.issues ?? [], [])
    })
  }

  it('refuses an unknown key, and a screen of no kind', () => {
    const head = { flow: 'a', spec: 1, start: 'main', languages: ['en'] }
    assert.equal(schema.safeParse({ ...head, screens: { main: { end: 'x' } } }).success, true)
    assert.equal(schema.safeParse({ ...head, screens: { main: { end: 'x', exitt: true } } }).success, false)
    assert.equal(schema.safeParse({ ...head, screens: { main: {} } }).success, false)
    assert.equal(schema.safeParse({ ...head, colour: 1, screens: {} }).success, false)
  })
})
