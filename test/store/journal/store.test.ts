import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DialogueStore, StoreFault } from '../../../src/dialogue/types.ts'
import { UsageError } from '../../../src/base/errors.ts'
import { journalDialogues, type JournalOptions } from '../../../src/store/journal/store.ts'
import { expectIs, LEASE_MS, LIMITS, dialogueFixture, recordingOf, T0 } from '../../contract/dialogue-fixture.ts'
import { dialogueStoreContract } from '../../contract/dialogue-store.ts'

describe('the dialogue store with a journal', () => {
  dialogueStoreContract(async () => {
    const dir = mkdtempSync(join(tmpdir(), 'ussd-journal-'))
    const stores: DialogueStore[] = []
    return {
      durable: true,
      async open(limits = LIMITS, { recording = recordingOf() } = {}) {
        stores.push(await journalDialogues({ dir, limits, recording }))
        return stores.at(-1)!
      },
      async clear() {
        await Promise.all(stores.map((store) => store.close()))
        rmSync(dir, { recursive: true, force: true })
      },
    }
  })
})

describe('a journal', () => {
  let dir: string
  let faults: StoreFault[]
  let stores: DialogueStore[]
  const file = () => join(dir, 'dialogues.jsonl')
  const open = async (more: Partial<JournalOptions> = {}) => {
    stores.push(await journalDialogues({ dir, limits: LIMITS, onFault: (fault) => faults.push(fault), ...more }))
    return stores.at(-1)!
  }
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'ussd-journal-'))
    faults = []
    stores = []
  })
  afterEach(async () => {
    await Promise.all(stores.map((store) => store.close()))
    rmSync(dir, { recursive: true, force: true })
  })

  it('that ends in half a line is read up to there, reported, and goes on behind it', async () => {
    const before = await open()
    await dialogueFixture(before).asked({ msisdn: '1' })
    await dialogueFixture(before).asked({ msisdn: '2' })
    await before.close()
    truncateSync(file(), statSync(file()).size - 5)
    const after = await open()
    assert.deepEqual(faults, ['torn'])
    assert.equal((await dialogueFixture(after).find({ msisdn: '1' }))?.status, 'resting')
    assert.equal((await dialogueFixture(after).find({ msisdn: '2' }))?.status, 'taken', 'the rest was the last line')
    await dialogueFixture(after).asked({ msisdn: '3' })
    await after.close()
    assert.equal(await (await open()).count(), 3)
    assert.deepEqual(faults, ['torn'])
  })
  it('can be cut at any octet: what stands before is read', async () => {
    const before = await open()
    for (let n = 0; n < 3; n++) await dialogueFixture(before).asked({ msisdn: `é${n}` })
    await before.close()
    const whole = readFileSync(file())
    for (let octets = 0; octets <= whole.length; octets += 7) {
      writeFileSync(file(), whole.subarray(0, octets))
      const lines = whole
        .subarray(0, octets)
        .toString()
        .split('\n')
        .slice(1, -1)
        .filter((line) => line.startsWith('{"put"'))
      const store = await open()
      assert.equal(await store.count(), Math.ceil(lines.length / 2))
      await store.close()
    }
  })
  it('with a damaged line keeps the line apart and the others', async () => {
    const before = await open()
    await dialogueFixture(before).asked({ msisdn: '1' })
    await before.close()
    appendFileSync(file(), '{"put":"main:2","entry":{}}\nnonsense\n{"else":1}\n')
    const after = await open()
    assert.deepEqual(faults, ['corrupt', 'corrupt', 'corrupt'])
    assert.equal(await after.count(), 1)
    assert.match(readFileSync(join(dir, 'dialogues.damaged'), 'utf8'), /nonsense\n/)
    await after.erase('1')
    assert.ok(!existsSync(join(dir, 'dialogues.damaged')), 'erasing leaves nothing that could be the subscriber’s')
  })
  it('of another release is refused, and left alone', async () => {
    writeFileSync(file(), '{"journal":"ussd-dialogues","version":2}\n')
    await assert.rejects(() => open(), UsageError)
    assert.equal(readFileSync(file(), 'utf8'), '{"journal":"ussd-dialogues","version":2}\n')
    writeFileSync(file(), '')
    await open()
  })
  it('is rewritten when it grew, and holds the same afterwards', async () => {
    const store = await open({ compactOctets: 20_000 })
    const { asked, answer, rest, find, drop } = dialogueFixture(store)
    await asked({ msisdn: '1' })
    await asked({ msisdn: '2' })
    await drop({}, { msisdn: '2' })
    let largest = 0
    for (let turn = 2; turn < 200; turn++) {
      expectIs(await answer({ msisdn: '1', token: `t${turn}` }), 'next')
      await rest({ token: `t${turn}` }, { msisdn: '1' })
      largest = Math.max(largest, statSync(file()).size)
    }
    assert.ok(largest < 25_000, `${largest} octets`)
    const records = [await find({ msisdn: '1' }), await find({ msisdn: '2' })]
    await store.close()
    const after = dialogueFixture(await open())
    assert.deepEqual([await after.find({ msisdn: '1' }), await after.find({ msisdn: '2' })], records)
    assert.deepEqual(readdirSync(dir).toSorted(), ['dialogues.jsonl', 'dialogues.lock'])
  })
  it('ignores what an interrupted rewriting left', async () => {
    const before = await open()
    await dialogueFixture(before).asked()
    await before.close()
    writeFileSync(`${file()}.new`, 'half of')
    assert.equal(await (await open()).count(), 1)
    assert.ok(!existsSync(`${file()}.new`))
  })
  it('holds no octet of a subscriber who was erased', async () => {
    const store = await open()
    await dialogueFixture(store).asked({ msisdn: '67570000009' })
    await dialogueFixture(store).asked({ msisdn: '67570000001', text: 'x' })
    await store.erase('67570000001')
    // The return path of every scene names 67570000001; the other subscriber's stays.
    assert.ok(!readFileSync(file(), 'utf8').includes('main:67570000001'))
    assert.ok(readFileSync(file(), 'utf8').includes('main:67570000009'))
  })
  it('with fsync says that nothing is lost, without what may be', async () => {
    const synced = await open({ fsync: true })
    await dialogueFixture(synced).asked()
    assert.deepEqual(await synced.check(), { durable: true, notes: [] })
    await synced.close()
    const { durable, notes } = await (await open()).check()
    assert.equal(durable, true)
    assert.match(notes[0]!, /loses power/)
  })
  it('is not for others to read', async () => {
    await open()
    assert.equal(statSync(file()).mode & 0o077, 0)
  })
})

