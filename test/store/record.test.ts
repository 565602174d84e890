/** The form in which a record is stored: daemons of several releases read it, so each letter of it is held here. */
import assert from 'node:assert/strict'
import type { DialogueEntry } from '../../src/dialogue/entry.ts'
import { readRecord, writeRecord } from '../../src/store/record.ts'
import { plainSealer } from '../../src/store/seal.ts'
import { heldMb } from '../campaigns/judging/live-memory.ts'
import { PATH, T0 } from '../contract/dialogue-fixture.ts'

const KEY = { group: 'main', msisdn: '67570000001' }
const place = plainSealer.place(KEY)
const TAKEN: DialogueEntry = {
  key: KEY,
  version: 'token',
  turn: 2,
  epoch: 'e1',
  confirmed: null,
  status: 'taken',
  network: '17',
  code: '*123#',
  answer: { kind: 'input', text: '1', step: 3 },
  line: 'akiba',
  returnPath: PATH,
  openedMs: T0,
  touchedMs: T0 + 5,
  untilMs: null,
  ended: null,
  takeovers: 0,
  revision: '',
  reply: null,
  snapshot: null,
  past: [],
  previous: null,
}
const reply = (action: string) => ({ action, text: 'Hi', step: null, link: 'l' }) as DialogueEntry['reply']
const stored = (entry: DialogueEntry) => writeRecord(place, entry, 1_000)
/** A dialogue of a flow, as form 3 has it and as form 4 packs it. */
const SNAPSHOT = {
  value: 'main',
  context: {
    msisdn: '67570000001',
    code: '*123#',
    line: 'akiba',
    language: 'en',
    page: { septets: 182, ucs2: 80 },
    dialled: [],
    answers: {},
    chosen: {},
    data: {},
    vars: {},
    shown: { at: [[0, 0]] as [number, number][], n: 2, more: false },
    notice: '',
    wrong: 0,
    failed: false,
    via: '',
    origin: '',
    resume: null,
  },
}
const PACKED = '["main","en",182,80,0,"",[[[0,0]],2,0]]'
const path = '[1,1,0,0,1,"123","USSD","0a01"]'

