import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { checkSource } from '../../../src/flow/check/check.ts'
import { compileFlow } from '../../../src/flow/load/compile.ts'
import { drawFlow } from '../../../src/flow/draw/mermaid.ts'
import { flowJsonSchema } from '../../../src/flow/language/json-schema.ts'
import { sourceOf } from '../../../src/flow/read/loader.ts'
import { loadScreenTypes, screenType, TERMS, type PluginType } from '../../../src/flow/read/plugin.ts'
import { proveFlow } from '../../../src/flow/explore/prove.ts'
import { openFlows } from '../../../src/flow/release/registry.ts'
import { SCREEN_TYPES } from '../../../src/flow/screens/kinds.ts'
import { parseTalks } from '../../../src/flow/talk/talk.ts'
import { describeFailure } from '../../../src/flow/talk/diff.ts'
import { playTalk } from '../../../src/flow/talk/player.ts'
import { fileOf } from '../support.ts'

const FILE = 'examples/plugins/rating.js'
const types = await loadScreenTypes([FILE])
const visit = await sourceOf('examples/plugins', 'visit')
const { z, name } = TERMS
const asking: PluginType = {
  name: 'ask',
  schema: z.strictObject({ ask: z.string().describe('What is asked.'), to: name.describe('Where it leads.') }),
  expand: (own, { ask, to }: { ask: string; to: string }) => ({ [own]: { input: ask, to } }),
}

