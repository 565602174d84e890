import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { forgottenFiles, LEFT_ASIDE, TARGETS } from './targets.ts'
import { EQUIVALENT } from './equivalent.ts'
import { inParallel } from './runner.ts'
import { mutantsOf } from './mutants.ts'
import { packageRoot } from '../../../src/base/package-root.ts'

describe('mutants', () => {
  const changes = (source: string) => mutantsOf('a.ts', source).map(({ what }) => what)

  it('are slips of the hand in what runs: conditions, numbers, texts, steps left out, nothing given back', () => {
    assert.deepEqual(changes("  if (a <= 7 && !done) return 'x'"), [
      '<= → <',
      '&& → ||',
      '7 → 8',
      '! → nothing',
      "'x' → ''",
      'a <= 7 && !done → true',
      'a <= 7 && !done → false',
      "'x' → undefined as never",
    ])
    assert.deepEqual(changes('  count(row)'), ['count(row) → void 0'])
    assert.deepEqual(changes('  done += 1\n  done++'), [
      '+= → -=',
      '1 → 2',
      'done += 1 → void 0',
      '++ → --',
      'done++ → void 0',
    ])
  })
  it('leave alone what does not run, what no test should hold, and what would change nothing', () => {
    for (const source of [
      "// if (a < 1) return 'x'",
      "import { a } from './a.ts'",
      "export type A = 'x' | 'y'",
      "interface A {\n  is: 'x' | 'y'\n}",
      "function hear(a: A): 'x' | undefined {",
      'function said(a: Parameters<A>[0]) {',
      "  log.warn({ a }, 'text')",
      "  failpoint('here')",
      '  return undefined',
      'const OCTETS_MAX = 70_000',
    ])
      assert.deepEqual(changes(source), [], source)
  })
  it('change one place each, and say where', () => {
    const [first, ...more] = mutantsOf('a.ts', "const a = 1\nconst b = 'two'\n")
    assert.deepEqual(first, {
      file: 'a.ts',
      line: 1,
      text: 'const a = 1',
      what: '1 → 2',
      source: "const a = 2\nconst b = 'two'\n",
    })
    assert.deepEqual(
      more.map(({ line, source }) => [line, source]),
      [[2, "const a = 1\nconst b = ''\n"]],
    )
  })
  it('are made of statements of SQL with operators of their own', () => {
    const sql = "const A = `\n  UPDATE t SET s = CASE WHEN s > 1 THEN 'x' ELSE s END\n  WHERE a = :a AND b IN (1, 2)`"
    assert.deepEqual(changes(sql).toSorted(), [
      "'x' → ''",
      '= → <>',
      'AND → OR',
      'ELSE s END → END',
      'IN ( → NOT IN (',
      'WHEN s > 1 THEN → WHEN NOT (s > 1) THEN',
    ])
    assert.deepEqual(changes('const text = `a AND b`'), [])
  })
})

describe('the files whose mutants are tried', () => {
  const mutants = Object.keys(TARGETS).flatMap((file) => mutantsOf(file, readFileSync(join(packageRoot, file), 'utf8')))

  it('have tests that are there, and mutants', () => {
    for (const [file, { tests }] of Object.entries(TARGETS)) {
      assert.ok(
        mutants.some((mutant) => mutant.file === file),
        file,
      )
      for (const test of tests) assert.ok(existsSync(join(packageRoot, test)), `${file}: there is no ${test}`)
    }
  })
  it('are all that a message or an SMS passes: a new file is among them, or is left aside', () => {
    assert.deepEqual(forgottenFiles(), [], 'add it to test/campaigns/mutants/targets.ts, with its nearest tests')
    for (const [room, names] of Object.entries(LEFT_ASIDE)) {
      for (const name of names) assert.ok(existsSync(join(packageRoot, `src/${room}/${name}.ts`)), `${room}/${name}`)
    }
  })
  it('have few mutants that nothing can notice, each of them there, once, and with its reason', () => {
    for (const { file, text, what, why } of EQUIVALENT) {
      const named = mutants.filter((mutant) => mutant.file === file && mutant.text === text && mutant.what === what)
      assert.equal(named.length, 1, `${file}: ${what} in "${text}": review test/campaigns/mutants/equivalent.ts`)
      assert.ok(why.length > 20, `${file}: ${what} in "${text}" needs its reason`)
    }
    assert.ok(EQUIVALENT.length <= 0.05 * mutants.length, `${EQUIVALENT.length} of ${mutants.length} are over 5 %`)
  })
})

describe('what is tried in parallel', () => {
  it('ends with the first failure, once all that were begun are over', async () => {
    const begun: string[] = []
    let over = false
    let end!: () => void
    const slow = new Promise<void>((done) => (end = done))
    const running = inParallel(2, ['slow', 'broken', 'never'], async (one) => {
      begun.push(one)
      if (one === 'broken') throw new Error('broken')
      await slow
      over = true
    })
    const refused = assert.rejects(
      running.catch((error: unknown) => {
        assert.ok(over, 'it did not wait for the slow one')
        throw error
      }),
      /^Error: broken$/,
    )
    setImmediate(end)
    await refused
    assert.deepEqual(begun, ['slow', 'broken'])
  })
})