describe('a stored dialogue', () => {
  const forms: [string, DialogueEntry, string][] = [
    ['that is taken', TAKEN, `3-token 2 e1\n["t","17","*123#","i","1",3,"akiba",${path},${T0},5,0]\n`],
    [
      'that rests with its reply, unconfirmed',
      {
        ...TAKEN,
        version: 'token/x',
        status: 'resting',
        confirmed: false,
        answer: { kind: 'begin', text: '', step: null },
        revision: 'a@1',
        reply: reply('continue'),
        snapshot: { value: 'main' },
      },
      `3utoken/x 2 e1\n["r","17","*123#","b","",null,"akiba",${path},${T0},5,["a@1","c","Hi",null,"l"]]\n{"value":"main"}`,
    ],
    [
      'that ended, confirmed, with earlier numbers and take-overs',
      {
        ...TAKEN,
        status: 'ended',
        confirmed: true,
        answer: { kind: 'notify-ack', text: '', step: null, isStalled: true },
        revision: 'a@1',
        reply: reply('end'),
        ended: 'completed',
        untilMs: T0 + 105,
        past: ['16', T0 + 9],
        takeovers: 2,
      },
      `3ctoken 2 e1\n["e","17","*123#","n","",null,"akiba",${path},${T0},5,["a@1","e","Hi",null,"l"],0,["16",${T0 + 9}],"completed",100,2,1]\n`,
    ],
    [
      'with what it has heard',
      { ...TAKEN, heard: '00Yr02**' },
      `3-token 2 e1\n["t","17","*123#","i","1",3,"akiba",${path},${T0},5,0,0,0,0,0,0,0,"00Yr02**"]\n`,
    ],
    [
      'with its way and its calls',
      { ...TAKEN, track: { path: 'main:1/4', waitMs: 4_010, backendMs: 250, calls: '2.0a.b=data/250@4012' } },
      `3-token 2 e1\n["t","17","*123#","i","1",3,"akiba",${path},${T0},5,0,0,0,0,0,0,0,0,["main:1/4",4010,250,"2.0a.b=data/250@4012"]]\n`,
    ],
    [
      'with its way and its exact texts',
      { ...TAKEN, track: { path: 'main:1/4', waitMs: 4_010, backendMs: 0, texts: [[1, null, 'Hi']] } },
      `3-token 2 e1\n["t","17","*123#","i","1",3,"akiba",${path},${T0},5,0,0,0,0,0,0,0,0,["main:1/4",4010,0,"",[[1,null,"Hi"]]]]\n`,
    ],
    [
      'with the SMS for who leaves it',
      { ...TAKEN, status: 'resting', revision: 'a@1', reply: reply('continue'), ifLeft: { text: 'Hi' } },
      `3-token 2 e1\n["r","17","*123#","i","1",3,"akiba",${path},${T0},5,["a@1","c","Hi",null,"l"],0,0,0,0,0,0,0,0,{"text":"Hi"}]\n`,
    ],
    [
      'with what stood before it',
      { ...TAKEN, turn: 1, previous: { ...TAKEN, version: 'old', epoch: 'e0' } },
      `3-token 1 e1\n["t","17","*123#","i","1",3,"akiba",${path},${T0},5,0]\n\n["old",2,"e0",null,null,"t","17","*123#","i","1",3,"akiba",${path},${T0},5,0]`,
    ],
  ]
  for (const [title, entry, text] of forms) {
    it(`${title} is read and written as in every release`, () => {
      assert.equal(writeRecord(place, entry, 1_000, 3), text)
      assert.deepEqual(readRecord(place, text), entry)
    })

    it(`${title} differs in form 4 by its first character, as long as it has no flow`, () => {
      assert.equal(stored(entry), `4${text.slice(1)}`)
      assert.deepEqual(readRecord(place, stored(entry)), entry)
    })
  }

  it('with a dialogue of a flow has it packed in form 4, also that before it', () => {
    const previous = { ...TAKEN, version: 'old', epoch: 'e0', line: 'north', snapshot: SNAPSHOT as never }
    const entry = { ...TAKEN, turn: 1, snapshot: SNAPSHOT as never, previous }
    const [, body] = stored(entry).split('\n')
    const before = `["old",2,"e0",null,["main","en",182,80,0,"",[[[0,0]],2,0],0,0,0,0,0,0,0,0,0,0,0,"akiba"],`
    assert.deepEqual(stored(entry).split('\n').slice(0, 3), ['4-token 1 e1', body, PACKED])
    assert.ok(stored(entry).split('\n')[3]!.startsWith(before))
    assert.deepEqual(readRecord(place, stored(entry)), entry)
    const third = writeRecord(place, entry, 1_000, 3)
    assert.equal(third.split('\n')[2], JSON.stringify(SNAPSHOT))
    assert.deepEqual(readRecord(place, third), entry)
  })

  it('has a letter for each kind of reply, and comes back with it', () => {
    const letters = { continue: 'c', end: 'e', notify: 'n', 'push-begin': 'b', 'push-end': 'f', abort: 'a' }
    for (const [action, letter] of Object.entries(letters)) {
      const entry: DialogueEntry = { ...TAKEN, status: 'resting', revision: 'a@1', reply: reply(action) }
      assert.ok(stored(entry).includes(`["a@1","${letter}","Hi",null,"l"]`), action)
      assert.deepEqual(readRecord(place, stored(entry)), entry)
    }
  })

  it('has its epoch in one word, whatever that is', () => {
    for (const epoch of ['e1', 'two words', '', '"quoted"', '-dash', 'ünï']) {
      const entry = { ...TAKEN, epoch }
      assert.equal(stored(entry).split('\n')[0]!.split(' ').length, 3, epoch)
      assert.deepEqual(readRecord(place, stored(entry)), entry)
    }
  })

  it('is not held by its epoch, which outlives it', async () => {
    const text = 'x'.repeat(100_000)
    const before = await heldMb()
    const epochs = Array.from(
      { length: 200 },
      (_, n) =>
        readRecord(place, stored({ ...TAKEN, answer: { ...TAKEN.answer, text }, epoch: `${n}`.padStart(20, 'e') }))
          .epoch,
    )
    const held = (await heldMb()) - before
    assert.equal(epochs[7], '7'.padStart(20, 'e'))
    assert.ok(held < 2, `${held} of some 19 MB`)
  })

  it('of another form is refused: that of a later release by name', () => {
    assert.throws(() => readRecord(place, '5-token 2 e1\n[]\n'), { code: 'newer' })
    assert.throws(() => readRecord(place, '2-token 2 e1\n[]\n'), /not in a form/)
    assert.throws(() => readRecord(place, stored(TAKEN).replace('["t"', '["x"')))
    const lines = stored(TAKEN).split('\n')
    for (const other of [lines.slice(0, 2), [...lines.slice(0, 3), '', '']])
      assert.throws(() => readRecord(place, other.join('\n')), /two lines or three/, `${other.length} lines`)
  })

  it('with a snapshot over the limit is refused, by octets and not by characters', () => {
    const of = (length: number, text: string) => ({ ...TAKEN, snapshot: { a: text.repeat(length) } })
    assert.doesNotThrow(() => writeRecord(place, of(92, 'x'), 100))
    assert.throws(() => writeRecord(place, of(93, 'x'), 100), { code: 'too-large' })
    assert.throws(() => writeRecord(place, of(47, 'ü'), 100), { code: 'too-large' })
  })
})
