import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SMS_ERRORS, smsReason } from '../../src/sms/terms/reason.ts'
import { certificateConditions, goneConditions, storeConditions } from '../../src/daemon/watch/conditions.ts'
import { saidInFrench } from '../../src/desk/words/said-fr.ts'
import { STATUS_ROWS } from '../../src/ussd/status-policy.ts'
import { root } from '../style/tree.ts'

/** Texts of the tables of a file: `name: 'text',`, also in several pieces. */
function textsIn(file: string): string[] {
  const source = readFileSync(join(root, file), 'utf8').replaceAll(/' \+\n\s*'/g, '')
  return [...source.matchAll(/^ {2}(?:'[\w:-]+'|\w+):\s+'([^'\n]+)',$/gm)].map(([, text]) => text!)
}

const english = (texts: readonly string[]) => texts.filter((text) => saidInFrench(text) === text)

describe('what the daemon says, in French', () => {
  it('has every end of a dialogue, every refused dial, and what became of every call', () => {
    const told = textsIn('src/enquiry/words.ts').filter((text) => !/^(on the screen|by SMS|not at all:.*)$/.test(text))
    assert.ok(told.length > 28, String(told.length))
    assert.deepEqual(english(told), [])
    const deferred = ['on the screen', 'by SMS', 'not at all: its flow is gone, or the subscriber was in it again']
    assert.deepEqual(english(deferred.map((how) => `told ${how}`)), [])
    assert.equal(saidInFrench('refused: no-funds'), 'refusé : no-funds')
  })

  it('has why a bind is down, and what to do', () => {
    const remedies = textsIn('src/smpp/session/trouble.ts')
    assert.ok(remedies.length >= 17, String(remedies.length))
    assert.deepEqual(english(remedies), [])
  })

  it('has why something is an alarm, and what to do', () => {
    const gone = goneConditions(
      [
        { name: 'a', ageMs: 0, isGone: false },
        { name: 'b', ageMs: 20_000, isGone: true },
      ],
      { own: 'a', nowMs: 20_000 },
    )
    const ends = new Map([
      ['old', 0],
      ['new', 90_000],
    ])
    const silent = { ok: false, kind: 'redis', notes: [] }
    const stores = { ok: false, dialogues: silent, postgres: silent } as never
    const all = [
      ...gone,
      ...certificateConditions(ends, { days: 1, nowMs: 50_000 }),
      ...storeConditions(stores, { redis: 9_000 }),
    ]
    assert.ok(all.length >= 6)
    assert.deepEqual(english(all.flatMap(({ why, remedy }) => [why, remedy])), [])
  })

  it('has why an SMS is as it is', () => {
    const states = ['undeliverable 011', 'expired', 'deleted', 'rejected 0', 'odd'].map((said) => `receipt: ${said}`)
    const errors = [...Object.values(SMS_ERRORS), ...states]
    const reasons = [null, 11].flatMap((status) =>
      [1, 3].flatMap((attempts) => errors.map((error) => smsReason({ state: 'failed', status, error, attempts }))),
    )
    const others = ['expired', 'cancelled'].map((state) => smsReason({ state, status: null, error: null, attempts: 1 }))
    assert.deepEqual(english([...reasons, ...others]), [])
    assert.match(
      saidInFrench(smsReason({ state: 'failed', status: null, error: states[0]!, attempts: 1 })),
      /\(erreur 011 du réseau\)$/,
    )
  })

  it('has what each status of an SMSC means', () => {
    for (const { from, means } of [...STATUS_ROWS, { from: 0x77, means: 'a status that no table names' }]) {
      const said = saidInFrench(smsReason({ state: 'failed', status: from, error: 'refused', attempts: 1 }))
      assert.match(said, /^le SMSC l’a refusé avec 0x[0-9A-F]+/)
      assert.ok(!said.includes(means), said)
    }
  })

  it('leaves as it is what nobody foresaw', () => {
    assert.equal(saidInFrench('something of a vendor'), 'something of a vendor')
    assert.equal(saidInFrench(''), '')
  })
})
