import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Nonsense } from '../../../src/backend/body.ts'
import { parseContract } from '../../../src/backend/contracts/load.ts'
import { contractProfile } from '../../../src/backend/contracts/profile.ts'
import { readReply } from '../../../src/backend/contracts/reply.ts'
import { parseXml } from '../../../src/backend/contracts/xml.ts'
import { fromXml, toXml } from '../../../src/backend/contracts/xml-tree.ts'
import { readResponse, writeCall } from '../../../src/backend/contracts/xmlrpc.ts'
import type { Json, JsonObject } from '../../../src/ussd/vocabulary.ts'

describe('XML as a tree', () => {
  const read = (source: string) => fromXml(parseXml(source))

  it('has attributes, children, lists and texts', () => {
    assert.deepEqual(read('<a>x</a>'), 'x')
    assert.deepEqual(read('<a/>'), '')
    assert.deepEqual(read('<a b="1">x</a>'), { '@b': '1', '#text': 'x' })
    assert.deepEqual(read('<a>\n  <b>1</b>\n  <b c="2"/>\n  <d/>\n</a>'), { b: ['1', { '@c': '2' }], d: '' })
    assert.deepEqual(
      read('<a>one<br/>two<br />&lt;3 R&D, A&B; & AT&T</a>'.replace('A&B;', 'A&amp;B')),
      'one\ntwo\n<3 R&D, A&B & AT&T',
    )
  })

  it("gives an object no prototype of somebody else's", () => {
    const tree = read('<a><__proto__>x</__proto__><constructor>y</constructor></a>') as JsonObject
    assert.deepEqual(Object.entries(tree), [
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ])
    assert.equal(Object.getPrototypeOf(tree), Object.prototype)
  })

  it('is the same again after it was written', () => {
    const name = fc.stringMatching(/^[A-Za-z_][\w.-]{0,8}$/)
    const text = fc
      .string({ unit: 'binary' })
      .map((it) => it.replace(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Cs}/gu, '').trim())
    const flat = fc.dictionary(name, text, { minKeys: 1, maxKeys: 4 }).map((it) => ({ ...it }))
    fc.assert(
      fc.property(name, flat, text, fc.array(flat, { minLength: 2, maxLength: 3 }), (root, leaves, attribute, list) => {
        const tree: JsonObject = { ...leaves, '@at': attribute, list: list as Json[] }
        if (Object.hasOwn(leaves, 'br')) return
        if (list.some((it) => Object.hasOwn(it, 'br'))) return
        assert.deepEqual(JSON.parse(JSON.stringify(read(toXml({ [root]: tree })))), JSON.parse(JSON.stringify(tree)))
      }),
      { numRuns: 300 },
    )
  })

  it('keeps what a subscriber types a text, whatever it is', () => {
    const typed = '</data><evil a="1">&x;\r\n"\''
    assert.equal((read(toXml({ page: { data: typed } })) as JsonObject).data, typed)
    assert.equal((read(toXml({ page: { '@data': typed } })) as JsonObject)['@data'], typed)
  })
})

describe('XML-RPC', () => {
  it('writes one struct, and reads back what any value may be', () => {
    const fields = {
      text: 'a<b',
      whole: 7,
      part: 1.5,
      yes: true,
      no: false,
      nothing: null,
      list: ['x', 1, []],
      in: { deep: 'y' },
    }
    const call = writeCall('USSD.INIT', fields)
    assert.match(
      call,
      /^<\?xml version="1\.0" encoding="UTF-8"\?><methodCall><methodName>USSD\.INIT<\/methodName><params><param><value><struct>/,
    )
    assert.deepEqual(readResponse(call.replace(/methodCall>/g, 'methodResponse>')), fields)
    assert.equal(
      readResponse('<methodResponse><params><param><value>plain</value></param></params></methodResponse>'),
      'plain',
    )
  })

  it('takes a fault, and what is no response, for no answer', () => {
    for (const source of [
      '<methodResponse><fault><value/></fault></methodResponse>',
      '<methodResponse><params/></methodResponse>',
      '<html/>',
      '',
    ]) {
      assert.throws(() => readResponse(source), Nonsense, source)
    }
  })
})