describe('the lock on a data directory', () => {
  let dir: string
  const lock = () => join(dir, 'dialogues.lock')
  const open = () => journalDialogues({ dir, limits: LIMITS })
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'ussd-lock-'))))
  afterEach(() => rmSync(dir, { recursive: true, force: true }))

  it('refuses a second one, in this process and in another', async () => {
    const store = await open()
    await assert.rejects(
      () => open(),
      (error: Error) => error instanceof UsageError && error.message.includes(String(process.pid)),
    )
    await store.close()
    writeFileSync(lock(), `${process.ppid}\n`)
    await assert.rejects(
      () => open(),
      (error: Error) => error instanceof UsageError && error.message.includes(String(process.ppid)),
    )
  })
  it('is given up at close', async () => {
    await (await open()).close()
    assert.ok(!existsSync(lock()))
    await (await open()).close()
  })
  it('of a dead process is taken over, and of one whose number another process has now', async () => {
    const child = spawn(process.execPath, ['-e', ''], { stdio: 'ignore' })
    await new Promise((done) => child.once('exit', done))
    for (const stale of [`${child.pid} 1\n`, `${process.pid}\n`, `${process.ppid} 1\n`, '', 'nonsense']) {
      writeFileSync(lock(), stale)
      await (await open()).close()
    }
    assert.deepEqual(readdirSync(dir), ['dialogues.jsonl'])
  })
})

