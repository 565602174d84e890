/** Read, decide, write, over a register that answers as a test says: what is asked of it, and what comes of each answer. */
import assert from 'node:assert/strict'
import { StoreError } from '../../src/base/errors.ts'
import { createDecider } from '../../src/dialogue/decider.ts'
import { recordOf, type DialogueEntry } from '../../src/dialogue/entry.ts'
import { seizeDue } from '../../src/dialogue/seizing.ts'
import type { DialogueRegister, Held, Write } from '../../src/dialogue/types.ts'
import { LIMITS, PATH, recordingOf, T0 } from '../contract/dialogue-fixture.ts'

const KEY = { group: 'main', msisdn: '67570000001' }
const DOWN = new StoreError('down', 'no answer in time')
const ENTRY: DialogueEntry = {
  key: KEY,
  epoch: 'E1',
  status: 'resting',
  network: '17',
  turn: 2,
  revision: 'shop@1',
  code: '*123#',
  line: 'akiba',
  snapshot: { value: 'main' },
  answer: { kind: 'input', text: '1', step: null },
  reply: { action: 'continue', text: 'How many?', step: null, link: 'link-a' },
  returnPath: PATH,
  openedMs: T0,
  touchedMs: T0,
  ended: null,
  version: 'v1',
  confirmed: true,
  past: [],
  untilMs: null,
  previous: null,
}
const held = (version: string, more: Partial<DialogueEntry> = {}): Held => ({
  entry: { ...ENTRY, version, ...more },
  at: 'here',
})
const write = (version: string, more: Partial<Write> = {}): Write => ({
  from: null,
  entry: { ...ENTRY, version },
  nowMs: T0,
  ...more,
})

type Answer<T> = T | Error
interface Answers {
  /** What this process wrote last. */
  recalls?: Held
  /** What it says of that after a refused write. */
  isOutdated?: boolean
  reads?: Answer<Held | null | undefined>[]
  writes?: Answer<Held | null>[]
  touches?: Answer<boolean>[]
  due?: string[]
}

/** The last answer of each kind is repeated. */
function register({ recalls, isOutdated, reads = [null], writes = [null], touches = [true], due = [] }: Answers) {
  const calls: unknown[][] = []
  const next = async <T>(all: Answer<T>[]): Promise<T> => {
    const one = all.length > 1 ? all.shift()! : all[0]!
    if (one instanceof Error) throw one
    return one
  }
  const one = {
    read: (where: unknown, how: object) => (calls.push(['read', where, how]), next(reads)),
    write: (where: unknown, what: Write) => (calls.push(['write', where, what.entry.version]), next(writes)),
    touch: (...of: unknown[]) => (calls.push(['touch', ...of]), next(touches)),
    due: async (...of: unknown[]) => (calls.push(['due', ...of]), due),
    ...(recalls && {
      recall: (...of: unknown[]) => (calls.push(['recall', ...of]), recalls),
      isOutdated: (...of: unknown[]) => (calls.push(['is outdated', ...of]), isOutdated),
    }),
  } as unknown as DialogueRegister
  return { register: one, calls, decider: createDecider(one) }
}

describe('a look at a record', () => {
  it('refuses what cannot be read, unless it is told otherwise, and finds nothing where there is nothing', async () => {
    const one = held('v1')
    const { decider, calls } = register({ reads: [one, undefined, null] })
    assert.equal(await decider.look(KEY, T0), one)
    assert.equal(await decider.look('name', T0 + 1, 'leave'), null)
    assert.equal(await decider.look(KEY, T0), null)
    assert.deepEqual(calls.slice(0, 2), [
      ['read', KEY, { nowMs: T0, unreadable: 'refuse' }],
      ['read', 'name', { nowMs: T0 + 1, unreadable: 'leave' }],
    ])
  })
})

