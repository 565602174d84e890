/** Messages and help are for an operator at night whose first language is not English. Comments are not looked at. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root, sources } from './tree.ts'

/** What readers stumbled over, and what to write instead. A short list: what has no place in any message. */
const BANNED: [words: RegExp, instead: string][] = [
  [/(?<!\bthere )\bis no [a-zA-Z']/, "'is not a …', or 'there is no …'"],
  [/\b(is|are) none of\b/, "'must be one of …'"],
  [/\bnot to be had\b/, "'is missing'"],
  [/\b(says|lets \w+) not\b/, "'does not say'"],
  [/\bwhoever\b/i, "the role: 'the subscriber who …', 'everybody who …'"],
  [/\bin vain\b/, "'which did not arrive'"],
  [/\bmend(ed)?\b/, "'fix', 'correct'"],
  [/\bworked out\b/, "'computed'"],
  [/\bmade-up\b/, "'synthetic'"],
  [/\bcalled? off\b/, "'cancelled'"],
  [/\b(turnstile|tally|desk|voice|ordeal|oweSms|walk-sign)\b/, 'the word of docs/GLOSSARY.md'],
]

/** These rooms are being rewritten. */
const UNDER_WAY = /^src\/(gateway|dialogue|store)\//

const QUOTED = /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g
/** Fewer words are names and keys. */
const WORDS_MIN = 3

/** Texts of a program, without its comments. */
function textsOf(file: string): string[] {
  const code = readFileSync(join(root, file), 'utf8')
    .replace(/^\s*\/\*[\s\S]*?\*\//gm, '')
    .replace(/^\s*\/\/.*$/gm, '')
  const texts = [...code.matchAll(QUOTED)].map(([quoted]) => quoted.slice(1, -1).replace(/\$\{[^}]*\}/g, '…'))
  return texts.filter((text) => text.split(/\s+/).filter((word) => /[a-z]{2}/i.test(word)).length >= WORDS_MIN)
}

function faultsOf(text: string): string[] {
  return BANNED.flatMap(([words, instead]) => (words.test(text) ? [`'${words.exec(text)![0]}': write ${instead}`] : []))
}

describe('plain English', () => {
  it('messages and help have none of the words that readers stumbled over', () => {
    const files = sources(['src', 'samples', 'scripts/reference']).filter((file) => !UNDER_WAY.test(file))
    const found = files.flatMap((file) =>
      textsOf(file).flatMap((text) => faultsOf(text).map((fault) => `${file}: ${text.slice(0, 80)}: ${fault}`)),
    )
    assert.deepEqual(found, [])
  })

  it('what readers stumbled over is found, and what is like it is not', () => {
    assert.equal(faultsOf('the published revision is decided to serve, and is not to be had').length, 1)
    assert.equal(faultsOf("'Pacific/Moresby' is no time zone").length, 1)
    assert.equal(faultsOf('it says not which screen is the first').length, 1)
    assert.deepEqual(faultsOf('if there is no list, there are no rows: the file does not say which'), [])
  })
})
