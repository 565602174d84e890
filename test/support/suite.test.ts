import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { besideEachOther, wordsOf } from './suite.ts'

describe('the suite in two processes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ussd-two-'))
  after(() => rmSync(folder, { recursive: true, force: true }))

  const half = (name: string, text: string) => {
    const file = join(folder, `${name}.test.mjs`)
    writeFileSync(file, `describe('${name}', () => { ${text} })`)
    return { name, words: [file] }
  }
  const run = async (halves: { name: string; words: string[] }[], env = process.env) => {
    const said: string[] = []
    const code = await besideEachOther(halves, (text) => void said.push(text), env)
    // Where colours are asked for the halves have them too: that is not what is looked at here.
    return { code, said: stripVTControlCharacters(said.join('')) }
  }
  const good = () => half('good', `it('passes', () => {}); it('waits')`)

  it('says what both said, one after the other, and the sums in the last line', async () => {
    const { code, said } = await run([good(), half('more', `it('passes too', () => {})`)])
    assert.equal(code, 0)
    assert.match(said, /== good\n[^]*✔ passes\n[^]*== more\n[^]*✔ passes too\n/)
    assert.match(said, /\n2 passed, 0 failed, 1 skipped\n$/)
    assert.equal(said.match(/\d+ passed, /g)?.length, 1)
  })

  it('has failed with either of them: each test that failed by its name, and a process that died', async () => {
    const bad = half('bad', `it('fails', () => { throw new Error('no') }); before(() => {})`)
    const dead = half('dead', `it('dies', () => process.kill(process.pid, 'SIGKILL'))`)
    const none = half('none', `throw new Error('is not read')`)
    const { code, said } = await run([good(), bad, dead, none])
    assert.equal(code, 1)
    assert.match(said, /\nfailed: \S*bad\.test\.mjs: bad fails\nfailed: dead: .* 137\nfailed: none: .*\n/)
    assert.match(said, /\n1 passed, 3 failed, 1 skipped\n$/)
  })

  it('runs them one after the other on a Redis that is given', async () => {
    const slow = half(
      'slow',
      `it('sets', async () => { (await import('node:fs')).writeFileSync('${folder}/set', '') })`,
    )
    const reads = half('reads', `it('finds', async () => { (await import('node:fs')).readFileSync('${folder}/set') })`)
    const { code, said } = await run([slow, reads], { ...process.env, TEST_REDIS_URL: 'redis://127.0.0.1:1' })
    assert.equal(code, 0, said)
  })

  it('is one process for words: of the files that they name, or of all', () => {
    assert.deepEqual(wordsOf(['-g', 'x']), ['test/**/*.test.ts', '-g', 'x'])
    assert.deepEqual(wordsOf(['test/support/suite.test.ts', '-g', 'x']), ['test/support/suite.test.ts', '-g', 'x'])
  })
})
