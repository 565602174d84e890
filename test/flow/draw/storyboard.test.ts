import assert from 'node:assert/strict'
import { compileFlow } from '../../../src/flow/load/compile.ts'
import { sourceOf } from '../../../src/flow/read/loader.ts'
import { storyboard } from '../../../src/flow/draw/storyboard.ts'
import { flowOf } from '../support.ts'

describe('a storyboard', () => {
  it('shows every page with its length, its way and where each key leads', () => {
    const html = storyboard(
      flowOf(`
  main: { menu: 'A & <b>', choices: [{ label: Go, to: out }] }
  out: { end: 'It is ⚡' }
`),
    )
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

  it('says of every key that a page prints where it leads, also where a call was walked before', () => {
    const html = storyboard(
      flowOf(`
  main: { call: w.towns, expect: { rows: rows }, to: town }
  town: { list: 'Town:', from: data.main.rows, row: '{row.name}', to: ask, empty: out, choices: [{ label: Again, to: main }] }
  ask: { call: w.ask, with: { name: '{chosen.town.name}' }, to: told, refused: { no: out } }
  told: { end: Yes }
  out: { exit: true }
`),
    )
    for (const [, text, ways] of html.matchAll(/<pre>([^<]*)<\/pre>[^]*?<ul>(.*?)<\/ul>/g)) {
      const told = [...ways!.matchAll(/<kbd>(\d+)<\/kbd>(?:–<kbd>(\d+)<\/kbd>)? (.*?)<\/li>/g)]
      for (const [, key] of text!.matchAll(/^(\d+)\. /gm)) {
        const way = told.find(([, from, until]) => Number(key) >= Number(from) && Number(key) <= Number(until ?? from))
        assert.ok(way, `${key} of ${text}: ${ways}`)
        assert.match(way[3]!, /<a href="#\w+">/)
      }
    }
    assert.match(
      html,
      /<kbd>1<\/kbd>–<kbd>3<\/kbd> <a href="#told">told<\/a>, <a href="#out">out<\/a>, <a href="#_busy">_busy<\/a>/,
    )
  })

  it('tells of a page the language that it speaks, and puts what is built in last', async () => {
    const html = storyboard(compileFlow(await sourceOf('flows', 'language')))
    for (const [, text, language] of html.matchAll(/<pre>([^<]*)<\/pre>\n<figcaption>.*? · (\w+)/g))
      assert.equal(/Makim|Tok ples|Welkam|Tenkyu|Sevis/.test(text!), language === 'tpi', text)
    assert.match(html, /<section id="_busy">(?![^]*<section)/)
  })
})
