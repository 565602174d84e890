import assert from 'node:assert/strict'
import { flowFunnels } from '../../src/admin/flow-funnels.ts'
import { subscriberStories, type StoriesDeps } from '../../src/admin/subscriber-stories.ts'
import type { ProblemsError } from '../../src/base/errors.ts'
import { linesOfStory } from '../../src/cli/subscriber-show.ts'
import { parseSettings } from '../../src/config/load.ts'
import { noRecordsHere } from '../../src/config/schema-records.ts'

const NEEDED = 'door: { port: 1 }\nservices: [{ code: "*1#", flow: a }]\nredis: embedded\npostgres: embedded\n'
const FEEDS = 'files: { dir: spool, feeds: [{ partner: acme }] }'
const settingsOf = (records: string) => parseSettings(`${NEEDED}records: { ${records} }\n`, 'x.yaml', {}).settings
const problemsOf = (records: string) => {
  try {
    settingsOf(records)
    return []
  } catch (error) {
    return (error as ProblemsError).problems
  }
}

describe('settings of call detail records', () => {
  it('to files need feeds, and say so at their place', () => {
    assert.deepEqual(problemsOf('to: files'), [
      {
        where: 'x.yaml:5:12',
        what: 'records.to is files, and it is not said which files',
        remedy: 'set records.files.dir and records.files.feeds, or records.to: postgres',
      },
    ])
    assert.deepEqual(problemsOf(`to: files, ${FEEDS}`), [])
  })
  it('to nowhere have no files', () => {
    const [problem, ...more] = problemsOf(`to: none, ${FEEDS}`)
    assert.deepEqual(more, [])
    assert.match(problem!.what, /would be empty, because records\.to has the value none/)
    assert.deepEqual(problemsOf('to: none'), [])
  })

  describe('that are not in Postgres', () => {
    const settings = settingsOf(`to: files, ${FEEDS}`)
    const clock = { now: () => Date.parse('2026-11-30T12:00:00Z') }
    const words =
      /^records\.to is files: past dialogues are in files for mediation only\. .* set records\.to: postgres$/

    it('are why nothing can be looked up or counted, in words; in Postgres they can', () => {
      assert.match(noRecordsHere(settings)!, words)
      assert.match(
        noRecordsHere(settingsOf('to: none'))!,
        /^records\.to is none: no record of past dialogues is kept\./,
      )
      assert.equal(noRecordsHere(settingsOf('days: 9')), undefined)
    })
    it('give no funnel', async () => {
      const sql = () => assert.fail('Postgres was asked')
      const told = await flowFunnels({ sql: sql as never, clock, settings }, () => undefined).funnel('a', {
        since: undefined,
        until: undefined,
      })
      assert.match((told as { refused: string }).refused, words)
    })
    it('are missed where one subscriber is looked up, who is shown with SMS and what is open', async () => {
      const sql = { run: async () => [] }
      const deps = {
        sql,
        dialogues: { standing: async () => null },
        groups: () => ['a'],
        types: new Map(),
        key: Buffer.from('k'),
        clock,
        settings,
      } as unknown as StoriesDeps
      const { subscriberStory, noRecords } = subscriberStories(deps)
      const story = await subscriberStory('67570000001', { since: undefined, until: undefined })
      assert.ok(!('refused' in story))
      assert.match(story.lacks!, words)
      assert.ok(linesOfStory(story).some((line) => words.test(line)))
      assert.match(noRecords!, words)
    })
  })
})