describe('a type of screen of a plug-in', () => {
  it('is checked, walked, drawn and talked as what it becomes', async () => {
    assert.deepEqual(checkSource(visit, undefined, types), [])
    const compilation = compileFlow(visit, undefined, types)
    assert.deepEqual(
      proveFlow(compilation, () => ''),
      [],
    )
    assert.match(drawFlow(compilation.definition), /s_how --> s_why : Bad/)
    const talks = parseTalks('visit.talk', readFileSync('examples/plugins/visit.talk', 'utf8'))
    assert.ok(talks.length > 0)
    for (const talk of talks) {
      const failure = await playTalk(talk, compilation.flow)
      assert.equal(failure && describeFailure(failure), undefined)
    }
  })

  it('is told the languages of the flow, in a part too', () => {
    const each: PluginType = {
      ...asking,
      expand: (own, { to }: { to: string }, languages) => ({
        [own]: {
          menu: Object.fromEntries(languages.map((language) => [language, `In ${language}`])),
          choices: [{ label: 'Go', to }],
        },
      }),
    }
    const known = new Map([...SCREEN_TYPES, ['ask', screenType(each)]])
    const part = {
      file: 'parts/p.yaml',
      catalogues: [],
      text: 'part: p\nspec: 1\nlanguages: [en]\nscreens: { main: { ask: x, to: end } }',
    }
    const source = {
      file: 'f.yaml',
      text: fileOf(
        '  begin: { set: { n: 1 }, to: main }\n  end: { end: x }',
        'start: begin\nlanguages: [en, tpi]\ninclude: [p]',
      ),
      catalogues: [],
      parts: [part],
    }
    assert.deepEqual(compileFlow(source, undefined, known).definition.screens.main, {
      kind: 'menu',
      menu: { en: 'In en', tpi: 'In tpi' },
      choices: [{ label: { en: 'Go' }, to: 'end' }],
    })
  })

  it('is no key without the plug-in', () => {
    assert.match(
      checkSource(visit)
        .map(({ what }) => what)
        .join(),
      /screen 'how' has no kind/,
    )
  })

  it('is in the JSON Schema, with what its keys do', () => {
    assert.match(JSON.stringify(flowJsonSchema(types)), /"Asks for a rating\."/)
    assert.doesNotMatch(JSON.stringify(flowJsonSchema()), /rating/)
  })

  const lineOf = (part: string) => visit.text.split('\n').findIndex((line) => line.includes(part)) + 1
  const FAULTS: [from: string, into: string, line: string, says: RegExp][] = [
    ['as: rated', 'ass: rated', 'as: rated', /'as' is missing.*unknown key 'ass'/],
    ['worst: why', 'worst: whi', 'worst: why', /screen 'how' goes to 'whi'/],
    ['    to: send', '    to: sned', '    to: send', /screen 'how' goes to 'sned'/],
    ['tpi: Nogut }', 'en-AU: Bad }', 'of:', /no text in 'tpi'/],
    ['{ en: Good, tpi: Gutpela }', "{ en: '{vars.best}', tpi: '{vars.best}' }", 'of:', /nothing sets 'vars.best'/],
    ['[{ en: Bad, tpi: Nogut }, { en: Fair, tpi: Orait }, { en: Good, tpi: Gutpela }]', '[Bad]', 'of:', /'of': /],
    ['{vars.rated}', '{vars.rate}', 'tell:', /nothing sets 'vars.rate'/],
  ]
  for (const [from, into, line, says] of FAULTS) {
    it(`${into}: is complained of where it is written`, () => {
      assert.ok(visit.text.includes(from))
      const found = checkSource({ ...visit, text: visit.text.replace(from, into) }, undefined, types)
      assert.match(found.map(({ what }) => what).join(), says)
      const at = found.filter(({ where }) => where.includes(`visit.yaml:${lineOf(line)}:`))
      assert.ok(at.length > 0, found.map(({ where }) => where).join())
    })
  }

  it('that throws, or makes what is no screen, refuses the flow at its line', () => {
    const problems = (expand: PluginType['expand']) => {
      const all = new Map([...SCREEN_TYPES, ['ask', screenType({ ...asking, expand })]])
      const text = fileOf('  main: { ask: What?, to: bye }\n  bye: { exit: true }')
      return checkSource({ file: 'f.yaml', text, catalogues: [] }, undefined, all).map(
        ({ where, what }) => `${where} ${what}`,
      )
    }
    const fails = () => {
      throw new Error('asks nothing today')
    }
    assert.deepEqual(problems(fails), ["f.yaml:6:9 screen 'main': asks nothing today"])
    assert.deepEqual(
      problems(() => ({ other: { exit: true } })),
      ["f.yaml:6:9 screen 'main': expand must return a screen 'main', and does not"],
    )
    assert.match(problems((own) => ({ [own]: { flow: 'x', to: 'bye' } })).join(), /of no basic kind \(menu, list/)
    assert.match(problems((own) => ({ [own]: { input: 'x' } })).join(), /returns a wrong input 'main': to:/)
    assert.match(
      problems((own) => ({ [own]: { exit: true }, bye: { exit: true } })).join(),
      /call its further screens 'main-…'/,
    )
  })

  it('is served from a folder, and a revision comes back from the archive with it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'plugin-'))
    try {
      writeFileSync(join(folder, 'visit.yaml'), visit.text)
      const kept = new Map<string, string>()
      const archive = {
        put: async (revision: string, _name: string, source: string) => void kept.set(revision, source),
        get: async (revision: string) => kept.get(revision),
      }
      const { flows } = await openFlows({ folder, archive, types })
      const revision = flows.current('visit')?.revision as string
      rmSync(join(folder, 'visit.yaml'))
      const later = await openFlows({ folder, archive, types })
      assert.equal((await later.flows.pinned(revision))?.revision, revision)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('a plug-in that is none', () => {
  const WRONG: [string, PluginType, RegExp][] = [
    ['takes the key of a built-in screen', { ...asking, name: 'to' }, /'to', which is a key of a built-in screen/],
    ['has no good name', { ...asking, name: 'A B' }, /'A B', which is not a valid name/],
    ['has no key of its name', { ...asking, name: 'query' }, /a schema without the key 'query'/],
    [
      'does not say what a key does',
      { ...asking, schema: z.strictObject({ ask: z.string() }) },
      /does not say what the key 'ask' does/,
    ],
    ['makes nothing', { ...asking, expand: undefined as never }, /no function 'expand'/],
  ]
  for (const [what, plugin, says] of WRONG) it(what, () => assert.throws(() => screenType(plugin), says))

  it('is named by its absolute path', async () => {
    await assert.rejects(loadScreenTypes(['none.js']), (error: Error) => error.message.includes(resolve('none.js')))
    await assert.rejects(loadScreenTypes(['src/base/did-you-mean.ts']), /did-you-mean\.ts exports no function 'screen'/)
    await assert.rejects(loadScreenTypes([FILE, FILE]), /the type 'rating' exists already/)
  })
})
