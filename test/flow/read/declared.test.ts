import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkSource, vetFlow } from '../../../src/flow/check/check.ts'
import { compileFlow } from '../../../src/flow/load/compile.ts'
import { portable } from '../../../src/flow/release/archiving.ts'
import { sourceOf } from '../../../src/flow/read/loader.ts'
import { openApiOperations } from '../../../src/flow/read/openapi.ts'
import { readFlow } from '../../../src/flow/read/read.ts'
import { stampOf } from '../../../src/flow/read/stamp.ts'
import { fileOf } from '../support.ts'

const FLOW = fileOf(`
  main: { call: shop.offers, to: sure }
  sure: { menu: Buy?, choices: [{ label: 'Yes', to: pay }] }
  pay: { call: shop.pay, with: { id: a }, expect: { reference: text }, to: out, refused: { gone: out } }
  out: { end: 'Paid: {data.pay.reference}' }
`)
const SHOP = `
backend: shop
spec: 1
operations:
  offers: { does: reads, answers: { rows: { is: rows, max: 5, fields: { name: 10 } }, note: { is: text, optional: true } }, refusals: {} }
  pay: { does: changes, answers: { reference: { is: text, max: 8 } }, refusals: { gone: {} } }
`
const source = (backend?: string, text = FLOW) => ({
  file: 'test.yaml',
  text,
  catalogues: [],
  ...(backend === undefined ? {} : { backends: [{ file: 'backends/shop.yaml', text: backend }] }),
})
const screens = (backend?: string, text?: string) => readFlow(source(backend, text)).definition.screens
const vetted = (backend?: string, text?: string) => vetFlow(readFlow(source(backend, text))).map(({ what }) => what)

describe('what back ends say of their operations', () => {
  it('stands in for what calls do not say: once, expect, and bounds', () => {
    const { main, pay } = screens(SHOP)
    assert.ok(main?.kind === 'call' && pay?.kind === 'call')
    assert.deepEqual([main.once, pay.once], [false, true])
    assert.deepEqual(
      main.expect,
      { rows: { is: 'rows', max: 5, fields: { name: 10 } } },
      'and nothing that is optional',
    )
    assert.deepEqual(pay.expect, { reference: { is: 'text', max: 8 } })
    assert.deepEqual(vetted(SHOP), [])
  })

  it('does not replace what a call says itself', () => {
    const own = FLOW.replace('expect: { reference: text }', 'once: false, expect: { reference: { is: text, max: 4 } }')
    const { pay } = screens(SHOP, own)
    assert.ok(pay?.kind === 'call')
    assert.deepEqual([pay.once, pay.expect], [false, { reference: { is: 'text', max: 4 } }])
    assert.match(vetted(SHOP, own)[0]!, /says once: false, but backends\/shop\.yaml says that shop\.pay changes/)
  })

  it('is asked for where nobody says it, by check alone: a flow that served goes on', () => {
    assert.deepEqual(
      checkSource(source()).filter(({ severity }) => severity === 'error'),
      [],
    )
    assert.equal(vetted().filter((what) => what.includes('nothing says whether that reads or changes')).length, 2)
  })

  it('makes a revision of its own where it changes what a flow does, and none where it does not', () => {
    const revision = (backend?: string, text?: string) => compileFlow(source(backend, text)).flow.revision
    const said = FLOW.replace('with: { id: a }', 'with: { id: a }, once: false').replace(
      'shop.offers, to',
      'shop.offers, once: false, to',
    )
    assert.equal(revision(undefined, said), revision(), 'as in releases before')
    assert.notEqual(revision(SHOP), revision())
    assert.equal(revision(SHOP.replace(' refusals: {} }', ' }')), revision(SHOP))
  })

  it('is refused with its place: another name, an unknown key', () => {
    const errors = (backend: string) => checkSource(source(backend)).map(({ where, what }) => `${where} ${what}`)
    assert.match(
      errors(SHOP.replace('backend: shop', 'backend: shoop'))[0]!,
      /shop\.yaml:2:10 .*'shoop', but its file 'shop'/,
    )
    assert.match(errors(SHOP.replace('does: reads', 'dose: reads'))[0]!, /shop\.yaml:5:\d+ unknown key 'dose'/)
    assert.match(errors('backend: [')[0]!, /not valid YAML/)
  })

  describe('in a folder', () => {
    const folder = mkdtempSync(join(tmpdir(), 'ussd-declared-'))
    after(() => rmSync(folder, { recursive: true, force: true }))

    it('goes with the flows that name the back end, into the archive too, and a change is seen', async () => {
      writeFileSync(join(folder, 'test.yaml'), FLOW)
      assert.equal((await sourceOf(folder, 'test')).backends, undefined)
      const before = await stampOf(folder)
      mkdirSync(join(folder, 'backends'))
      writeFileSync(join(folder, 'backends/shop.yaml'), SHOP)
      writeFileSync(join(folder, 'backends/bank.yaml'), SHOP.replace('shop', 'bank'))
      const found = await sourceOf(folder, 'test')
      assert.deepEqual(
        found.backends?.map(({ file }) => file),
        [join(folder, 'backends/shop.yaml')],
      )
      assert.deepEqual(portable(found).backends, [{ file: 'shop.yaml', text: SHOP }])
      assert.equal(compileFlow(portable(found)).flow.revision, compileFlow(found).flow.revision)
      const after = await stampOf(folder)
      assert.notEqual(after, before)
    })
  })
})