describe('a write of a record', () => {
  const written = (answers: Answers, unreadable?: 'leave') => {
    const { decider, calls } = register(answers)
    return { calls, result: decider.write('name', write('mine'), unreadable) }
  }
  it('is done where the register says so, and nobody looks again', async () => {
    const mine = held('mine')
    const { calls, result } = written({ writes: [mine] })
    assert.deepEqual([await result, calls.length], [{ held: mine }, 1])
  })
  it('that was refused tells what stands there; which may be itself, if its first answer was lost', async () => {
    const other = held('other')
    const refused = written({ reads: [other] }, 'leave')
    assert.deepEqual(await refused.result, { now: other })
    assert.deepEqual(refused.calls.at(-1), ['read', 'name', { nowMs: T0, unreadable: 'leave' }])
    assert.deepEqual(await written({ reads: [null] }).result, { now: null })
    const mine = held('mine')
    assert.deepEqual(await written({ reads: [mine] }).result, { held: mine })
  })
  it('whose answer was lost is done if it stands there, and else has failed with that', async () => {
    const mine = held('mine')
    assert.deepEqual(await written({ writes: [DOWN], reads: [mine] }).result, { held: mine })
    for (const stands of [null, held('other'), new StoreError('down', 'away too')])
      await assert.rejects(written({ writes: [DOWN], reads: [stands] }).result, DOWN)
  })
  it('that failed otherwise has failed, and nobody looks again', async () => {
    for (const failure of [new StoreError('too-large', 'x'), new Error('a bug')]) {
      const { calls, result } = written({ writes: [failure], reads: [held('mine')] })
      await assert.rejects(result, failure)
      assert.equal(calls.length, 1)
    }
  })
  it('that was refused fails as the look after it', async () => {
    await assert.rejects(written({ reads: [DOWN] }).result, DOWN)
  })
})

describe('a decision that may be made of what this process wrote last', () => {
  const about = { key: KEY, nowMs: T0, mayRecall: true }
  const [v1, v2, mine] = [held('v1'), held('v2'), held('mine')]
  const what = (calls: unknown[][]) => calls.map(([name]) => name)
  /** Decides to write, and keeps what it was made of. */
  const decides = () => {
    const seen: unknown[] = []
    return {
      seen,
      by: (...of: [Held | null, Held | null]) => (seen.push(of), { result: seen.length, write: write('mine') }),
    }
  }

  it('reads nothing if it writes', async () => {
    const { decider, calls } = register({ recalls: v1, writes: [mine] })
    const { seen, by } = decides()
    assert.deepEqual(await decider.decide(about, by), { result: 1, held: mine })
    assert.deepEqual([seen, what(calls)], [[[v1, v1]], ['recall', 'write']])
    assert.deepEqual(calls[0], ['recall', KEY, T0])
  })
  it('reads where nothing is known, or where it may not', async () => {
    const unknown = register({ reads: [v1], writes: [mine] })
    assert.deepEqual(await unknown.decider.decide(about, decides().by), { result: 1, held: mine })
    const { decider, calls } = register({ recalls: v1, reads: [v2], writes: [mine] })
    await decider.decide({ key: KEY, nowMs: T0 }, decides().by)
    assert.deepEqual(what(calls), ['read', 'write'])
  })
  it('is made again of what is read, as if for the first time, if it would write nothing', async () => {
    const { decider, calls } = register({ recalls: v1, reads: [v2], writes: [mine] })
    const seen: unknown[] = []
    const decided = await decider.decide({ ...about, unreadable: 'replace' }, (...of) => {
      seen.push(of)
      return seen.length === 1 ? { result: 'copy' } : { result: 'next', write: write('mine') }
    })
    assert.deepEqual(decided, { result: 'next', held: mine })
    assert.deepEqual(seen, [
      [v1, v1],
      [v2, v2],
    ])
    assert.deepEqual(calls[1], ['read', KEY, { nowMs: T0, unreadable: 'replace' }])
    const nothing = register({ recalls: v1, reads: [v2] })
    assert.deepEqual(await nothing.decider.decide(about, () => ({ result: 'copy' })), { result: 'copy', held: v2 })
  })
  it('is made again as if for the first time if another process had replaced it', async () => {
    const { decider, calls } = register({ recalls: v1, isOutdated: true, reads: [v2], writes: [null, mine] })
    const { seen, by } = decides()
    assert.deepEqual(await decider.decide(about, by), { result: 2, held: mine })
    assert.deepEqual(seen, [
      [v1, v1],
      [v2, v2],
    ])
    assert.deepEqual(calls[2], ['is outdated', KEY, v1])
  })
  it('knows what it was first made of if another write of this process was faster', async () => {
    const { decider } = register({ recalls: v1, isOutdated: false, reads: [v2], writes: [null, mine] })
    const { seen, by } = decides()
    await decider.decide(about, by)
    assert.deepEqual(seen, [
      [v1, v1],
      [v2, v1],
    ])
  })
  it('counts what it met, if it was outdated, as what stood there first, also when another is faster once more', async () => {
    const v3 = held('v3')
    const { decider, calls } = register({ recalls: v1, isOutdated: true, reads: [v2, v3], writes: [null, null, mine] })
    const { seen, by } = decides()
    await decider.decide(about, by)
    assert.deepEqual(seen, [
      [v1, v1],
      [v2, v2],
      [v3, v2],
    ])
    assert.equal(calls.filter(([name]) => name === 'is outdated').length, 1)
  })
  it('stands though its answer was lost, if it was written; and is not asked whether it was outdated', async () => {
    const done = register({ recalls: v1, reads: [mine], writes: [DOWN] })
    assert.deepEqual(await done.decider.decide(about, decides().by), { result: 1, held: mine })
    assert.deepEqual(what(done.calls), ['recall', 'write', 'read'])
    const failing = register({ recalls: v1, reads: [v2], writes: [DOWN] })
    await assert.rejects(failing.decider.decide(about, decides().by), DOWN)
  })
  it('is made six times, and then left to be made later; and fails where it fails', async () => {
    const { decider, calls } = register({ recalls: v1, isOutdated: true, reads: [v2] })
    assert.equal(await decider.decide(about, decides().by), null)
    assert.equal(calls.filter(([name]) => name === 'write').length, 6)
    const by = () => {
      throw new Error('a bug')
    }
    await assert.rejects(decider.decide(about, by), /a bug/)
  })
})

