import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  fitLine,
  layPage,
  lookUp,
  relay,
  type LayoutLine,
  type ScreenContent,
} from '../../../src/flow/engine/layout.ts'
import { fits } from '../../../src/ussd/text.ts'
import { USSD_PAGE } from '../../../src/ussd/vocabulary.ts'

const line =
  (text: string): LayoutLine =>
  (max) =>
    max === undefined ? text : [...text].slice(0, max).join('')
const sheet = (title: string, options: string[], more: Partial<ScreenContent> = {}): ScreenContent => ({
  notice: '',
  title: line(title),
  options: options.map((text) => ({ label: line(text) })),
  back: false,
  words: { more: 'More', back: 'Back' },
  limit: USSD_PAGE,
  ...more,
})

/** All pages, by pressing More; with the `at` that each was reached by. */
function pagesOf(laid: ScreenContent) {
  const pages: { at: [number, number][]; text: string; n: number; more: boolean }[] = []
  let at: [number, number][] = [[0, 0]]
  for (let i = 0; i < 2000; i++) {
    const page = layPage(laid, at)
    pages.push({ at, text: page.text, n: page.n, more: page.more })
    if (!page.more) return pages
    at = [...at, page.next]
  }
  throw new Error('the pages never end')
}

const GSM = 'abc defghij KLMNO 0123 {}[]€~ @£é'
const BOTH = `${GSM}ЖдёΩ你好😀é`
const words = (letters: string, max: number) =>
  fc.array(fc.constantFrom(...letters), { maxLength: max }).map((all) => all.join('').trim() || 'x')
const sheets = fc
  .constantFrom(GSM, BOTH)
  .chain((letters) =>
    fc.record({
      title: words(letters, 260),
      notice: fc.oneof(fc.constant(''), words(letters, 60)),
      options: fc.array(words(letters, 90), { maxLength: 30 }),
      back: fc.boolean(),
      rows: fc.boolean(),
    }),
  )
  .map(({ title, options, notice, back }) => sheet(title, options, { notice, back }))

describe('pages', () => {
  it('fit, whatever is on them and in whatever alphabet', () => {
    fc.assert(
      fc.property(sheets, (laid) => {
        for (const { text } of pagesOf(laid)) assert.ok(fits(text, USSD_PAGE), text)
      }),
      { numRuns: 400 },
    )
  })

  it('print each option exactly once, numbered on from page to page', () => {
    fc.assert(
      fc.property(sheets, (laid) => {
        let next = 0
        for (const page of pagesOf(laid)) {
          assert.equal(page.at.at(-1)?.[1], next)
          next += page.n
        }
        assert.equal(next, laid.options.length)
      }),
      { numRuns: 400 },
    )
  })

  it('take every number that they print, and no other', () => {
    fc.assert(
      fc.property(sheets, (laid) => {
        for (const { at, text, n, more } of pagesOf(laid)) {
          const first = at.at(-1)?.[1] ?? 0
          const extras = (more ? 1 : 0) + (laid.back || at.length > 1 ? 1 : 0)
          const printed = text
            .split('\n')
            .slice(-(n + extras))
            .map((row) => /^(\d+)\. /.exec(row)?.[1])
          if (n + extras > 0)
            assert.deepEqual(
              printed,
              Array.from({ length: n + extras }, (_, i) => String(first + i + 1)),
            )
          for (let pressed = 0; pressed < first + n + extras + 3; pressed++) {
            const meant = lookUp({ at, n, more }, laid.back, String(pressed))
            assert.equal(
              meant !== undefined,
              pressed > first && pressed <= first + n + extras,
              `${pressed} on:\n${text}`,
            )
            if (pressed > first && pressed <= first + n) assert.deepEqual(meant, { option: pressed - 1 })
          }
        }
      }),
      { numRuns: 200 },
    )
  })

  it('lose nothing of a long text', () => {
    fc.assert(
      fc.property(words(BOTH, 900), (text) => {
        const folded = text.replace(/\s+/g, ' ').trim()
        const laid = sheet(folded, [], { closing: true })
        const bare = pagesOf(laid).map((page) => page.text.replace(/(^|\n)1\. More(\n2\. Back)?$/, ''))
        assert.equal(bare.join('').replace(/\s/g, ''), folded.replace(/\s/g, ''))
      }),
      { numRuns: 200 },
    )
  })

  it('keep the same options when an answer was wrong, and still fit', () => {
    fc.assert(
      fc.property(sheets, (laid) => {
        for (const { at, text, n, more } of pagesOf(laid)) {
          const again = relay(laid, { at, n, more }, ['Invalid choice. Please try again:', 'Invalid choice.'])
          assert.ok(fits(again, USSD_PAGE), again)
          const isMidText = n === 0 && (more || !(laid.back || at.length > 1))
          assert.equal(
            again === text,
            isMidText,
            'the middle of a long text is shown again, all else gives its first line up',
          )
          const rows = (page: string) => page.split('\n').filter((row) => /^\d+\. /.test(row)).length
          assert.ok(rows(again) >= n)
        }
      }),
      { numRuns: 200 },
    )
  })
})