describe('operations out of an OpenAPI document', () => {
  const answer = (schema: object) => ({ content: { 'application/json': { schema } } })
  const DOCUMENT = {
    openapi: '3.0.3',
    paths: {
      '/api/balance': {
        get: { responses: { 200: answer({ $ref: '#/components/schemas/Balance' }) } },
      },
      '/api/transfer': {
        post: {
          parameters: [{ $ref: '#/components/parameters/Key' }],
          responses: {
            200: answer({ properties: { reference: { type: 'string', maxLength: 12 } }, required: ['reference'] }),
            409: answer({
              properties: {
                refusal: { enum: ['insufficient', 'limit'] },
                data: { properties: { left: { type: 'integer', minimum: 0, maximum: 500 } }, required: ['left'] },
              },
            }),
          },
        },
      },
      '/api/statement': {
        post: {
          'x-ussd-does': 'reads',
          responses: {
            200: answer({
              properties: {
                rows: {
                  type: 'array',
                  maxItems: 5,
                  items: { properties: { what: { type: 'string', maxLength: 12 }, amount: { type: 'number' } } },
                },
              },
              required: ['rows'],
            }),
          },
        },
      },
      '/api/unsaid': { post: { responses: {} } },
    },
    components: {
      parameters: { Key: { in: 'header', name: 'Idempotency-Key' } },
      schemas: {
        Balance: {
          properties: { amount: { type: 'number', minimum: 0 }, note: { type: 'string' } },
          required: ['amount'],
        },
      },
    },
  }

  it('has what reads and what changes, answers with bounds, and refusals with their data', () => {
    assert.deepEqual(openApiOperations(DOCUMENT).operations, {
      balance: {
        does: 'reads',
        answers: { amount: { is: 'number', min: 0 }, note: { is: 'text', optional: true } },
      },
      transfer: {
        does: 'changes',
        answers: { reference: { is: 'text', max: 12 } },
        refusals: {
          insufficient: { left: { is: 'number', min: 0, max: 500 } },
          limit: { left: { is: 'number', min: 0, max: 500 } },
        },
      },
      statement: { does: 'reads', answers: { rows: { is: 'rows', max: 5, fields: { what: 12, amount: 9 } } } },
      unsaid: {},
    })
  })

  it('is read as the file of a back end', () => {
    const text = JSON.stringify({
      openapi: '3.1.0',
      paths: {
        '/offers': { get: { responses: {} } },
        '/pay': { post: { 'x-ussd-does': 'changes', responses: {} } },
      },
    })
    const { main, pay } = screens(text)
    assert.ok(main?.kind === 'call' && pay?.kind === 'call')
    assert.deepEqual([main.once, pay.once], [false, true])
  })

  it('does not follow references in a circle, and takes nonsense for nothing', () => {
    const round = { $ref: '#/components/schemas/Round' }
    const document = {
      paths: { '/a': { get: { responses: { 200: answer(round) } } }, '/b': null, '/c': { get: 'x' } },
      components: { schemas: { Round: round } },
    }
    assert.deepEqual(openApiOperations(document).operations, { a: { does: 'reads' }, c: { does: 'reads' } })
    assert.deepEqual(openApiOperations(null).operations, {})
  })
})
