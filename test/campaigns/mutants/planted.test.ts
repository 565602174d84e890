import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sources } from '../../style/tree.ts'
import { packageRoot } from '../../../src/base/package-root.ts'
import { PLANTED, planted } from './planted-defects.ts'

describe('planted defects', () => {
  it('have their place in the sources, each once, and change it', () => {
    for (const defect of PLANTED) {
      const { source, line } = planted(defect)
      assert.notEqual(source, readFileSync(join(packageRoot, defect.file), 'utf8'), defect.name)
      assert.ok(line > 1, defect.name)
    }
    assert.equal(new Set(PLANTED.map(({ name }) => name)).size, PLANTED.length, 'each has a name of its own')
  })
  it('whose place is gone, or is not the only one, are told by name', () => {
    const [first] = PLANTED
    const gone = { ...first!, edits: [['nowhere in any file', '']] as const }
    assert.throws(() => planted(gone), /has 0 times, not once: nowhere in any file \(to plant: a message is/)
    assert.throws(() => planted({ ...first!, edits: [['const ', '']] }), /times, not once/)
  })
  it('stand in docs/BREACHES.md by words of their names, each of which is of one', () => {
    const rows = readFileSync(join(packageRoot, 'docs/BREACHES.md'), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('| ') && !line.startsWith('| |'))
    assert.ok(rows.length >= 20)
    for (const row of rows) {
      const plant = row.split(' | ')[3]!
      if (/^(none: |all of them)/.test(plant)) continue
      for (const words of plant.split('; ').map((one) => one.replaceAll('`', '')))
        assert.equal(PLANTED.filter(({ name }) => name.includes(words)).length, 1, `${words}: ${row.slice(0, 60)}`)
    }
  })
  it('have tests that are there under the titles that are to notice them', () => {
    const suites = sources(['test/contract']).map((file) => readFileSync(join(packageRoot, file), 'utf8'))
    for (const { name, noticedBy } of PLANTED) {
      assert.ok(noticedBy.length, name)
      for (const { tests, only } of noticedBy) {
        for (const test of tests) assert.ok(existsSync(join(packageRoot, test)), `${name}: there is no ${test}`)
        const texts = [...tests.map((test) => readFileSync(join(packageRoot, test), 'utf8')), ...suites]
        const seed = `test/simulation/seeds/${only.replace('the plan that once found: ', '').replaceAll(' ', '-')}.json`
        const isThere = texts.some((text) => text.includes(only)) || existsSync(join(packageRoot, seed))
        assert.ok(isThere, `${name}: there is no test '${only}'`)
      }
    }
  })
})
