import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tokenHash } from '../../../src/admin/access.ts'
import { logCommand, type LogCommandOptions } from '../../../src/cli/commands/log.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { realClock } from '../../support/clock.ts'
import { newStage, stageDaemon, type Staged } from '../../support/daemon.ts'
import { FAREWELL, T1, T1_MARY } from '../../support/screens.ts'
import { describeWith, until } from '../../support/services.ts'

const [JOHN, MARY] = ['67570000001', '67570000002']
const TOKENS = { night: 'operating-token-of-a-test', desk: 'supporting-token-of-a-test' }

describeWith(['redis', 'postgres'], 'the level of the log of a running daemon', () => {
  let smsc: Smsc
  let staged: Staged
  let other: Staged
  const stage = newStage()
  const start = (name: string) =>
    stageDaemon({
      smscPort: smsc.port,
      with: stage,
      frozen: false,
      change(settings) {
        settings.instance = name
        settings.lines[0]!.name = name
        settings.data = join(stage.data, name)
        settings.admin.tokensFile = join(stage.data, 'tokens')
        const [night, desk] = [TOKENS.night, TOKENS.desk].map((token) => tokenHash(token).toString('hex'))
        writeFileSync(settings.admin.tokensFile, `read,operate:${night} night\nread,operate,support:${desk} desk\n`, {
          mode: 0o600,
        })
        for (const [who, token] of Object.entries(TOKENS)) writeFileSync(join(stage.data, who), token, { mode: 0o600 })
      },
    })
  const log = async (options: Partial<LogCommandOptions>, who: keyof typeof TOKENS = 'desk') => {
    const said: string[] = []
    const url = `http://127.0.0.1:${staged.daemon.admin.port}`
    await logCommand({ url, tokenFile: join(stage.data, who), ...options }, (text) => said.push(text))
    return said.join('\n')
  }
  const debug = (daemon: Staged) => daemon.logged().filter(({ level }) => level === 'debug')
  /** What the test has not seen yet. */
  const fresh = (daemon: Staged, seen: number) => debug(daemon).slice(seen)

  before(async function () {
    this.timeout(60_000)
    smsc = await startSmsc({ clock: realClock, chance: Math.random })
    staged = await start('one')
    other = await start('two')
    const { seedDental } = await import('../../support/dental.ts')
    const { FROZEN } = await import('../../support/daemon.ts')
    await seedDental(staged.daemon.stores.sql, { atMs: FROZEN })
    const [url, token] = [`http://127.0.0.1:${staged.daemon.admin.port}`, TOKENS.desk]
    await until(async () => {
      const answer = await fetch(`${url}/v1/instances`, { headers: { authorization: `Bearer ${token}` } })
      return ((await answer.json()) as { instances: object[] }).instances.length === 2
    }, 'they do not know each other')
    // Tests read all that a daemon says; here it says what it would to an operator.
    await log({ what: 'level', level: 'info', instance: 'all', minutes: 60 })
  })
  after(async () => {
    const { knex } = staged
    await Promise.all([staged.daemon.stop(), other.daemon.stop()])
    await knex.raw(`DROP SCHEMA IF EXISTS "${stage.schema}" CASCADE`)
    await Promise.all([knex.destroy(), other.knex.destroy()])
    await smsc.stop()
  })

  it('by subsystem: what its part says, and no other', async function () {
    this.timeout(60_000)
    const seen = [debug(staged).length, debug(other).length] as const
    const said = await log({ what: 'level', level: 'debug', subsystem: 'smpp', minutes: 5, instance: 'all' })
    assert.match(said, /smpp +debug +\d{4}-/)
    assert.equal((await smsc.phone(JOHN).dial('*123#')).text, T1)
    const lines = [...fresh(staged, seen[0]), ...fresh(other, seen[1])]
    await log({ what: 'reset', instance: 'all' })
    await log({ what: 'level', level: 'info', instance: 'all', minutes: 60 })
    assert.deepEqual([...new Set(lines.map(({ subsystem }) => subsystem))], ['smpp'])
    assert.ok(lines.some(({ msg }) => msg === 'request of the SMSC'))
  })

  it('by subscriber, in all daemons: each message, turn, call and screen of his, and the number nowhere', async () => {
    const said = await log({ what: 'level', level: 'debug', msisdn: `+${JOHN}`, minutes: 5, instance: 'all' })
    assert.match(said, /one\n[\s\S]*675\*+01 \(subscriber \S+\) +all +\d{4}-[\s\S]*two\n/)
    const seen = [debug(staged).length, debug(other).length] as const
    const [john, mary] = [smsc.phone(JOHN), smsc.phone(MARY)]
    assert.equal((await john.dial('*123#')).text, T1)
    assert.equal((await mary.dial('*123#')).text, T1_MARY)
    assert.equal((await john.answer('4')).text, FAREWELL)
    await mary.answer('4')
    const lines = () => [...fresh(staged, seen[0]), ...fresh(other, seen[1])]
    await until(() => lines().filter(({ msg }) => msg === 'screen sent').length === 2, 'no screen')
    const subscribers = new Set(lines().map(({ subscriber }) => subscriber))
    assert.equal(subscribers.size, 1)
    assert.deepEqual([...new Set(lines().map(({ msg }) => msg))].toSorted(), [
      'back end answered',
      'message',
      'revision chosen',
      'screen sent',
      'turn played',
    ])
    assert.equal(JSON.stringify([staged.logged(), other.logged()]).includes(JOHN), false)
    const { rows } = await staged.knex.raw<{ rows: object[] }>('SELECT * FROM instance_command')
    assert.ok(rows.length > 0)
    assert.equal(JSON.stringify(rows).includes(JOHN), false)
    await log({ what: 'reset', instance: 'all' })
    assert.doesNotMatch(await log({}), /subscriber/)
  }).timeout(60_000)

  it('needs support for a subscriber, and says what is wrong with what was asked', async () => {
    await assert.rejects(log({ what: 'level', level: 'debug', msisdn: JOHN }, 'night'), /403: .*support/)
    await assert.rejects(log({ what: 'level', level: 'debug', msisdn: '123' }), /400: .*msisdn: international digits/)
    await assert.rejects(log({ what: 'level', level: 'debug', minutes: 2_000 }), /400: .*minutes/)
    await assert.rejects(log({ what: 'level', level: 'info', msisdn: JOHN }), /400: with msisdn/)
    await assert.rejects(log({ what: 'level' }), /which\?/)
    const audits = staged.logged().filter(({ msg, what }) => msg === 'admin audit' && what === 'log level')
    assert.ok(audits.length > 1)
  })
})
