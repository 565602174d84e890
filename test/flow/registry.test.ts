import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openFlows, REVISIONS_KEPT_MAX, type Reload } from '../../src/flow/registry.ts'
import type { FlowArchive } from '../../src/flow/types.ts'

const flowText = (name: string, text: string) => `flow: ${name}\nspec: 1\nstart: main\nlanguages: [en]\nscreens:\n  main: { end: ${text} }\n`

describe('the registry of flows', () => {
  let folder: string
  let archived: Map<string, string>
  let archive: FlowArchive & { broken: boolean; puts: number }
  const write = (file: string, text: string) => writeFileSync(join(folder, file), text)
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ussd-flows-'))
    archived = new Map()
    archive = {
      broken: false, puts: 0,
      async put(revision, _name, source) {
        if (this.broken) throw new Error('no database')
        this.puts++
        archived.set(revision, source)
      },
      get: async (revision) => archived.get(revision),
    }
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  it('serves what the folder holds, and puts it into the archive', async () => {
    write('a.yaml', flowText('a', 'One'))
    write('b.yml', flowText('b', 'Two'))
    write('notes.txt', 'not a flow')
    const { flows, first } = await openFlows({ folder, archive })
    assert.deepEqual(flows.names().map(({ name }) => name), ['a', 'b'])
    assert.deepEqual(first.served.toSorted(), flows.names().map(({ revision }) => revision))
    assert.deepEqual([...archived.keys()].toSorted(), first.served.toSorted())
    assert.doesNotMatch([...archived.values()].join(''), new RegExp(folder))
    assert.equal(flows.current('c'), undefined)
  })

  it('gives new dials the new one, and dialogues under way their own', async () => {
    write('a.yaml', flowText('a', 'One'))
    const { flows } = await openFlows({ folder, archive })
    const old = flows.current('a')?.revision ?? ''
    write('a.yaml', flowText('a', 'Two'))
    const reload = await flows.reload()
    assert.notEqual(flows.current('a')?.revision, old)
    assert.deepEqual(reload.served, [flows.current('a')?.revision])
    assert.equal((await flows.pinned(old))?.revision, old)
  })

  it('keeps what was served when a file breaks, and says what is wrong', async () => {
    write('a.yaml', flowText('a', 'One'))
    write('b.yaml', flowText('b', 'One'))
    const told: Reload[] = []
    const { flows } = await openFlows({ folder, archive, onReload: (reload) => told.push(reload) })
    const old = flows.current('a')?.revision
    write('a.yaml', 'flow: a\n  spec: [')
    write('b.yaml', flowText('b', 'Two'))
    const reload = await flows.reload()
    assert.equal(flows.current('a')?.revision, old)
    assert.deepEqual([reload.refused, reload.served.length], [['a'], 1])
    assert.match(reload.problems[0]?.where ?? '', /a\.yaml:\d+:\d+$/)
    assert.equal(told.length, 2)
    assert.deepEqual(await flows.reload(), { served: [], refused: [], problems: [] })
    write('a.yaml', flowText('a', 'Mended'))
    assert.equal((await flows.reload()).served.length, 1)
  })

  it('serves nothing of a flow that never loaded well', async () => {
    write('a.yaml', 'flow: a')
    const { flows, first } = await openFlows({ folder })
    assert.equal(flows.current('a'), undefined)
    assert.deepEqual(first.refused, ['a'])
  })

  it('refuses a flow whose file is called otherwise, and a back end that is not there', async () => {
    write('a.yaml', flowText('b', 'One'))
    write('c.yaml', 'flow: c\nspec: 1\nstart: main\nlanguages: [en]\nscreens:\n  main: { call: w.x, to: end }\n  end: { exit: true }\n')
    const { first } = await openFlows({ folder, backends: ['wallet'] })
    assert.deepEqual(first.refused, ['a', 'c'])
  })

  it('takes a changed catalogue for a change of the flow', async () => {
    write('a.yaml', flowText('a', 'One').replace('[en]', '[en, tpi]'))
    write('a.tpi.yaml', 'language: tpi\ntexts: { One: Wan }\n')
    const { flows } = await openFlows({ folder, archive })
    const old = flows.current('a')?.revision
    write('a.tpi.yaml', 'language: tpi\ntexts: { One: Wanpela }\n')
    await flows.reload()
    assert.notEqual(flows.current('a')?.revision, old)
    assert.deepEqual(flows.names().map(({ name }) => name), ['a'])
  })

  it('goes on serving what it served when a file or the whole folder is gone, and says so once', async () => {
    write('a.yaml', flowText('a', 'One'))
    const { flows } = await openFlows({ folder, archive })
    unlinkSync(join(folder, 'a.yaml'))
    assert.match((await flows.reload()).problems[0]?.what ?? '', /its file is gone/)
    assert.deepEqual((await flows.reload()).problems, [])
    assert.ok(flows.current('a'))
    rmSync(folder, { recursive: true })
    assert.match((await flows.reload()).problems[0]?.what ?? '', /cannot be read/)
    assert.ok(flows.current('a'))
  })

  it('finds a revision of long ago, or of another daemon, in the archive', async () => {
    write('a.yaml', flowText('a', 'One'))
    const revision = (await openFlows({ folder, archive })).flows.current('a')?.revision ?? ''
    write('a.yaml', flowText('a', 'Two'))
    const { flows } = await openFlows({ folder, archive })
    assert.equal((await flows.pinned(revision))?.revision, revision)
    assert.equal(await flows.pinned('a@000000000000'), undefined)
    archived.set('a@111111111111', archived.get(revision) ?? '')
    assert.equal(await flows.pinned('a@111111111111'), undefined)
  })

  it('keeps a bounded number of old revisions, and those in force always', async () => {
    write('b.yaml', flowText('b', 'Stays'))
    write('a.yaml', flowText('a', 'First'))
    const { flows } = await openFlows({ folder })
    const [first, stays] = [flows.current('a')?.revision ?? '', flows.current('b')?.revision ?? '']
    for (let i = 0; i <= REVISIONS_KEPT_MAX + 1; i++) {
      write('a.yaml', flowText('a', `Text ${i}`))
      await flows.reload()
    }
    assert.equal(await flows.pinned(first), undefined)
    assert.ok(await flows.pinned(stays))
  })

  it('serves although the archive is down, and archives as soon as it can', async () => {
    write('a.yaml', flowText('a', 'One'))
    archive.broken = true
    const { flows, first } = await openFlows({ folder, archive })
    assert.ok(flows.current('a'))
    assert.match(first.problems[0]?.what ?? '', /was not archived: no database/)
    archive.broken = false
    await flows.reload()
    await flows.reload()
    assert.equal(archive.puts, 1)
  })

  it('rolls back to an older revision until the file changes', async () => {
    write('a.yaml', flowText('a', 'One'))
    const { flows } = await openFlows({ folder, archive })
    const old = flows.current('a')?.revision ?? ''
    write('a.yaml', flowText('a', 'Two'))
    await flows.reload()
    assert.equal(await flows.rollBack(old), true)
    await flows.reload()
    assert.equal(flows.current('a')?.revision, old)
    assert.equal(await flows.rollBack('a@000000000000'), false)
    write('a.yaml', flowText('a', 'Three'))
    await flows.reload()
    assert.notEqual(flows.current('a')?.revision, old)
  })

  it('reloads one after the other', async () => {
    write('a.yaml', flowText('a', 'One'))
    const { flows } = await openFlows({ folder, archive })
    write('a.yaml', flowText('a', 'Two'))
    const [one, two] = await Promise.all([flows.reload(), flows.reload()])
    assert.deepEqual([one.served.length, two.served.length], [1, 0])
  })
})