/** Runs a program with the store in `dir` in a process of its own; answers what it printed and how it ended. */
async function inChild(
  dir: string,
  body: string,
  before = '',
): Promise<{ out: string; signal: NodeJS.Signals | null }> {
  const url = (path: string) => JSON.stringify(new URL(path, import.meta.url).href)
  const program = `
    import { journalDialogues } from ${url('../../../src/store/journal/store.ts')}
    import { dialogueFixture, LIMITS } from ${url('../../contract/dialogue-fixture.ts')}
    const store = await journalDialogues({ dir: process.env.DIALOGUES_DIR, limits: LIMITS })
    const { asked, answer, begin, find, confirm } = dialogueFixture(store)
    ${body}`
  const child = spawn(
    '/bin/sh',
    ['-c', `${before} exec "$0" --import tsx --input-type=module -e "$PROGRAM"`, process.execPath],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, DIALOGUES_DIR: dir, PROGRAM: program },
    },
  )
  let out = ''
  child.stdout.on('data', (octets) => (out += String(octets)))
  await new Promise((done) => child.once('close', done))
  return { out, signal: child.signalCode }
}

describe('a daemon with a journal', () => {
  let dir: string
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'ussd-child-'))))
  afterEach(() => rmSync(dir, { recursive: true, force: true }))

  it('that is killed has journalled what it answered: the turn is taken over with its answer', async () => {
    const { signal } = await inChild(
      dir,
      `
      await asked({ msisdn: '1' })
      await answer({ msisdn: '1', text: 'the answer', token: 'dead' })
      await asked({ msisdn: '2' })
      process.kill(process.pid, 'SIGKILL')
    `,
    )
    assert.equal(signal, 'SIGKILL')
    const store = await journalDialogues({ dir, limits: LIMITS })
    const { overdue, rest } = dialogueFixture(store)
    const due = await overdue(T0 + LEASE_MS, 'mine')
    assert.deepEqual(
      due.map((one) => [one.is, one.record.turn, one.record.answer.text]),
      [['abandoned', 2, 'the answer']],
    )
    assert.equal(await rest({ token: 'mine', epoch: due[0]!.record.epoch }, { msisdn: '1' }), true)
    assert.equal(await store.count(), 2)
    await store.close()
  })
  it('that is killed may show those screens again that the SMSC accepted after its last write, and no others', async () => {
    const { signal } = await inChild(
      dir,
      `
      for (const [msisdn, ended] of [['1', null], ['2', 'completed'], ['3', null], ['4', 'completed']]) {
        const epoch = await asked({ msisdn }, { ended })
        await confirm(epoch, 1, { msisdn })
      }
      process.kill(process.pid, 'SIGKILL')
    `,
    )
    assert.equal(signal, 'SIGKILL')
    const store = await journalDialogues({ dir, limits: LIMITS })
    const { overdue, find } = dialogueFixture(store)
    const due = await overdue(T0 + LIMITS.confirmMs)
    assert.deepEqual(
      due.map((one) => [one.is, one.record.key.msisdn]),
      [['unconfirmed', '4']],
    )
    for (const msisdn of ['1', '2', '3', '4']) assert.ok(await find({ msisdn }), 'no dialogue is lost')
    await store.close()
  })
  it('that cannot write any more fails the call, and what it failed has not happened', async () => {
    // A limit on the size of files stands for a full disk: 2000 blocks of 512 octets.
    const { out } = await inChild(
      dir,
      `
      let n = 0
      for (;;) {
        const failed = await begin({ msisdn: String(n) }).then(() => null, (error) => error)
        if (failed) {
          const ready = await store.check().then(() => 'ready', (error) => error.message)
          console.log(JSON.stringify({ n, code: failed.code, message: failed.message, found: await find({ msisdn: String(n) }), ready }))
          break
        }
        n++
      }
    `,
      'ulimit -f 2000;',
    )
    const { n, code, message, found, ready } = JSON.parse(out) as {
      n: number
      code: string
      message: string
      found: unknown
      ready: string
    }
    assert.equal(code, 'down')
    assert.match(message, /journal cannot be written \(EFBIG\)/)
    assert.equal(ready, message)
    assert.equal(found, null)
    const faults: StoreFault[] = []
    const store = await journalDialogues({ dir, limits: LIMITS, onFault: (fault) => faults.push(fault) })
    assert.equal(await store.count(), n)
    assert.deepEqual(faults, [], 'no half line was left')
    await store.close()
  })
})