describe('a decision', () => {
  const about = { key: KEY, nowMs: T0 }
  it('is made from what stands there, and writes nothing unless it wants to', async () => {
    const one = held('v1')
    for (const stands of [one, null, undefined]) {
      const { decider, calls } = register({ reads: [stands] })
      const seen: unknown[] = []
      const decided = await decider.decide(about, (...of) => (seen.push(of), { result: 7 }))
      assert.deepEqual([decided, seen], [{ result: 7, held: stands ?? null }, [[stands ?? null, stands ?? null]]])
      assert.deepEqual(calls, [['read', KEY, { nowMs: T0, unreadable: 'refuse' }]])
    }
  })
  it('is made at once from what is at hand', async () => {
    const [one, mine] = [held('v1'), held('mine')]
    const { decider, calls } = register({ writes: [mine] })
    const decided = await decider.decide({ ...about, held: one }, (now) => ({
      result: now?.entry.version,
      write: write('mine'),
    }))
    assert.deepEqual(decided, { result: 'v1', held: mine })
    assert.deepEqual(calls, [['write', KEY, 'mine']])
  })
  it('fails where it fails, at once or not', async () => {
    const by = () => {
      throw new Error('a bug')
    }
    const { decider } = register({})
    await assert.rejects(decider.decide(about, by), /a bug/)
    await assert.rejects(decider.decide({ ...about, held: held('v1') }, by), /a bug/)
  })
  it('is made again of what stands there by now, and is told what it was made of first', async () => {
    const [first, second, mine] = [held('v1'), held('v2'), held('mine')]
    const { decider, calls } = register({ reads: [first, second], writes: [null, mine] })
    const seen: unknown[] = []
    const decided = await decider.decide({ ...about, unreadable: 'replace' }, (...of) => {
      seen.push(of)
      return { result: seen.length, write: write('mine') }
    })
    assert.deepEqual(decided, { result: 2, held: mine })
    assert.deepEqual(seen, [
      [first, first],
      [second, first],
    ])
    const reads = calls.filter(([what]) => what === 'read').map(([, , how]) => how)
    const how = { nowMs: T0, unreadable: 'replace' }
    assert.deepEqual(reads, [how, how])
  })
  it('refuses what it cannot read, also when it looks again, unless it is told otherwise', async () => {
    const how = { nowMs: T0, unreadable: 'refuse' }
    for (const at of [undefined, held('v1')]) {
      const { decider, calls } = register({ writes: [null, held('mine')] })
      await decider.decide({ ...about, held: at }, () => ({ result: 1, write: write('mine') }))
      const reads = calls.filter(([what]) => what === 'read').map(([, , of]) => of)
      assert.deepEqual(reads, at ? [how] : [how, how])
    }
  })
  it('stands though its answer was lost, if it was written', async () => {
    const mine = held('mine')
    const { decider } = register({ reads: [null, mine], writes: [DOWN] })
    assert.deepEqual(await decider.decide(about, () => ({ result: 1, write: write('mine') })), {
      result: 1,
      held: mine,
    })
    const failing = register({ reads: [null, held('other')], writes: [DOWN] })
    await assert.rejects(
      failing.decider.decide(about, () => ({ result: 1, write: write('mine') })),
      DOWN,
    )
  })
  it('is made five times, and then left to be made later', async () => {
    let times = 0
    const { decider, calls } = register({ reads: [held('v1')] })
    assert.equal(await decider.decide(about, () => ({ result: ++times, write: write('mine') })), null)
    assert.deepEqual([times, calls.filter(([what]) => what === 'write').length], [5, 5])
    const given = register({ reads: [held('v1')] })
    assert.equal(
      await given.decider.decide({ ...about, held: held('v0') }, () => ({ result: 1, write: write('mine') })),
      null,
    )
    assert.equal(given.calls.filter(([what]) => what === 'write').length, 5)
    const last = register({ reads: [null], writes: [null, null, null, null, held('mine')] })
    assert.equal((await last.decider.decide(about, () => ({ result: 1, write: write('mine') })))?.result, 1)
  })
})