describe('a page of options', () => {
  it('among many has room for the short line that says an answer was wrong', () => {
    fc.assert(
      fc.property(fc.array(words(BOTH, 20), { minLength: 12, maxLength: 40 }), (labels) => {
        const wrong = 'Invalid choice.'
        const laid = { ...sheet('Go', labels), words: { more: 'More', back: 'Back', wrong } }
        for (const { at, n, more } of pagesOf(laid).filter((page) => page.more && page.n > 1)) {
          const again = relay(laid, { at, n, more }, [`${wrong} Please try again:`, wrong])
          assert.ok(again.startsWith(`${wrong}\n`) || again.startsWith(`${wrong} Please`), again)
        }
      }),
      { numRuns: 100 },
    )
  })

  it('holds 182 septets', () => {
    const laid = sheet('T'.repeat(182 - 2 * 6), ['AB', 'CD'])
    assert.equal(layPage(laid, [[0, 0]]).text.length, 182)
    assert.equal(pagesOf(laid).length, 1)
    const over = { ...laid, title: () => 'T'.repeat(182 - 2 * 6 + 1) }
    assert.equal(pagesOf(over).length, 2)
  })

  it('counts extension characters twice', () => {
    const euro = sheet('€'.repeat(85), ['AB', 'CD'])
    assert.equal(pagesOf(euro).length, 1)
    const wide = sheet('t', ['€'.repeat(60), '€'.repeat(60)])
    assert.equal(pagesOf(wide).length, 2)
  })

  it('holds 80 characters as soon as one is not in GSM 7-bit', () => {
    const rows = ['a'.repeat(30), 'b'.repeat(30), 'c'.repeat(30)]
    assert.equal(pagesOf(sheet('T', rows)).length, 1)
    assert.equal(pagesOf(sheet('Ж', rows)).length, 2)
    assert.ok(layPage(sheet('Ж', rows), [[0, 0]]).text.length <= 80)
  })

  it('cuts the values of a title before it takes a second page', () => {
    const title: LayoutLine = (max) => `Hello, ${'n'.repeat(300).slice(0, max)}!`
    const page = layPage({ ...sheet('', ['one', 'two']), title }, [[0, 0]])
    assert.equal(page.more, false)
    assert.match(page.text, /^Hello, n{100,}!\n1\. one\n2\. two$/)
    assert.equal(page.text.length, 182)
  })

  it('cuts a row that is too long for any page, and only that', () => {
    const laid = sheet('Rows', ['short', 'r'.repeat(400), 'last'], { back: true })
    const pages = pagesOf(laid)
    assert.deepEqual(
      pages.map((page) => page.n),
      [1, 1, 1],
    )
    assert.match(pages[1]?.text ?? '', /^Rows\n2\. r+\n3\. More\n4\. Back$/)
    assert.equal(pages[1]?.text.length, 182)
  })

  it('keeps that row cut when an answer was wrong', () => {
    for (const row of ['x'.repeat(300), 'Ж'.repeat(90)]) {
      const laid = sheet('Title', [row, 'b'], { back: true })
      const { n, more } = layPage(laid, [[0, 0]])
      const again = relay(laid, { at: [[0, 0]], n, more }, ['Invalid choice. Please try again:', 'Invalid choice.'])
      assert.ok(fits(again, USSD_PAGE), again)
      assert.match(again, /^Invalid choice\. Please try again:\n1\. [xЖ]{16,}\n2\. More\n3\. Back$/)
    }
  })

  it('shows a notice above the title, on the first page only', () => {
    const rows = Array.from({ length: 12 }, (_, i) => `A row of some length, number ${i}`)
    const pages = pagesOf(sheet('Title', rows, { notice: 'Sorry.' }))
    assert.match(pages[0]?.text ?? '', /^Sorry\.\nTitle\n1\. /)
    assert.match(pages[1]?.text ?? '', /^Title\n\d+\. /)
  })

  it('pages 1,000 rows, each of which can be pressed', () => {
    const laid = sheet(
      'All',
      Array.from({ length: 1000 }, (_, i) => `Row ${i + 1}`),
      { back: true },
    )
    const last = pagesOf(laid).at(-1)
    assert.match(last?.text ?? '', /1000\. Row 1000\n1001\. Back$/)
    assert.deepEqual(lookUp({ at: last?.at ?? [], n: last?.n ?? 0, more: false }, true, '1000'), { option: 999 })
  })

  it('without rows is its title and the way back', () => {
    assert.equal(layPage(sheet('Nothing here.', [], { back: true }), [[0, 0]]).text, 'Nothing here.\n1. Back')
  })
})

describe('a number pressed', () => {
  const shown = { at: [[0, 0]] as [number, number][], n: 3, more: true }
  for (const answer of [
    '',
    '0',
    '00',
    '01',
    '1#',
    '*',
    '#',
    '+1',
    '-1',
    '1.',
    '1.0',
    '1e0',
    ' 1',
    '१',
    'one',
    '6',
    '9'.repeat(300),
  ]) {
    it(`is none of the options if it is ${JSON.stringify(answer.slice(0, 12))}`, () => {
      assert.equal(lookUp(shown, true, answer), undefined)
    })
  }

  it('is More, then Back, after the options', () => {
    assert.equal(lookUp(shown, true, '4'), 'more')
    assert.equal(lookUp(shown, true, '5'), 'back')
    assert.equal(lookUp(shown, false, '5'), undefined)
  })
})

describe('a prompt', () => {
  it('has its values cut, not its end', () => {
    const prompt: LayoutLine = (max) => `Amount for ${'v'.repeat(200).slice(0, max)}:`
    const text = fitLine(prompt, USSD_PAGE, 'Invalid amount.')
    assert.match(text, /^Invalid amount\.\nAmount for v+:$/)
    assert.equal(text.length, 182)
  })
})
