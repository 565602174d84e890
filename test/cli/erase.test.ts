/** `subscriber erase` beside a back-end module that fails, on embedded stores. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { subscriberHash } from '../../src/base/log/log.ts'
import { auditCommand, verifyCommand } from '../../src/cli/audit.ts'
import { eraseCommand, exportCommand } from '../../src/cli/privacy.ts'
import { journalDialogues } from '../../src/store/journal/store.ts'
import { LIMITS, recordingOf } from '../contract/dialogue-fixture.ts'
import { recordAt } from '../records/record.ts'
import { layEmbedded } from '../support/pglite.ts'

const MSISDN = '67570000001'

describe('subscriber erase', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ussd-erase-'))
  after(() => rmSync(folder, { recursive: true, force: true }))

  it('removes all else where a module fails, then fails with its name, and shows the number nowhere', async () => {
    const keeps = 'export: async () => ({}), erase: async (msisdn) =>'
    const module = (name: string, erase: string) => {
      const text = `export const backend = () => ({ operations: {}, subscriber: { ${keeps} ${erase} } })`
      writeFileSync(join(folder, `${name}.mjs`), text)
      return `  ${name}: { module: ${join(folder, `${name}.mjs`)} }`
    }
    const backends = [
      module('broken', '{ throw new Error(`no row of ${msisdn}`) }'),
      module('shop', "msisdn === '67570000001' ? 3 : 0"),
    ]
    const config = join(folder, 'connector.yaml')
    writeFileSync(
      config,
      ['door: { port: 1 }', 'redis: embedded', 'postgres: embedded', `data: ${join(folder, 'data')}`]
        .concat('services: [{ code: "*1#", flow: a }]', 'backends:', backends)
        .join('\n'),
    )
    await layEmbedded(join(folder, 'data'))
    const said: string[] = []
    const audited: string[] = []
    const audit = { write: (line: string) => audited.push(line) }
    const failed = await eraseCommand({ config, msisdn: MSISDN }, (text) => void said.push(text), audit).then(
      () => assert.fail('it did not fail'),
      (error: Error) => error,
    )
    assert.equal(failed.name, 'UsageError')
    assert.match(failed.message, /^modules of back ends did not remove what they keep: broken: no row of \S*\*\S* \(/)
    assert.match(said.join('\n'), /erased[^]*, 3 rows of modules of back ends,/)
    assert.doesNotMatch(failed.message + said.join('\n'), new RegExp(MSISDN))
    const [line, ...more] = audited.map((one) => JSON.parse(one) as Record<string, unknown>)
    const key = readFileSync(join(folder, 'data/log-key'))
    assert.deepEqual(more, [])
    assert.deepEqual(
      [line!.msg, line!.what, line!.after, line!.modules, line!.subscriber],
      ['admin audit', 'subscriber erased', 'partly erased', 3, subscriberHash(key, MSISDN)],
    )
    assert.ok(String(line!.who).length > 0)
    assert.doesNotMatch(audited.join(), /6757000|\*\*/, 'a hash, not the number, not even masked')
  })

  it('reaches records that wait for a file, where there is no table of them, and names the files as not reached', async function () {
    this.timeout(60_000)
    const config = join(folder, 'files.yaml')
    const data = join(folder, 'files-data')
    const files = '{ to: files, files: { dir: spool, feeds: [{ partner: acme }] } }'
    const text = ['door: { port: 1 }', 'redis: embedded', 'postgres: embedded', `data: ${data}`]
      .concat('services: [{ code: "*1#", flow: a }]', `records: ${files}`)
      .join('\n')
    writeFileSync(config, text)
    await layEmbedded(data)
    const recording = { ...recordingOf(), serviceOf: () => ({ code: '*1#', channel: 'ussd' }) }
    const store = await journalDialogues({ dir: join(data, 'dialogues'), limits: LIMITS, recording })
    for (const msisdn of [MSISDN, '67570000002'])
      await store.records!.keep({ group: 'door', msisdn }, recordAt(Date.now(), { msisdn, epoch: `e${msisdn.at(-1)}` }))
    await store.close()
    const said: string[] = []
    const say = (line: string) => void said.push(line)
    await exportCommand({ config, msisdn: MSISDN }, say, { write: () => undefined })
    const { tables } = JSON.parse(said.join('\n')) as { tables: { cdr: { epoch: string }[] } }
    assert.deepEqual(
      tables.cdr.map(({ epoch }) => epoch),
      ['e1'],
    )
    said.length = 0
    await eraseCommand({ config, msisdn: MSISDN }, say, { write: () => undefined })
    assert.match(said.join('\n'), /1 call detail records[^]*not reached: files for mediation/)
    assert.equal(readFileSync(join(data, 'dialogues', 'dialogues.jsonl'), 'utf8').includes(MSISDN), false)
    const after = await journalDialogues({ dir: join(data, 'dialogues'), limits: LIMITS, recording })
    const left: string[] = []
    for await (const page of after.records!.pages(9)) left.push(...page.map(({ record }) => record.msisdn))
    await after.close()
    assert.match(left.toSorted().join(), /^67570000002,erased-\S+$/)
  })

  it('writes down that it was exported, before it hands it out', async function () {
    this.timeout(60_000)
    const config = join(folder, 'export.yaml')
    writeFileSync(
      config,
      ['door: { port: 1 }', 'redis: embedded', 'postgres: embedded', `data: ${join(folder, 'exported')}`]
        .concat('services: [{ code: "*1#", flow: a }]')
        .join('\n'),
    )
    await layEmbedded(join(folder, 'exported'))
    const said: string[] = []
    await exportCommand({ config, msisdn: MSISDN }, (text) => void said.push('export', text), {
      write: (line: string) => said.push((JSON.parse(line) as { what: string }).what),
    })
    assert.deepEqual(said.slice(0, 2), ['subscriber exported', 'export'])

    const told: string[] = []
    const say = (text: string) => void told.push(text)
    await eraseCommand({ config, msisdn: MSISDN }, () => undefined, { write: () => undefined })
    await auditCommand({ config, since: '1h', last: 10, msisdn: `+${MSISDN}` }, say)
    const [head, ...rows] = told[0]!.split('\n')
    assert.match(head!, /^AT +DAEMON +WHO +ROLE +WHAT +SUBSCRIBER +DETAIL$/)
    assert.equal(rows.length, 2)
    assert.match(rows[0]!, / shell +subscriber exported +\S{12} +dialogues=0 rows=0$/)
    assert.match(rows[1]!, / shell +subscriber erased .* after="erased"/)
    await auditCommand({ config, since: '1h', last: 1, json: true }, say)
    const [last] = JSON.parse(told[1]!) as { what: string; seq: number; instance: string; hash: string }[]
    assert.deepEqual([last!.what, last!.seq], ['subscriber erased', 2])
    await auditCommand({ config, since: '1h', last: 10, msisdn: '67570000009' }, say)
    assert.match(told[2]!, /^nothing since /)
    assert.doesNotMatch(told.join(), /6757000|\*\*/)
    await assert.rejects(auditCommand({ config, since: 'soon', last: 1 }, say), /--since 'soon' is neither/)

    const heads = [`${last!.instance},2,${last!.hash}`]
    assert.equal(await verifyCommand({ config, head: heads }, say), true)
    assert.match(told[3]!, /^CHAIN +IS +ROWS +FROM +TO +HEAD +WHY\n\S+ +whole +2 +1 +2 +[0-9a-f]{64}$/)
    assert.equal(await verifyCommand({ config, head: [`${last!.instance},2,${'f'.repeat(64)}`] }, say), false)
    assert.match(told[4]!, /\n\S+ +BROKEN +.* row 2 is not the one whose hash the log told$/)
    await assert.rejects(verifyCommand({ config, head: ['x'] }, say), /--head 'x' is not CHAIN,SEQ,HASH/)
  })
})
