/** Messages, help and comments are for readers whose first language is not English: an operator at night, a new engineer. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root, sources } from './tree.ts'

/** What readers stumbled over, and what to write instead. A short list: what has no place in any message or comment. */
const BANNED: [words: RegExp, instead: string][] = [
  [/(?<!\bthere )\bis no (?!longer\b)[a-zA-Z']/i, "'is not a …', or 'there is no …'"],
  [/(?<!\bthere )\b(is|are) none\b/i, "'is not one', or 'must be one of …'"],
  [/\bto be had\b/, "'is missing', 'available'"],
  [/\b(says|lets \w+) not\b/, "'does not say'"],
  [/\bwhoever\b/i, "the role: 'the subscriber who …', 'everybody who …'"],
  [/\bin vain\b/, "'which did not arrive'"],
  [/\bmend(ed)?\b/, "'fix', 'correct'"],
  [/\bworked out\b/, "'computed'"],
  [/\bmade[ -]up\b/, "'synthetic'"],
  [/\b(call|called|calls)( \w+)? off\b/, "'cancel'"],
  [/\bblotted\b/, "'masked'"],
  [/\bunder way\b/, "'open', 'in flight', 'running'"],
  [/\bwhere (there|it|they) (is|are|was|were|has|have) (none|no|not)\b/i, "'if there is none'"],
  [/\bundefined where\b/i, "'undefined if'"],
  [/\bthe same of\b/i, "'the same for'"],
  [/\bstands? in (its|the|their) (place|stead)\b/, "'replaces'"],
  [/\brather\b(?! than\b)/, "'instead', or nothing"],
  [/\bof (theirs|hers)\b/, "the noun: 'of the subscriber'"],
  [/\bbut for\b/, "'except'"],
  [/\bfalls? due\b/, "'becomes due'"],
  [/\bcomes? round\b/, "'is reused', 'repeats'"],
  [/\bpassed over\b/, "'skipped'"],
  [/\b(?<!-)anew\b/, "'again'"],
  [/\bis away\b/, "'is unreachable'"],
  [/\bis decided to\b/, "'decides'"],
  [/\b(turnstile|tally|voice|ordeal|oweSms|walk-sign)\b/, 'the word of docs/GLOSSARY.md'],
]

const QUOTED = /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g
/** Fewer words are names and keys. */
const WORDS_MIN = 3

const BLOCK = /^\s*\/\*[\s\S]*?\*\//gm
/** A line of its own, or behind code that ends outside of a text. */
const LINE = /^(?:[^'"`\n]|'[^'\n]*'|"[^"\n]*"|`[^`\n]*`)*?(?<=\s|^)\/\/ (.*)$/gm

const read = (file: string) => readFileSync(join(root, file), 'utf8')

/** Texts of a program, without its comments. */
function textsOf(file: string): string[] {
  const code = read(file)
    .replace(BLOCK, '')
    .replace(/^\s*\/\/.*$/gm, '')
  const texts = [...code.matchAll(QUOTED)].map(([quoted]) => quoted.slice(1, -1).replace(/\$\{[^}]*\}/g, '…'))
  return texts.filter((text) => text.split(/\s+/).filter((word) => /[a-z]{2}/i.test(word)).length >= WORDS_MIN)
}

/** Comments, each in one line; without code in backticks, and without tables, whose third column has words not to use. */
function commentsOf(source: string): string[] {
  const blocks = [...source.matchAll(BLOCK)].map(([block]) => block.replace(/^\s*\* \|.*$/gm, ''))
  const lines = [...source.replace(BLOCK, '').matchAll(LINE)].map(([, line]) => line!)
  return [...blocks, lines.join(' · ')].map((comment) =>
    comment.replace(/`[^`]*`/g, '`…`').replace(/\s*\n\s*(\* ?)?/g, ' '),
  )
}

function faultsOf(text: string): string[] {
  return BANNED.flatMap(([words, instead]) => {
    const found = words.exec(text)
    return found ? [`'${text.slice(Math.max(0, found.index - 40), found.index + 40).trim()}': write ${instead}`] : []
  })
}

const faultsIn = (files: string[], partsOf: (file: string) => string[]) =>
  files.flatMap((file) => partsOf(file).flatMap((part) => faultsOf(part).map((fault) => `${file}: ${fault}`)))

describe('plain English', () => {
  it('messages and help have none of the words that readers stumbled over', () => {
    assert.deepEqual(faultsIn(sources(['src', 'samples', 'scripts/reference']), textsOf), [])
  })

  it('comments have none of them', () => {
    const files = sources(['src', 'samples', 'machines', 'migrations', 'scripts', 'examples'])
    assert.deepEqual(
      faultsIn(files, (file) => commentsOf(read(file))),
      [],
    )
  })

  it('what readers stumbled over is found, and what is like it is not', () => {
    assert.equal(faultsOf('the published revision is decided to serve, and is not to be had').length, 2)
    assert.equal(faultsOf("'Pacific/Moresby' is no time zone").length, 1)
    assert.equal(faultsOf('it says not which screen is the first').length, 1)
    assert.equal(faultsOf('a number that comes round is rather a redial').length, 2)
    assert.deepEqual(faultsOf('if there is no list, there are no rows: the file does not say which'), [])
    assert.deepEqual(faultsOf('there is none, and it is no longer open: use a list rather than a map'), [])
  })

  it('comments are found wherever they stand, over line breaks, and without code', () => {
    const source = [
      '/** One of',
      ' * theirs. */',
      "const a = 'no // comment' // Whoever comes.",
      '  // Where `of theirs` is code.',
      "const url = 'http://whoever'",
    ].join('\n')
    assert.deepEqual(
      commentsOf(source).map((comment) => faultsOf(comment).length),
      [1, 1],
    )
  })
})
