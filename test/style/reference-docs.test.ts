import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { COUNTERS } from '../../src/base/metrics.ts'
import { glossaryRows } from '../../scripts/reference/glossary.ts'
import { eventsIn, logEvents, unexplained } from '../../scripts/reference/log-events.ts'
import { metricRows } from '../../scripts/reference/metrics.ts'
import { referencePages } from '../../scripts/reference/pages.ts'
import { settingRows } from '../../scripts/reference/settings.ts'
import { root } from './tree.ts'

const pages = await referencePages()

describe('the generated pages', () => {
  for (const [file, text] of Object.entries(pages))
    it(`${file} is up to date: npm run docs`, () => {
      assert.ok(existsSync(join(root, file)), 'run: npm run docs')
      assert.equal(readFileSync(join(root, file), 'utf8'), text, 'run: npm run docs')
    })

  it('the glossary has the table of the vocabulary, each word once, with a meaning', () => {
    const rows = glossaryRows(readFileSync(join(root, 'src/ussd/vocabulary.ts'), 'utf8'))
    const page = readFileSync(join(root, 'docs/GLOSSARY.md'), 'utf8')
    assert.ok(rows.length > 40)
    for (const row of rows) {
      assert.equal(row.length, 3, row.join(' | '))
      assert.ok(row[0] && row[1], row.join(' | '))
      assert.ok(page.includes(`| ${row.join(' | ')} |`), row[0])
    }
    assert.equal(new Set(rows.map(([word]) => word)).size, rows.length)
  })

  it('list every counter, and the gauges and histograms beside them', async () => {
    const names = new Set((await metricRows()).map(({ name }) => name))
    for (const name of Object.keys(COUNTERS))
      assert.ok(names.has(name) || names.has(`${name}_total`), `${name} is in no row`)
    for (const name of ['ussd_turn_seconds', 'ussd_dialogues_open', 'smpp_bind_up']) assert.ok(names.has(name), name)
    for (const { name, help } of await metricRows()) assert.ok(help.length > 5, name)
  })

  it('list settings inside lists, groups and each way to write a value', () => {
    const rows = new Map(settingRows().map((row) => [row.key, row]))
    assert.equal(rows.get('lines[].smsc.port')?.without, '`2775`')
    assert.equal(rows.get('lines[].name')?.without, 'needed')
    for (const key of ['redis.sentinel.nodes', 'backends.NAME.http.cache.reads.NAME.shared', 'privacy.plainUntil'])
      assert.ok(rows.has(key), key)
  })

  it('find a log event in each of the ways that a call is written', () => {
    const source = `
      const WHY = 'first half, ' + 'second half'
      deps.log?.warn({ line: name, ...more, why }, WHY)
      log.error(refusal, 'two (brackets), a comma')
      log.info({ n: f(1, ')') }, ready ? 'ready' : 'not ready')
      log[grave ? 'error' : 'warn']({ n }, 'one or the other')
      debug: (fields, message) => log.debug(fields, message)
    `
    assert.deepEqual(
      eventsIn(source, 'x.ts').map(({ level, message, fields }) => [level, message, fields]),
      [
        ['warn', 'first half, second half', ['line', '…', 'why']],
        ['error', 'two (brackets), a comma', ['…']],
        ['info', 'ready', ['n']],
        ['info', 'not ready', ['n']],
        ['error', 'one or the other', ['n']],
        ['warn', 'one or the other', ['n']],
      ],
    )
    assert.ok(logEvents().length > 80)
  })

  it('explain every log event: scripts/reference/log-meanings.ts, by the words of its message', () => {
    assert.deepEqual(unexplained(), { events: [], meanings: [] })
  })
})
