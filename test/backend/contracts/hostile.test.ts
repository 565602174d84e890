import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Nonsense } from '../../../src/backend/body.ts'
import { loadKit, readAnswer } from '../../../src/backend/contracts/kit.ts'
import { contractNames, loadContract } from '../../../src/backend/contracts/load.ts'
import { attribute, parseXml } from '../../../src/backend/contracts/xml.ts'
import type { Asked } from '../../../src/backend/contracts/types.ts'

const asked: Asked = {
  epoch: 'e',
  msisdn: '67570000001',
  line: 'l',
  network: 'n',
  language: 'en',
  intention: 'e:1:0',
  nowMs: 0,
  serviceCode: '*1#',
  dialled: '*1#',
  text: '',
  input: '',
  sequence: 1,
  state: {},
}

/** A body with octets changed, lost or put in. */
const mutated = (body: string) =>
  fc
    .array(fc.tuple(fc.nat(body.length), fc.nat(3), fc.string({ maxLength: 3 })), { minLength: 1, maxLength: 6 })
    .map((changes) => changes.reduce((text, [at, cut, put]) => text.slice(0, at) + put + text.slice(at + cut), body))

describe('an application that says anything', () => {
  for (const name of contractNames()) {
    it(`in ${name} is understood or refused, and nothing else happens`, () => {
      const contract = loadContract(name)
      const answer = readAnswer(
        loadKit(name)?.turns[0]?.reply ?? '200\n\n{"content":"Hi","channel_data":{"session_event":"close"}}',
      )
      fc.assert(
        fc.property(fc.oneof(mutated(answer.body), fc.json(), fc.string()), (body) => {
          try {
            const said = contract.understand({ ...answer, body }, asked)
            assert.equal(typeof said.text, 'string')
            assert.equal(typeof said.end, 'boolean')
            assert.doesNotThrow(() => JSON.stringify(said.state))
          } catch (error) {
            assert.ok(error instanceof Nonsense, String(error))
            assert.doesNotMatch(error.message, /Welcome/)
          }
        }),
        { numRuns: 150 },
      )
    })
  }
})

describe('XML', () => {
  it('gives back any text that an attribute was made of', () => {
    const text = fc
      .string({ unit: 'binary' })
      .map((it) => it.replace(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Cs}/gu, ''))
    fc.assert(
      fc.property(text, (it) => {
        const read = parseXml(`<?xml version="1.0"?>\n<!-- x --><a b="${attribute(it)}"><c/>t&#x41;&amp;</a>`)
        assert.equal(read.attributes.b, it)
        assert.deepEqual([read.children.map((child) => child.name), read.text], [['c'], 'tA&'])
      }),
    )
  })

  it('takes nothing that can grow, reach out, or be read in two ways', () => {
    for (const source of [
      '',
      'x',
      '<a',
      '<a>',
      '<a></b>',
      '<a/><b/>',
      '<a b=c/>',
      '<a b="1" b="2"/>',
      '<a b="<"/>',
      '<a>&b;</a>',
      '<a>&amp</a>',
      '<a>&#0;</a>',
      '<a>&#xd800;</a>',
      '<a>&#9999999;</a>',
      '<!DOCTYPE a><a/>',
      '<a><![CDATA[x]]></a>',
      '<a><?php x?></a>',
      '<a b="1"c="2"/>',
      '<a><!-- -- --></a>',
      '<a>'.repeat(30) + '</a>'.repeat(30),
      `<a>${'<b/>'.repeat(600)}</a>`,
    ])
      assert.throws(() => parseXml(source), Nonsense, source.slice(0, 60))
  })
})
