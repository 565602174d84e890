import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CAMPAIGNS } from '../campaigns.ts'
import { GOALS } from './goals.ts'
import { missedIn, owed, report, type Kept } from './report.ts'

const RESULT: Kept = {
  goal: 'R6',
  title: 'Redis away',
  passed: true,
  figure: 'end 500 ms | 3 MB',
  counts: { dials: 7 },
  failures: [],
  seed: 4,
  seconds: 9,
  mode: 'bounded',
  command: 'npm run faults',
  date: '2025-05-01',
}

describe('the reliability report', () => {
  it('says of every goal without a result that it was not run', () => {
    const rows = report([RESULT])
      .split('\n')
      .filter((line) => /^\| [A-Z]\d/.test(line))
    assert.equal(rows.length, GOALS.length)
    assert.equal(rows.filter((row) => row.includes('**not run**')).length, GOALS.length - 1)
    assert.ok(report([]).includes(`0 of ${GOALS.length} goals met, 0 missed, ${GOALS.length} not run here`))
  })
  it('shows figure, seed, date and command of what was run, and keeps the table whole', () => {
    const row = report([RESULT])
      .split('\n')
      .find((line) => line.startsWith('| R6'))!
    assert.match(row, /pass \| end 500 ms \/ 3 MB \| 4 \| bounded, 9 s \| 2025-05-01 \| `npm run faults`/)
  })
  it('says under each row which settings were changed, and what the row misses by that', () => {
    const changed = ['dialogue.leaseMs 600', 'texts.overload "x"']
    assert.match(report([{ ...RESULT, changed }]), /600, texts\.overload "x"\. It misses what happens in the 3 s until/)
    assert.match(report([{ ...RESULT, changed: [] }]), /dials 7\. Default settings\./)
  })
  it("shows a failure as one, without anybody's number", () => {
    const text = report([{ ...RESULT, passed: false, failures: ['told 67570000001 a lie'] }])
    assert.match(text, /\*\*FAIL\*\*/)
    assert.match(text, /- missed: told … a lie/)
  })
})

describe('the table of campaigns', () => {
  it('names goals that there are, each once', () => {
    const claimed = CAMPAIGNS.flatMap((entry) => entry.goals)
    assert.deepEqual(
      claimed.filter((goal) => !GOALS.some(([id]) => id === goal)),
      [],
    )
    assert.equal(new Set(claimed).size, claimed.length)
  })
  it('loads every campaign', async () => {
    for (const entry of CAMPAIGNS) assert.equal(typeof (await entry.load()), 'function', entry.name)
  })
  it('tells what was missed, and what is owed: of the campaigns that ran, or of all goals', () => {
    const folder = mkdtempSync(join(tmpdir(), 'ussd-owed-'))
    try {
      writeFileSync(join(folder, 'R6.json'), JSON.stringify(RESULT))
      assert.deepEqual(owed([{ goals: ['R6', 'R7'] }], folder, false), ['R7'])
      assert.deepEqual(
        owed([], folder, true),
        GOALS.map(([id]) => id).filter((id) => id !== 'R6'),
      )
      writeFileSync(join(folder, 'R8.json'), JSON.stringify({ ...RESULT, goal: 'R8', passed: false }))
      assert.deepEqual(missedIn(folder, { goals: ['R6', 'R8'] }), ['R8'])
      assert.deepEqual(missedIn(folder, { goals: ['R6', 'R7'] }), [])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
