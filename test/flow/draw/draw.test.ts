import assert from 'node:assert/strict'
import { createMachine } from 'xstate'
import { getAdjacencyMap } from 'xstate/graph'
import { compileFlow } from '../../../src/flow/load/compile.ts'
import { targetsOf } from '../../../src/flow/language/definition.ts'
import { drawFlow } from '../../../src/flow/draw/mermaid.ts'
import { sourceOf } from '../../../src/flow/read/loader.ts'
import { svgOf } from '../../../src/flow/draw/svg.ts'
import { xstateJson } from '../../../src/flow/draw/xstate-json.ts'
import { flowOf } from '../support.ts'

describe('a drawing of a flow', () => {
  it('has every screen and every way', () => {
    const { definition } = flowOf(`
  main: { menu: 'Hi: "{msisdn}"', choices: [{ label: Go; on, to: call }], back: end }
  call: { call: w.x, once: true, to: end, refused: { gone: main } }
  end: { exit: true }
`)
    assert.equal(
      drawFlow(definition),
      `stateDiagram-v2
  [*] --> s_main
  state "main - Hi - 'msisdn'" as s_main
  s_main --> s_call : Go, on
  s_main --> s_end : back
  state "call - w.x (once)" as s_call
  s_call --> s_main : refused gone
  s_call --> s_end
  state "end - exit" as s_end
  s_end --> [*]
`,
    )
  })

  it('names only states that it has', async () => {
    const text = drawFlow(compileFlow(await sourceOf('flows', 'dental')).definition)
    const states = new Set([...text.matchAll(/ as (\w+)$/gm)].map((found) => found[1]))
    for (const [, from, to] of text.matchAll(/^ {2}(\w+) --> (\w+)/gm))
      assert.ok(states.has(from) && states.has(to), `${from} ${to}`)
  })
})

describe('a flow as SVG', () => {
  for (const name of ['dental', 'topup', 'language', 'reminder']) {
    it(`${name}: a box for each screen, an arrow for each pair that a way joins, nothing outside the paper`, async () => {
      const compilation = compileFlow(await sourceOf('flows', name))
      const svg = svgOf(compilation)
      const { screens } = compilation.definition
      assert.equal(svg.match(/<g class="state /g)!.length, Object.keys(screens).length)
      const pairs = new Set(
        Object.entries(screens).flatMap(([from, screen]) => targetsOf(screen).map(({ to }) => `${from} ${to}`)),
      )
      assert.equal(svg.match(/class="arrow"/g)!.length, pairs.size + 1, 'and one from the start')
      const [, width, height] = svg.match(/viewBox="0 0 ([\d.]+) ([\d.]+)"/)!.map(Number)
      for (const [, x, y, w, h] of [...svg.matchAll(/<rect x="(\S+)" y="(\S+)" width="(\S+)" height="(\S+)"/g)].map(
        (found) => found.map(Number),
      )) {
        assert.ok(x! >= 0 && y! >= 0 && x! + w! <= width! && y! + h! <= height!, `a box at ${x} ${y}`)
      }
      assert.doesNotMatch(svg, /<script|href=|NaN|undefined/)
    })
  }

  it('escapes what a text brings', () => {
    const svg = svgOf(
      flowOf(`
  main: { menu: 'A <b> & "c"', choices: [{ label: '</text><script>', to: end }] }
  end: { exit: true }
`),
    )
    assert.ok(svg.includes('A &lt;b&gt; &amp; &quot;c&quot;') && svg.includes('&lt;/text&gt;&lt;script&gt;'))
  })
})

describe('a flow as the JSON of an XState machine', () => {
  for (const name of ['dental', 'topup']) {
    it(`${name}: createMachine takes it, and the graph tools reach every screen of the flow`, async () => {
      const { definition } = compileFlow(await sourceOf('flows', name))
      const config = JSON.parse(JSON.stringify(xstateJson(definition)))
      const conditions = Object.values(definition.screens).flatMap((screen) =>
        screen.kind === 'branch' ? screen.branch.map((way) => way.if) : [],
      )
      const reached = new Set<string>()
      for (const holds of [null, ...conditions]) {
        const machine = createMachine(config, {
          guards: {
            condition: (_, params) => JSON.stringify((params as { if: unknown }).if) === JSON.stringify(holds),
          },
        })
        for (const { state } of Object.values(getAdjacencyMap(machine, {}))) reached.add(String(state.value))
      }
      const rests = Object.entries(definition.screens)
        .filter(([, { kind }]) => kind !== 'branch' && kind !== 'set')
        .map(([screen]) => screen)
      assert.deepEqual([...reached].toSorted(), rests.toSorted())
    })
  }
})
