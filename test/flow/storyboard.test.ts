import assert from 'node:assert/strict'
import { compileFlow } from '../../src/flow/compile.ts'
import { sourceOf } from '../../src/flow/loader.ts'
import { storyboard } from '../../src/flow/storyboard.ts'
import { flowOf } from './support.ts'

describe('a storyboard', () => {
  it('shows every page with its length, its way and where each key leads', () => {
    const html = storyboard(flowOf(`
  main: { menu: 'A & <b>', choices: [{ label: Go, to: out }] }
  out: { end: 'It is ⚡' }
`))
    assert.match(html, /<pre>A &amp; &lt;b&gt;\n1\. Go<\/pre>/)
    assert.match(html, /13 of 182 septets/)
    assert.match(html, /7 of 80 UCS-2 characters/)
    assert.match(html, /<li><kbd>1<\/kbd> <a href="#out">out<\/a><\/li>/)
    assert.match(html, /dial › 1/)
  })

  for (const name of ['dental', 'topup', 'language']) {
    it(`of ${name} links only to screens that it has, in both languages, and loads nothing`, async () => {
      const html = storyboard(compileFlow(await sourceOf('flows', name)))
      const ids = new Set([...html.matchAll(/ id="([^"]+)"/g)].map((found) => found[1]))
      for (const [, to] of html.matchAll(/href="#([^"]+)"/g)) assert.ok(ids.has(to), to)
      assert.doesNotMatch(html, /<script|https?:|url\(|@import/)
      assert.match(html, /lang="tpi"/)
      assert.doesNotMatch(html, /class="over"/)
    })
  }
})