describe('a reply with rows', () => {
  const rules = (more: object) =>
    contractProfile.parse({
      name: 'x',
      seen: 'x',
      ask: { format: 'json' },
      reply: {
        as: 'json',
        continue: { has: 'rows' },
        end: { has: 'text' },
        ...more,
      },
    }).reply
  const say = (body: unknown, more: object = {}) =>
    readReply(rules({ text: ['text', { rows: 'rows', line: '{key}) {name}' }], ...more }), {
      status: 200,
      headers: {},
      body: JSON.stringify(body),
    })

  it('shows none, one and a thousand of them, a line each, and none of a row without its values', () => {
    assert.deepEqual(say({ text: 'Hi', rows: [] }), { text: 'Hi', end: true, state: {} })
    assert.equal(say({ text: 'Hi', rows: { key: 1, name: 'One' } }).text, 'Hi\n1) One')
    assert.equal(
      say({
        rows: [
          { key: 0, name: 'Nought' },
          { key: 2 },
          { name: 'Three' },
          null,
          'x',
          { key: 4, name: '' },
          { key: 5, name: 'Five' },
        ],
      }).text,
      '0) Nought\n5) Five',
    )
    assert.equal(
      say({ rows: Array.from({ length: 1_000 }, (_, key) => ({ key, name: 'x' })) }).text.split('\n').length,
      1_000,
    )
  })

  it('remembers what each answer leads to', () => {
    const state = { pages: { rows: 'rows', key: 'key', value: 'to.page' } }
    assert.deepEqual(
      say(
        {
          rows: [
            { key: 1, to: { page: 'a' } },
            { key: '*', to: {} },
          ],
        },
        { text: 'text', state },
      ).state,
      { pages: { 1: 'a', '*': '' } },
    )
    assert.deepEqual(say({ text: 'x' }, { text: 'text', state }).state, { pages: {} })
  })

  it('takes a name for that of each item, and a number for one of them', () => {
    const body = { rows: [{ name: 'a' }, {}, { name: 'b' }] }
    assert.equal(say(body, { text: 'rows.name' }).text, 'a\nb')
    assert.equal(say(body, { text: 'rows.-1.name' }).text, 'b')
  })
})

describe('a profile that speaks XML', () => {
  const parse = (ask: string, rest = '') =>
    parseContract(
      `name: x\nseen: x\nask: ${ask}\nreply: { as: xml, text: a.b, continue: { has: a.c }, end: { has: a.b } }\n${rest}`,
      'x.yaml',
    )

  it('is one element, with names that XML knows', () => {
    assert.ok(parse('{ format: xml, fields: { a: { "@b": "1", "#text": "{input}" } } }'))
    assert.ok(parse('{ format: xml }', 'begin: { fields: { a: "1" } }\nanswer: { fields: { b: "1" } }\n'))
    assert.throws(() => parse('{ format: xml, fields: { a: "1", b: "2" } }'), /must have one field/)
    assert.throws(
      () => parse('{ format: xml, fields: { a: "1" } }', 'begin: { fields: { b: "1" } }\n'),
      /'begin' must have one field/,
    )
    assert.throws(
      () => parse('{ format: xml, fields: { a: { "b c": "1" } } }'),
      /has 'b c', which is not a name in XML/,
    )
    assert.throws(
      () => parse('{ format: xml, fields: { a: "1" } }', 'close: { fields: {} }\n'),
      /'close' must have one field/,
    )
  })

  it('says what XML-RPC calls', () => {
    assert.ok(parse('{ format: xmlrpc, procedure: A.b }'))
    assert.throws(() => parse('{ format: xmlrpc }', 'begin: { procedure: A.b }\n'), /'answer' needs procedure:/)
  })

  it('says of a row what is shown of it', () => {
    assert.throws(
      () =>
        parseContract(
          'name: x\nseen: x\nask: { format: json }\nreply: { as: json, text: [{ rows: a, line: none }], continue: { has: a }, end: { has: b } }\n',
          'x.yaml',
        ),
      /text/,
    )
  })
})
