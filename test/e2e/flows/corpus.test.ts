/**
 * Dialogues as earlier releases left them in Redis, one file a release, each record taken up by the daemon of today:
 * what a rolling upgrade does. A file is never changed once its release is out. To record one for a new release:
 * RECORD_CORPUS=0.1.0 npx mocha test/e2e/flows/corpus.test.ts
 */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { bucketOf } from '../../../src/dialogue/key.ts'
import { packageRoot } from '../../../src/base/package-root.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { realClock } from '../../support/clock.ts'
import { stageDaemon, type Staged } from '../../support/daemon.ts'
import { describeWith, services } from '../../support/services.ts'

interface Corpus {
  release: string
  /** Sources by revision, as the archive keeps them. */
  flows: Record<string, string>
  dialogues: CorpusDialogue[]
}

interface CorpusDialogue {
  /** What was pressed before it was recorded. */
  keys: string[]
  stored: string
  /** The key that is pressed now, and what must show. */
  next: string
  screen: string
}

/** Each leaves a dialogue at another screen; the last key is the one that is replayed. */
const WALKS = [
  ['1'],
  ['1', '3'],
  ['2'],
  ['2', '2'],
  ['2', '2', '1'],
  ['2', '2', '3'],
  ['2', '9'],
  ['3'],
  ['4'],
  ['2', '2', '1', '2'],
]
const JOHN = '67570000001'
const DIR = join(packageRoot, 'test/corpus')
const FILES = existsSync(DIR)
  ? readdirSync(DIR)
      .filter((name) => name.endsWith('.json'))
      .toSorted()
  : []

/** Of the body, what belongs to the phone's own dialogue here: network, step of the answer, path, opened. */
const LIVE = [1, 5, 7, 8]
/** Of its reply the step and the link do. */
const REPLY = 10

describeWith(['redis', 'postgres'], 'dialogues that earlier releases stored', () => {
  let smsc: Smsc
  let staged: Staged
  let redis: Redis
  let key: string

  before(async function () {
    redis = new Redis(services.redisUrl!)
    smsc = await startSmsc({ clock: realClock, chance: Math.random })
    staged = await stageDaemon({ smscPort: smsc.port })
    await smsc.bound(1)
    const name = `test:${JOHN}`
    key = `${(staged.settings.redis as { prefix: string }).prefix}:{b${bucketOf(name)}}:u:${name}`
  })
  after(async () => {
    await staged?.close()
    await smsc?.stop()
    redis?.disconnect()
  })

  it('are kept for at least one release', () => assert.ok(FILES.length > 0))

  for (const file of FILES) {
    const corpus = JSON.parse(readFileSync(join(DIR, file), 'utf8')) as Corpus
    for (const { keys, next, stored, screen } of corpus.dialogues) {
      it(`${corpus.release}: after ${['*123#', ...keys].join(' ')} the next key, ${next}, is understood`, async () => {
        for (const [revision, source] of Object.entries(corpus.flows)) {
          await staged
            .knex('flow_revision')
            .insert({ revision, name: revision.split('@')[0], source })
            .onConflict('revision')
            .ignore()
        }
        const phone = smsc.phone(JOHN)
        await phone.dial('*123#')
        await redis.set(key, asIfHere(stored, (await redis.get(key))!), 'KEEPTTL')
        const seen = await phone.answer(next)
        if (seen.open) phone.hangUp()
        assert.equal(seen.text, screen)
      })
    }
  }

  it('are recorded on demand', async function () {
    const release = process.env['RECORD_CORPUS']
    if (!release) return this.skip()
    const dialogues: CorpusDialogue[] = []
    for (const walk of WALKS) {
      const [keys, next] = [walk.slice(0, -1), walk.at(-1)!]
      const phone = smsc.phone(JOHN)
      await phone.dial('*123#')
      for (const pressed of keys) await phone.answer(pressed)
      const stored = (await redis.get(key))!
      const seen = await phone.answer(next)
      if (seen.open) phone.hangUp()
      dialogues.push({ keys, stored, next, screen: seen.text })
    }
    const rows = await staged
      .knex('flow_revision')
      .where({ name: 'dental' })
      .select<{ revision: string; source: string }[]>('revision', 'source')
    const flows = Object.fromEntries(rows.map(({ revision, source }) => [revision, source]))
    writeFileSync(
      join(DIR, `${release}.json`),
      `${JSON.stringify({ release, flows, dialogues } satisfies Corpus, null, 2)}\n`,
    )
  })
})

/** The record of the corpus, in the place of the one that stands here now. */
function asIfHere(stored: string, here: string): string {
  const [head, said, ...rest] = stored.split('\n')
  const live = JSON.parse(here.split('\n')[1]!) as unknown[]
  const body = JSON.parse(said!) as unknown[]
  for (const at of LIVE) body[at] = live[at]
  const [reply, now] = [body[REPLY] as unknown[], live[REPLY] as unknown[]]
  body[REPLY] = [...reply.slice(0, 3), ...now.slice(3)]
  return [head, JSON.stringify(body), ...rest].join('\n')
}
