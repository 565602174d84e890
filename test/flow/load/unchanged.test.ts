/** Files that were not changed are not read; whatever way they are changed, they are read. Counted, not timed. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import files from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mock } from 'node:test'
import { monotonicClock } from '../../../src/base/time/monotonic-clock.ts'
import type { LoadedFlow } from '../../../src/flow/load/folder.ts'
import { flowFolder } from '../../../src/flow/load/unchanged.ts'
import { fakeClock } from '../../support/clock.ts'

const textOf = (words: string) =>
  `flow: a\nspec: 1\nstart: main\nlanguages: [en]\nscreens:\n  main: { end: ${words} }\n`
/** Both texts are of one length: size says nothing. */
const [ONE, TWO] = [textOf('One'), textOf('Two')]
const EVERY_MS = 2_000

describe('flow files that were not changed', () => {
  let dir: string
  let clock: ReturnType<typeof fakeClock>
  let loaded: ReadonlyMap<string, LoadedFlow>
  let folder: ReturnType<typeof flowFolder>
  const a = () => join(dir, 'a.yaml')
  const words = () => /end: (\w+)/.exec(loaded.get('a')!.source.text)![1]
  /** How many files one look read. */
  const look = async (): Promise<number> => {
    const read = mock.method(files, 'readFile')
    syncBuiltinESMExports()
    try {
      clock.set(EVERY_MS)
      loaded = (await folder.look(loaded)).entries
      return read.mock.callCount()
    } finally {
      read.mock.restore()
      syncBuiltinESMExports()
    }
  }
  const looks = async (times: number) => {
    const counts: number[] = []
    for (let n = 0; n < times; n++) counts.push(await look())
    return counts
  }
  /** Opens the folder, and looks until its files are believed. */
  const open = async (path = dir) => {
    folder = flowFolder({ folder: path, now: monotonicClock(clock) })
    loaded = (await folder.read(new Map())).entries
    assert.deepEqual(await looks(3), [1, 0, 0])
    assert.equal(words(), 'One')
  }

  beforeEach(() => {
    dir = fs.mkdtempSync(join(tmpdir(), 'ussd-flows-'))
    clock = fakeClock()
    fs.writeFileSync(a(), ONE)
  })
  afterEach(() => fs.rmSync(dir, { recursive: true, force: true }))

  it('are read once a minute, and by whoever asks for it', async () => {
    await open()
    const counts = await looks(60)
    assert.equal(counts.filter(Boolean).length, 2, counts.join(' '))
    const read = mock.method(files, 'readFile')
    syncBuiltinESMExports()
    await folder.read(loaded)
    assert.equal(read.mock.callCount(), 1)
    read.mock.restore()
    syncBuiltinESMExports()
  })

  it('are the very flows that were there, not compiled again', async () => {
    await open()
    const was = loaded.get('a')!.flow
    await looks(40)
    assert.equal(loaded.get('a')!.flow, was)
  })

  it('an editor that keeps size and time of the file is noticed', async () => {
    await open()
    const { atime, mtime } = fs.statSync(a())
    fs.writeFileSync(a(), TWO)
    fs.utimesSync(a(), atime, mtime)
    await look()
    assert.equal(words(), 'Two')
  })

  it('another file put in its place is noticed, with the same size and time', async () => {
    const draft = join(dir, 'draft')
    fs.writeFileSync(draft, TWO)
    const { atime, mtime } = fs.statSync(a())
    fs.utimesSync(draft, atime, mtime)
    await open()
    fs.renameSync(draft, a())
    await look()
    assert.equal(words(), 'Two')
  })

  it('a link to another folder of the same files, sizes and times is noticed', async () => {
    const releases = ['first', 'second'].map((name) => join(dir, name))
    for (const [n, release] of releases.entries()) {
      fs.mkdirSync(release)
      fs.writeFileSync(join(release, 'a.yaml'), n === 0 ? ONE : TWO)
      fs.utimesSync(join(release, 'a.yaml'), 1_700_000_000, 1_700_000_000)
    }
    const current = join(dir, 'current')
    fs.symlinkSync(releases[0]!, current)
    await open(current)
    fs.symlinkSync(releases[1]!, `${current}.new`)
    fs.renameSync(`${current}.new`, current)
    await look()
    assert.equal(words(), 'Two')
  })

  it('a change after the clock was set back is noticed', async () => {
    await open()
    clock.set(-3_600_000)
    fs.writeFileSync(a(), TWO)
    await look()
    assert.equal(words(), 'Two')
  })

  it('a new catalogue, a new part and a file that goes are noticed', async () => {
    await open()
    fs.writeFileSync(join(dir, 'a.tpi.yaml'), 'language: tpi\ntexts: {}\n')
    await look()
    assert.match(loaded.get('a')!.problems[0]!.where, /a\.tpi\.yaml/)
    await looks(2)
    assert.equal(await look(), 0)
    fs.mkdirSync(join(dir, 'parts'))
    fs.writeFileSync(join(dir, 'parts', 'p.yaml'), '')
    assert.notEqual(await look(), 0)
    fs.unlinkSync(a())
    await look()
    assert.equal(loaded.get('a')!.files, '')
  })

  describe('where the file system tells nothing of a change', () => {
    const still = () => {
      const real = files.stat
      let first: unknown
      // Whatever is asked, what it said first: as within one tick of its clock.
      const stat = mock.method(files, 'stat', async (...of: Parameters<typeof real>) => (first ??= await real(...of)))
      syncBuiltinESMExports()
      return () => {
        stat.mock.restore()
        syncBuiltinESMExports()
      }
    }

    it('a second write within the same tick is noticed at the next look', async () => {
      const restore = still()
      try {
        folder = flowFolder({ folder: dir, now: monotonicClock(clock) })
        loaded = (await folder.read(new Map())).entries
        fs.writeFileSync(a(), TWO)
        await look()
        assert.equal(words(), 'Two')
      } finally {
        restore()
      }
    })

    it('any change is noticed within a minute', async () => {
      const restore = still()
      try {
        await open()
        fs.writeFileSync(a(), TWO)
        await looks(60_000 / EVERY_MS)
        assert.equal(words(), 'Two')
      } finally {
        restore()
      }
    })
  })

  it('files of which nothing is known are read at every look', async () => {
    await open()
    const stat = mock.method(files, 'stat', async () => {
      throw Object.assign(new Error('no'), { code: 'EIO' })
    })
    syncBuiltinESMExports()
    fs.writeFileSync(a(), TWO)
    await look()
    stat.mock.restore()
    syncBuiltinESMExports()
    // It could not even be asked how long they are; the next look reads them.
    assert.equal(await look(), 1)
    assert.equal(words(), 'Two')
  })
})
