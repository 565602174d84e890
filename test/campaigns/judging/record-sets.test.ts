import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { differences, readMediation, setBreaches, type RecordSets } from './record-sets.ts'

const SETS: RecordSets = {
  seen: ['e1'],
  opened: ['e1', 'e2'],
  sms: ['sms-7'],
  promised: ['e2'],
  asked: ['e1', 'e2'],
  turnedAway: ['t1'],
  recorded: ['dialogue e1', 'dialogue e2', 'sms sms-7-1000', 'deferred e2', 'refused t1'],
  filed: ['dialogue e2', 'dialogue e1', 'sms sms-7-1000', 'refused t1', 'deferred e2'],
}

describe('the sets of what was opened, recorded and filed', () => {
  it('are the same where each dialogue and each SMS has one record, in one file', () => {
    assert.deepEqual(setBreaches(SETS), [])
  })
  it('tell what has no record, or two, and what is in no file, or twice', () => {
    const told = (more: Partial<RecordSets>) => setBreaches({ ...SETS, ...more })
    assert.deepEqual(told({ opened: ['e1', 'e2', 'e3'] }), ['no record: dialogue e3'])
    assert.deepEqual(told({ sms: ['sms-7', 'sms-8'] }), ['no record: sms sms-8'])
    assert.deepEqual(told({ recorded: [...SETS.recorded, 'dialogue e1'] }), ['two records: dialogue e1'])
    assert.deepEqual(told({ filed: SETS.filed.slice(1) }), ['recorded and in no file: dialogue e2'])
    assert.deepEqual(told({ filed: [...SETS.filed, 'dialogue e1'] }), ['twice in files: dialogue e1'])
  })
  it('tell what was recorded or seen, and never was', () => {
    assert.deepEqual(setBreaches({ ...SETS, opened: ['e1'] }), ['a record of what never was: dialogue e2'])
    assert.deepEqual(setBreaches({ ...SETS, seen: ['e1', 'e9'] }), ['seen and never opened: e9'])
    assert.deepEqual(setBreaches({ ...SETS, filed: [...SETS.filed, 'dialogue e9'] }), [
      'in a file and not recorded: dialogue e9',
    ])
  })
  it('tell answers that were promised and have no record, and records of those that nobody asked for', () => {
    const told = (...promised: string[]) => setBreaches({ ...SETS, promised })
    assert.deepEqual(told('e1', 'e2'), ['no record: deferred e1'])
    assert.deepEqual(told(), [], 'the phone may have missed the holding text')
    assert.deepEqual(setBreaches({ ...SETS, promised: [], asked: ['e1'] }), ['a record of what never was: deferred e2'])
    assert.deepEqual(setBreaches({ ...SETS, turnedAway: [] }), ['a record of what never was: refused t1'])
  })
  it('of two kinds differ by what is missing, too much, or twice', () => {
    assert.deepEqual(differences('record', ['a', 'b'], ['b', 'a', 'c'], ['c']), [])
    assert.deepEqual(differences('record', ['a', 'b'], ['b', 'b', 'c']), [
      'no record: a',
      'record, of what never was: c',
      'two of record: b',
    ])
  })
})

describe('files for mediation, read', () => {
  let dir: string
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'ussd-sets-'))))
  afterEach(() => rmSync(dir, { recursive: true, force: true }))
  const hashOf = (text: string) => createHash('sha256').update(text).digest('hex')
  const csv = (seq: number, rows: string[], more: { count?: number; hash?: string } = {}) => {
    const body = `epoch,kind\n${rows.map((row) => `${row}\n`).join('')}`
    const end = `END,${more.count ?? rows.length},${more.hash ?? hashOf(body)}\n`
    writeFileSync(join(dir, `acme-0000000${seq}-20261130T10150${seq}Z.csv`), body + end)
  }

  it('give their rows, in both forms; a part is none', () => {
    csv(1, ['e1,dialogue', 't1,refused,,,67570000001,a'])
    csv(2, [])
    const body = `${JSON.stringify({ epoch: 'sms-7-1', kind: 'sms' })}\n`
    const end = `${JSON.stringify({ end: true, rows: 1, sha256: hashOf(body) })}\n`
    writeFileSync(join(dir, 'house-00000001-20261130T101500Z.ndjson'), body + end)
    writeFileSync(join(dir, 'house-00000002-20261130T102000Z.ndjson.part'), 'half of i')
    const rows = ['dialogue e1', 'refused t1', 'sms sms-7-1']
    assert.deepEqual(readMediation(dir), { rows, numbers: ['67570000001'], files: 3, empty: 1, wrong: [] })
  })
  it('are wrong where a number is left out, or a count or a hash is another, or there is no end', () => {
    csv(2, ['e1,dialogue'])
    csv(3, ['e1,dialogue'], { count: 2 })
    csv(4, ['e1,dialogue'], { hash: 'x' })
    writeFileSync(join(dir, 'house-00000001-20261130T101500Z.ndjson'), '{"epoch":"e1","kind":"dialogue"}\n')
    const { wrong } = readMediation(dir)
    assert.match(wrong[0]!, /00000002-.* follows number 0/)
    assert.match(wrong[1]!, /1 rows, and its trailer says 2/)
    assert.match(wrong[2]!, /its hash is another/)
    assert.ok(wrong.slice(3).every((one) => one.startsWith('house')) && wrong.length > 3)
  })
})
