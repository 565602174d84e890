import assert from 'node:assert/strict'
import { GOALS, report, type Kept } from '../../faults/report.ts'

const RESULT: Kept = {
  goal: 'R6', title: 'Redis away', passed: true, figure: 'end 500 ms | 3 MB', counts: { dials: 7 }, failures: [], seed: 4, seconds: 9, mode: 'bounded',
  command: 'npm run faults', date: '2025-05-01',
}

describe('the reliability report', () => {
  it('says of every goal without a result that it was not run', () => {
    const rows = report([RESULT]).split('\n').filter((line) => /^\| R\d/.test(line))
    assert.equal(rows.length, GOALS.length)
    assert.equal(rows.filter((row) => row.includes('**not run**')).length, GOALS.length - 1)
    assert.match(report([]), /0 of 20 goals met, 0 missed, 20 not run here/)
  })
  it('shows figure, seed, date and command of what was run, and keeps the table whole', () => {
    const row = report([RESULT]).split('\n').find((line) => line.startsWith('| R6'))!
    assert.match(row, /pass \| end 500 ms \/ 3 MB \| 4 \| bounded, 9 s \| 2025-05-01 \| `npm run faults`/)
  })
  it('shows a failure as one, without anybody\'s number', () => {
    const text = report([{ ...RESULT, passed: false, failures: ['told 67570000001 a lie'] }])
    assert.match(text, /\*\*FAIL\*\*/)
    assert.match(text, /- missed: told … a lie/)
  })
})
