import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ProblemsError } from '../../../src/base/errors.ts'
import { dialectNames, FILE_OCTETS_MAX, loadDialect, loadProfile } from '../../../src/smpp/dialect/load.ts'
import { regexFault } from '../../../src/smpp/dialect/regex.ts'
import { DIALECTS } from './support.ts'

describe('profiles from files', () => {
  let dir: string
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'dialects-'))
    for (const name of dialectNames(DIALECTS))
      writeFileSync(join(dir, `${name}.yaml`), `extends: ${join(DIALECTS, name)}.yaml\n`)
  })
  after(() => rmSync(dir, { recursive: true }))

  function problems(yaml: string): string[] {
    const file = join(dir, 'own.yaml')
    writeFileSync(file, yaml)
    try {
      loadProfile(file, dir)
    } catch (error) {
      assert.ok(error instanceof ProblemsError, String(error))
      return error.problems.map(
        ({ where, what, remedy }) => `${where.replace(file, 'own')}: ${what}${remedy ? ` (${remedy})` : ''}`,
      )
    }
    return []
  }

  it('of every dialect that is shipped are complete and say where they were seen', () => {
    for (const name of dialectNames(DIALECTS)) {
      const profile = loadProfile(name, DIALECTS)
      assert.equal(profile.name, name)
      assert.ok(profile.seen.length > 10)
      if (name !== 'standard') assert.notEqual(profile.seen, loadProfile('standard', DIALECTS).seen, name)
    }
  })

  it('are found by name or by path, and may extend one another', () => {
    assert.equal(loadDialect('mica', DIALECTS).name, 'mica')
    assert.equal(loadDialect(join(DIALECTS, 'mica.yaml'), '/nowhere').name, 'mica')
    assert.deepEqual(problems('name: own\nextends: mica\noutbound: { registeredDelivery: 1 }\n'), [])
  })

  it("are looked for in the operator's folder first, where one may extend the shipped one of its own name", () => {
    const own = mkdtempSync(join(dir, 'own-'))
    writeFileSync(join(own, 'mica.yaml'), 'extends: mica\noutbound: { registeredDelivery: 1 }\n')
    assert.equal(loadProfile('mica', [own, DIALECTS]).outbound.registeredDelivery, 1)
    assert.equal(loadProfile('sixdee', [own, DIALECTS]).name, 'sixdee')
    assert.throws(() => loadProfile('mica', own), /circle/)
    assert.throws(() => loadProfile('missing', [own, DIALECTS]), /no dialect 'missing' \(known: mica, babilon/)
  })

  it('change one key of a mapping and keep the rest; a null takes a key away', () => {
    writeFileSync(
      join(dir, 'own.yaml'),
      'name: own\nextends: standard\ninbound: { text: { byDcs: { 0x21: utf8, 0x11: null } } }\n',
    )
    const { byDcs } = loadProfile('own', dir).inbound.text
    assert.deepEqual([byDcs['33'], byDcs['17'], byDcs['8']], ['utf8', undefined, 'ucs2be'])
  })

  it('put a place in the stead of another; the end bit, which has a parameter and more, is merged', () => {
    writeFileSync(
      join(dir, 'own.yaml'),
      `name: own\nextends: standard\ninbound:
  op: { from: { field: service_type }, decode: hexString }\n  endBit: { tlv: 0x1702 }\n`,
    )
    const { op, endBit } = loadProfile('own', dir).inbound
    assert.deepEqual([op.from?.tlv, op.from?.field], [undefined, 'service_type'])
    assert.deepEqual(endBit, { use: 'honour', tlv: 0x1702, octet: 1, bit: 0 })
  })

  const table: [string, string, RegExp[]][] = [
    [
      'an unknown key',
      'name: own\nextends: standard\noutbound:\n  registerdDelivery: 1\n',
      [/^own:4:3: unknown key outbound\.registerdDelivery \(did you mean 'registeredDelivery'\?\)$/],
    ],
    [
      'an unknown word',
      'name: own\nextends: standard\noutbound:\n  session: { mode: ecko }\n',
      [/^own:4:14: outbound\.session\.mode must be one of echo, .* \(did you mean 'echo'\?\)$/],
    ],
    [
      'a number as a text',
      'name: own\nextends: standard\noutbound:\n  esmClass: "2"\n',
      [/^own:4:3: outbound\.esmClass must be number$/],
    ],
    [
      'a number too large',
      'name: own\nextends: standard\noutbound:\n  esmClass: 0x100\n',
      [/^own:4:3: outbound\.esmClass is over 255$/],
    ],
    ['no name', 'extends: standard\nname: null\n', [/: name is missing/]],
    ['a name with blanks', 'name: My operator\nextends: standard\n', [/^own:1:1: name must be small letters/]],
    [
      'two places at once',
      'name: own\nextends: standard\ninbound:\n  session:\n    from:\n      - { tlv: 1, field: source_addr }\n',
      [/^own:6:9: inbound\.session\.from\.0 must be exactly one of tlv, field, envelope, const$/],
    ],
    [
      'a slow expression',
      'name: own\nextends: standard\ninbound:\n  classify:\n    - when: { textRe: "(a+)+$" }\n      is: begin\n',
      [/^own:5:15: inbound\.classify\.0\.when\.textRe repeats a group/],
    ],
    [
      'nothing that begins',
      'name: own\nextends: standard\ninbound:\n  classify: [{ when: {}, is: input }]\n',
      [/^own:4:3: inbound\.classify: no message could ever be a begin|^own:4:3: no message could ever be a begin/],
    ],
    [
      'an envelope without its form',
      'name: own\nextends: standard\ninbound: { text: { unwrap: comviva } }\n',
      [/the envelope has no form/],
    ],
    [
      'no number where one is needed',
      'name: own\nextends: standard\ninbound: { session: { from: [], fallback: none } }\n',
      [/we would refuse every PDU/],
    ],
    [
      'an action that stands for one that stands for one',
      'name: own\nextends: standard\noutbound: { actions: { abort: { as: end }, end: { as: notify } } }\n',
      [/'end' refers to 'notify', which refers to another one/],
    ],
    [
      'hex that is none',
      'name: own\nextends: standard\noutbound: { actions: { end: { tlvs: [{ tag: 1, hex: "4" }] } } }\n',
      [/pairs of hex digits/],
    ],
    ['a key twice', 'name: own\nname: again\n', [/^own:2:1: Map keys must be unique/]],
    ['broken YAML', 'name: [own\n', [/^own:\d+:\d+: /]],
    ['no mapping', '- standard\n', [/must be a mapping/]],
    ['an empty file', '', [/must be a mapping/]],
    ['aliases', 'name: own\nextends: standard\nnotes: &a [x]\nseen: *a\n', [/write the values out instead of aliases/]],
    [
      'a dialect that there is not',
      'name: own\nextends: standrd\n',
      [/^own:2:1: there is no dialect 'standrd' \(did you mean 'standard'\? known: .*standard/],
    ],
  ]
  for (const [what, yaml, wanted] of table) {
    it(`say it at its line: ${what}`, () => {
      const said = problems(yaml)
      assert.equal(said.length, wanted.length, said.join('\n'))
      for (const [i, expression] of wanted.entries()) assert.match(said[i] as string, expression)
    })
  }

  it('say all that is wrong at once, each in its file', () => {
    const said = problems('name: own\nextends: standard\noutbound: { esmClass: 999, pdu: deliver_sm }\nlimit: {}\n')
    assert.equal(said.length, 3, said.join('\n'))
    assert.ok(said.some((it) => it.includes("unknown key limit (did you mean 'limits'?)")))
  })

  it('never extend in a circle, nor too deep', () => {
    writeFileSync(join(dir, 'a.yaml'), 'extends: b\n')
    writeFileSync(join(dir, 'b.yaml'), 'extends: a\n')
    assert.throws(() => loadProfile('a', dir), /circle/)
    for (let i = 0; i < 6; i++) writeFileSync(join(dir, `deep${i}.yaml`), `extends: deep${i + 1}\n`)
    assert.throws(() => loadProfile('deep0', dir), /too deep/)
  })

  it('are small', () => {
    writeFileSync(join(dir, 'big.yaml'), `# ${'x'.repeat(FILE_OCTETS_MAX)}\n`)
    assert.throws(() => loadProfile('big', dir), /larger than/)
  })

  it('cannot reach the prototype of objects', () => {
    assert.match(problems('name: own\nextends: standard\n__proto__: { polluted: 1 }\n').join(), /unknown key/)
    assert.equal(({} as Record<string, unknown>).polluted, undefined)
  })
})

describe('expressions in profiles', () => {
  it('are taken when they are plain', () => {
    for (const source of ['^\\*\\d+#', '^[BCEA]', '^(?:abc|de)?f$', 'a{2}b', '\\*[0-9*]+#$'])
      assert.equal(regexFault(source), null, source)
  })

  it('are refused when they could be slow', () => {
    for (const source of [
      '(a+)+',
      '(a|a)*',
      '(?:x{1,9}){2,}',
      'a*b*c*',
      '(?=a)',
      '(?<!a)b',
      '(a)\\1',
      '(?<n>a)\\k<n>',
      '[',
      'a'.repeat(101),
    ]) {
      assert.notEqual(regexFault(source), null, source)
    }
  })
})