describe('what is due', () => {
  const [taken, resting] = [
    held('t1/a', { status: 'taken', confirmed: null, takeovers: 1 }),
    held('v1', { confirmed: false }),
  ]
  const late = T0 + 20_000
  const seizing = { nowMs: late, token: 'sweeper', leaseUntilMs: late + 3_000 }
  const recording = recordingOf()
  function seized(answers: Answers) {
    const records: unknown[] = []
    const { register: one, calls, decider } = register(answers)
    const deps = { register: one, limits: LIMITS, recording }
    const watched = {
      ...decider,
      write: (...of: Parameters<typeof decider.write>) => {
        records.push(of[1].records, of[1].dueMs, of[1].dueByMs, of[1].nowMs, of[2])
        return decider.write(...of)
      },
    }
    return { calls, records, run: () => seizeDue({ ...deps, decider: watched }, 9, seizing) }
  }
  it('is nothing where nothing is', async () => {
    const { calls, run } = seized({})
    assert.deepEqual([await run(), calls], [[], [['due', late, 9]]])
  })
  it('leaves the index where its record is gone, and stays where another daemon can read it', async () => {
    const gone = seized({ due: ['n'], reads: [null] })
    assert.deepEqual(await gone.run(), [])
    assert.deepEqual(gone.calls.slice(1), [
      ['read', 'n', { nowMs: late, unreadable: 'leave' }],
      ['touch', 'n', null, null, late],
    ])
    const newer = seized({ due: ['n'], reads: [undefined] })
    assert.deepEqual([await newer.run(), newer.calls.length], [[], 2])
  })
  it('is moved, and given to who moved it, where a reply is only to be sent again', async () => {
    const { calls, run } = seized({ due: ['n'], reads: [resting] })
    const [one, ...more] = await run()
    assert.deepEqual([one, more], [{ is: 'unconfirmed', record: recordOf(resting.entry) }, []])
    assert.deepEqual(calls.at(-1), ['touch', 'n', 'v1', late + LIMITS.confirmMs, late])
    const lost = seized({ due: ['n'], reads: [resting], touches: [false] })
    assert.deepEqual(await lost.run(), [], 'another daemon moved it')
    const nothing = seized({ due: ['n'], reads: [held('v1')] })
    assert.deepEqual([await nothing.run(), nothing.calls.at(-1)?.[0]], [[], 'touch'])
  })
  it('is a turn to be played again, under the token of its new entry, for who wrote that', async () => {
    const mine = held('sweeper', { status: 'taken' })
    const previous = { ...ENTRY, version: 'p', epoch: 'E0', status: 'ended' as const }
    for (const before of [null, previous]) {
      const stands = held('t1/a', { status: 'taken', confirmed: null, takeovers: 1, previous: before })
      const { run, records } = seized({ due: ['n'], reads: [stands], writes: [mine] })
      const [one] = await run()
      assert.ok(one?.is === 'abandoned')
      const { epoch, takeovers } = one.record
      assert.deepEqual([epoch, takeovers, one.token, one.held], ['E1', 2, 'sweeper', mine])
      assert.equal(one.previous?.epoch, before?.epoch)
      assert.equal(one.previous && 'version' in one.previous, before && false)
      assert.deepEqual(records, [undefined, seizing.leaseUntilMs, late, late, 'leave'])
    }
    const lost = seized({ due: ['n'], reads: [taken, held('other')] })
    assert.deepEqual(await lost.run(), [], 'another daemon was faster')
  })
  it('has ended, with its record, where nobody answered', async () => {
    const over = held('v1', { touchedMs: late - LIMITS.idleMs, openedMs: late - LIMITS.idleMs })
    const { run, records } = seized({ due: ['n'], reads: [over], writes: [over] })
    const [one] = await run()
    assert.deepEqual([one?.is, one?.record.ended, one?.record.status], ['ended', 'idle', 'ended'])
    assert.deepEqual(
      (records[0] as { reason: string }[]).map(({ reason }) => reason),
      ['idle'],
    )
  })
  it('belongs to its caller though some of it failed; where all failed, that is said', async () => {
    const some = seized({ due: ['a', 'b', 'c'], reads: [DOWN, resting] })
    assert.equal((await some.run()).length, 2)
    await assert.rejects(seized({ due: ['a', 'b'], reads: [DOWN] }).run(), DOWN)
  })
})
