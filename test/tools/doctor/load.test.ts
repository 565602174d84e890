import assert from 'node:assert/strict'
import { EXAM_TIMES, newExam, type ExamPlan } from '../../../src/tools/doctor/exam.ts'
import { examineLoad } from '../../../src/tools/doctor/load.ts'
import type { Station } from '../../../src/tools/doctor/station.ts'
import { fakeClock } from '../../support/clock.ts'
import { submit } from '../../smpp/support.ts'

const PLAN = { windowSms: 0, rateSms: 14, times: EXAM_TIMES } as ExamPlan

/**
 * What the doctor says of the throughput, and when each SMS left; `late`: how late the machine is at each wait, in
 * turn.
 */
async function examined(late: readonly number[]) {
  const clock = fakeClock()
  const lateness = [...late]
  const exam = newExam(PLAN, {
    clock: { ...clock, after: (ms, run) => clock.after(ms + (lateness.shift() ?? 0), run) },
    say: () => undefined,
    onFinding: () => undefined,
  })
  const leftMs: number[] = []
  const tx = {
    async request() {
      leftMs.push(clock.now())
      return {
        asked: { atMs: clock.now() },
        ms: 0,
        is: 'answered',
        pdu: { status: 0, command: 'submit_sm_resp' },
        taped: {},
      }
    },
  }
  const over = examineLoad(exam, { tx } as unknown as Station, submit())
  await clock.advance(60_000)
  await over
  return {
    said: exam.findings.find((it) => it.check === 'throughput')!.said,
    gapsMs: leftMs.slice(1).map((at, i) => at - leftMs[i]!),
  }
}

describe('the throughput that the doctor finds', () => {
  it('is what was sent in a second, step by step', async () => {
    const { said, gapsMs } = await examined([])
    assert.equal(said, 'SMS a second: 2, 4, 8; never throttled')
    assert.deepEqual(gapsMs, [500, 500, 250, 250, 250, 250, ...Array.from({ length: 7 }, () => 125)])
  })

  it('is no more than really left in a second where the machine was late, which it makes up for by no burst', async () => {
    // A step waits before each SMS but its first, and at its end: this is the third SMS of the last step.
    const { said, gapsMs } = await examined([0, 0, 0, 0, 0, 0, 0, 600])
    assert.equal(said, 'SMS a second: 2, 4, 5; never throttled')
    assert.deepEqual(gapsMs.slice(-7), [125, 725, 62.5, 125, 125, 125, 125])
  })
})
