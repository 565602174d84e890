import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { REVISIONS_KEPT_MAX } from '../../../src/flow/release/kept-revisions.ts'
import type { Reload } from '../../../src/flow/release/next-view.ts'
import { openFlows, type Flows, type FlowsOptions } from '../../../src/flow/release/registry.ts'
import {
  publishing,
  undecided,
  type DecisionsRead,
  type Recall,
  type Release,
} from '../../../src/flow/release/release.ts'
import type { CompiledFlow, FlowArchive } from '../../../src/flow/engine/types.ts'
import { USSD_PAGE } from '../../../src/ussd/vocabulary.ts'

const flowText = (name: string, text: string) =>
  `flow: ${name}\nspec: 1\nstart: main\nlanguages: [en]\nscreens:\n  main: { end: ${text} }\n`
const INPUT = { msisdn: '67570000001', code: '*1#', line: 'test', language: 'en', dialled: [], page: USSD_PAGE }
const textOf = (flow: CompiledFlow | undefined) => {
  const want = flow?.want(flow.begin(INPUT))
  return want?.do === 'end' ? want.text : undefined
}

describe('the registry of flows', () => {
  let folder: string
  let archived: Map<string, string>
  let archive: FlowArchive & { broken: boolean; puts: number }
  const write = (file: string, text: string) => writeFileSync(join(folder, file), text)
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ussd-flows-'))
    archived = new Map()
    archive = {
      broken: false,
      puts: 0,
      async put(revision, _name, source) {
        if (this.broken) throw new Error('no database')
        this.puts++
        archived.set(revision, source)
      },
      get: async (revision) => archived.get(revision),
    }
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  it('refuses a flow that asks for a secret where keys pressed would be stored in clear', async () => {
    write('a.yaml', flowText('a', 'One'))
    write(
      'b.yaml',
      `${flowText('b', 'One').replace('{ end: One }', "{ input: 'PIN:', secret: true, to: out }")}  out: { end: Two }\n`,
    )
    const { first } = await openFlows({ folder, readable: true })
    assert.deepEqual(first.refused, ['b'])
    assert.deepEqual(
      first.problems.map(({ what, remedy }) => [what, remedy]),
      [['the flow asks for a secret, and the dialogue store would hold it in clear text', 'set privacy.storeKeyFile']],
    )
    assert.deepEqual((await openFlows({ folder, readable: false })).first.refused, [])
  })

  it('serves what the folder holds, and puts it into the archive', async () => {
    write('a.yaml', flowText('a', 'One'))
    write('b.yml', flowText('b', 'Two'))
    write('notes.txt', 'not a flow')
    const { flows, first } = await openFlows({ folder, archive })
    assert.deepEqual(
      flows.names().map(({ name }) => name),
      ['a', 'b'],
    )
    assert.deepEqual(
      first.served.toSorted(),
      flows.names().map(({ revision }) => revision),
    )
    assert.deepEqual([...archived.keys()].toSorted(), first.served.toSorted())
    assert.doesNotMatch([...archived.values()].join(''), new RegExp(folder))
    assert.equal(flows.current('c'), undefined)
  })

  it('tells which files it took, with their hashes; what a decision put in force is none', async () => {
    write('a.yaml', flowText('a', 'One'))
    const releases = new Map<string, Release>()
    const decisions: DecisionsRead = {
      read: async () => ({ releases, recalls: new Map() }),
      unrecalled: async () => [],
      adopt: async () => undefined,
    }
    const { flows, first } = await openFlows({ folder, archive, decisions })
    const [one] = first.served
    const hashOf = (text: string) => createHash('sha256').update(text).digest('hex')
    const file = join(folder, 'a.yaml')
    assert.deepEqual(first.taken, [
      { flow: 'a', revision: one!, before: null, file, hash: hashOf(flowText('a', 'One')) },
    ])
    write('a.yaml', flowText('a', 'Two'))
    const { taken, served } = await flows.reload()
    assert.deepEqual(taken, [
      { flow: 'a', revision: served[0]!, before: one!, file, hash: hashOf(flowText('a', 'Two')) },
    ])
    releases.set('a', publishing(undecided('a'), one!, served[0]))
    assert.deepEqual(await flows.reload(), { served: [one], taken: [], refused: [], problems: [] })
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
    assert.deepEqual(
      flows.names().map(({ broken }) => broken),
      [reload.problems[0]?.where, undefined],
    )
    assert.equal(told.length, 2)
    assert.deepEqual(await flows.reload(), { served: [], taken: [], refused: [], problems: [] })
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
    write(
      'c.yaml',
      'flow: c\nspec: 1\nstart: main\nlanguages: [en]\nscreens:\n  main: { call: w.x, to: end }\n  end: { exit: true }\n',
    )
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
    assert.deepEqual(
      flows.names().map(({ name }) => name),
      ['a'],
    )
  })

  it('goes on serving what it served when a file or the whole folder is gone, and says so once', async () => {
    write('a.yaml', flowText('a', 'One'))
    const { flows } = await openFlows({ folder, archive })
    unlinkSync(join(folder, 'a.yaml'))
    assert.match((await flows.reload()).problems[0]?.what ?? '', /the file of this flow is gone/)
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

  it('reads the archive once for all dialogues that answer at once after a restart, and again after it failed', async () => {
    write('a.yaml', flowText('a', 'One'))
    const revision = (await openFlows({ folder, archive })).flows.current('a')?.revision ?? ''
    write('a.yaml', flowText('a', 'Two'))
    const { flows } = await openFlows({ folder, archive })
    let gets = 0
    const get = archive.get
    archive.get = async (asked) => {
      if (++gets === 1) throw new Error('no database')
      return get(asked)
    }
    const all = () => Promise.all(Array.from({ length: 200 }, () => flows.pinned(revision)))
    await assert.rejects(all(), /no database/)
    assert.ok((await all()).every((flow) => flow?.revision === revision))
    assert.equal(gets, 2)
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
    assert.match(first.problems[0]?.what ?? '', /could not be archived: no database/)
    archive.broken = false
    await flows.reload()
    await flows.reload()
    assert.equal(archive.puts, 1)
  })

  describe('with decisions of operators', () => {
    let decisions: DecisionsRead & { releases: Map<string, Release>; recalls: Map<string, Recall>; broken: boolean }
    const recall = (revision: string) =>
      decisions.recalls.set(revision, { revision, name: 'a', texts: { en: 'Prices were wrong.' } })
    const open = (more: Partial<FlowsOptions> = {}) =>
      openFlows({ folder, archive, decisions, ...more }).then(({ flows }) => flows)
    const inForce = (flows: Flows, msisdn?: string) => flows.current('a', msisdn)?.revision
    beforeEach(() => {
      decisions = {
        releases: new Map(),
        recalls: new Map(),
        broken: false,
        async read() {
          if (this.broken) throw new Error('no database')
          return { releases: new Map(this.releases), recalls: new Map(this.recalls) }
        },
        async unrecalled() {
          if (this.broken) throw new Error('no database')
          return [...archived.keys()].toReversed().filter((revision) => !this.recalls.has(revision))
        },
        async adopt(name, revision) {
          if (!this.releases.has(name)) this.releases.set(name, { ...undecided(name), active: revision, by: 'file' })
        },
      }
    })

    it('serves an older revision until the file changes, also after a restart', async () => {
      write('a.yaml', flowText('a', 'One'))
      const one = inForce(await open())!
      write('a.yaml', flowText('a', 'Two'))
      const flows = await open()
      const two = inForce(flows)!
      decisions.releases.set('a', publishing(undecided('a'), one, two))
      await flows.reload()
      assert.deepEqual([inForce(flows), inForce(await open())], [one, one])
      assert.equal(flows.state()[0]!.file, two)
      write('a.yaml', flowText('a', 'Three'))
      await flows.reload()
      assert.equal(textOf(flows.current('a')), 'Three')
    })

    it('released: files count only for a flow that nobody has decided about', async () => {
      write('a.yaml', flowText('a', 'One'))
      const one = inForce(await open({ mode: 'released' }))!
      assert.equal(decisions.releases.get('a')?.active, one)
      write('a.yaml', flowText('a', 'Two'))
      assert.equal(inForce(await open({ mode: 'released' })), one)
      unlinkSync(join(folder, 'a.yaml'))
      assert.equal(inForce(await open({ mode: 'released' })), one, 'from the archive')
    })

    it('gives a trial to its share and to the testers, and stays with what is in force for the others', async () => {
      write('a.yaml', flowText('a', 'One'))
      const one = inForce(await open())!
      write('a.yaml', flowText('a', 'Two'))
      const flows = await open({ testers: ['67579999999'] })
      const two = inForce(flows)!
      const trial = (share: number) =>
        decisions.releases.set('a', { ...undecided('a'), canary: { revision: one, share, key: 'k' } })
      const everybody = Array.from({ length: 2_000 }, (_, n) => `6757${String(n).padStart(7, '0')}`)
      const inside = () => everybody.filter((msisdn) => inForce(flows, msisdn) === one)
      trial(1_000)
      await flows.reload()
      const few = inside()
      assert.ok(few.length > 140 && few.length < 260, `${few.length} of 2,000 for 10 %`)
      assert.equal(inForce(flows), two)
      trial(3_000)
      await flows.reload()
      const more = new Set(inside())
      assert.ok(more.size > 500 && few.every((msisdn) => more.has(msisdn)), 'who was in stays in')
      trial(0)
      await flows.reload()
      assert.equal(inside().length, 0)
      assert.equal(inForce(flows, '67579999999'), one)
    })

    it('knows whether anybody may choose a language that is kept: of flows in force, and of those on trial', async () => {
      const choosing =
        'flow: a\nspec: 1\nstart: main\nlanguages: [en, tpi]\nscreens:\n' +
        '  main: { language: { en: Which?, tpi: Wanem? }, to: bye }\n  bye: { end: { en: Bye, tpi: Gutbai } }\n'
      write('a.yaml', choosing)
      const flows = await open()
      const one = inForce(flows)!
      assert.equal(flows.mayChooseLanguage!(), true)
      write('a.yaml', flowText('a', 'One'))
      await flows.reload()
      assert.equal(flows.mayChooseLanguage!(), false)
      decisions.releases.set('a', { ...undecided('a'), canary: { revision: one, share: 1_000, key: 'k' } })
      await flows.reload()
      assert.equal(flows.mayChooseLanguage!(), true)
    })

    it('ends the dialogues of a recalled revision with its words, and offers none of them again', async () => {
      write('a.yaml', flowText('a', 'One'))
      const flows = await open()
      const one = inForce(flows)!
      const snapshot = flows.current('a')!.begin(INPUT)
      write('a.yaml', flowText('a', 'Two'))
      decisions.recalls.set(one, { revision: one, name: 'a', texts: { en: 'Prices were wrong.' } })
      await flows.reload()
      const recalled = (await flows.pinned(one))!
      const ended = recalled.step(snapshot, { type: 'ANSWER', text: '1' })
      assert.deepEqual(recalled.want(ended), {
        do: 'end',
        text: 'Prices were wrong.',
        screen: 'main',
        reason: 'recalled',
      })
      assert.equal(recalled.resumable(snapshot), false)
      write('a.yaml', flowText('a', 'One'))
      await flows.reload()
      assert.notEqual(inForce(flows), one, 'a file that is recalled does not come into force')
    })

    it('serves the newest that was not recalled in every daemon, whatever it served before, and says so', async () => {
      write('a.yaml', flowText('a', 'One'))
      const one = inForce(await open())!
      write('a.yaml', flowText('a', 'Two'))
      const running = await open()
      const two = inForce(running)!
      write('a.yaml', flowText('a', 'Three'))
      const late = await open()
      const three = inForce(late)!
      recall(three)
      const told: Reload[] = []
      const flows = [running, late, await open({ onReload: (reload) => told.push(reload) })]
      for (const each of flows) await each.reload()
      assert.deepEqual(
        flows.map((each) => inForce(each)),
        [two, two, two],
      )
      assert.deepEqual(
        flows.map((each) => textOf(each.current('a'))),
        ['Two', 'Two', 'Two'],
      )
      assert.deepEqual(
        flows.map((each) => each.names()[0]!.recalled),
        Array(3).fill(`${three} was recalled: ${two} serves instead`),
      )
      assert.deepEqual(
        told.map(({ problems }) => problems.map(({ severity, where }) => [severity, where])),
        [[['warning', three]]],
        'once',
      )
      recall(two)
      for (const each of flows) await each.reload()
      assert.deepEqual(
        flows.map((each) => inForce(each)),
        [one, one, one],
      )
      decisions.recalls.clear()
      for (const each of [...flows, await open()]) {
        await each.reload()
        assert.deepEqual([textOf(each.current('a')), each.state()[0]!.replaced], ['Three', null])
      }
    })

    it('where all were recalled: the words of the recall, a warning and a word in what is in force; a daemon that served it as well', async () => {
      write('a.yaml', flowText('a', 'One'))
      const running = await open()
      recall(inForce(running)!)
      const told: Reload[] = []
      for (const flows of [running, await open({ onReload: (reload) => told.push(reload) })]) {
        await flows.reload()
        assert.equal(textOf(flows.current('a')), 'Prices were wrong.')
        assert.match(flows.names()[0]!.recalled ?? '', /every dial gets the text of the recall/)
        assert.equal(flows.state()[0]!.replaced, inForce(flows))
      }
      assert.match(told[0]!.problems[0]!.what, /every dial gets the text of the recall/)
      write('a.yaml', flowText('a', 'Mended'))
      await running.reload()
      assert.deepEqual([textOf(running.current('a')), running.names()[0]!.recalled], ['Mended', undefined])
    })

    it('passes over what cannot be had, and stays with what serves while the archive does not answer', async () => {
      write('a.yaml', flowText('a', 'One'))
      const flows = await open()
      const one = inForce(flows)!
      write('a.yaml', flowText('a', 'Two'))
      const two = inForce(await open())!
      archived.set('a@000000000000', '{}')
      recall(two)
      decisions.unrecalled = () => Promise.reject(new Error('no database'))
      await flows.reload()
      assert.equal(inForce(flows), one)
      decisions.unrecalled = async () => ['a@000000000000', one]
      assert.deepEqual([inForce(await open()), textOf((await open()).current('a'))], [one, 'One'])
    })

    it('does not start where the decisions cannot be read: a recalled file would serve', async () => {
      write('a.yaml', flowText('a', 'One'))
      recall(inForce(await open())!)
      decisions.broken = true
      await assert.rejects(open(), /flow releases cannot be read: no database/)
    })

    it('keeps what was decided while decisions cannot be read, and what serves when a revision is not to be had; says so once', async () => {
      write('a.yaml', flowText('a', 'One'))
      const flows = await open()
      const one = inForce(flows)!
      write('a.yaml', flowText('a', 'Two'))
      await flows.reload()
      decisions.releases.set('a', publishing(undecided('a'), one, inForce(flows)))
      await flows.reload()
      decisions.broken = true
      assert.match((await flows.reload()).problems[0]?.what ?? '', /could not be read: no database/)
      assert.deepEqual([inForce(flows), (await flows.reload()).problems], [one, []])
      decisions.broken = false
      decisions.releases.set('a', { ...undecided('a'), active: 'a@000000000000', insteadOf: flows.state()[0]!.file })
      assert.match((await flows.reload()).problems[0]?.what ?? '', /is missing from the archive/)
      assert.equal(inForce(flows), one)
    })
  })

  it('leaves a file alone that is still being written', async () => {
    write('a.yaml', flowText('a', 'One'))
    let writing = true
    const { flows } = await openFlows({
      folder,
      pause: async (ms) => {
        if (writing && ms > 0) write('a.yaml', flowText('a', 'Whole'))
      },
    })
    const one = flows.current('a')?.revision
    write('a.yaml', flowText('a', 'Who'))
    await flows.reload()
    assert.equal(flows.current('a')?.revision, one)
    writing = false
    assert.equal((await flows.reload()).served.length, 1)
    assert.equal(textOf(flows.current('a')), 'Whole')
  })

  it('refuses brackets without end where they begin, before a parser follows them', async () => {
    write('a.yaml', `${flowText('a', 'One')}more: ${'['.repeat(100_000)}`)
    const { first } = await openFlows({ folder })
    assert.match(
      `${first.problems[0]?.where} ${first.problems[0]?.what}`,
      /a\.yaml:7:207 the file has more than 200 open brackets/,
    )
  })

  it('does not read what no flow can be', async () => {
    write('a.yaml', flowText('a', 'One'))
    const { flows } = await openFlows({ folder })
    truncateSync(join(folder, 'a.yaml'), 5_000_000)
    const { problems, refused } = await flows.reload()
    assert.match(problems[0]?.what ?? '', /5000000 octets/)
    assert.deepEqual([refused, (await flows.reload()).problems], [['a'], []], 'said once')
    assert.equal(textOf(flows.current('a')), 'One')
  })

  it('reloads one after the other', async () => {
    write('a.yaml', flowText('a', 'One'))
    const { flows } = await openFlows({ folder, archive })
    write('a.yaml', flowText('a', 'Two'))
    const [one, two] = await Promise.all([flows.reload(), flows.reload()])
    assert.deepEqual([one.served.length, two.served.length], [1, 0])
  })
})
