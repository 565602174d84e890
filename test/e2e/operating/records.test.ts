/** Call detail records over real stores: one a dialogue, whatever ends it and whoever dies. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { Knex } from 'knex'
import { seedDental } from '../../support/dental.ts'
import { FROZEN, stageDaemon, type Staged } from '../../support/daemon.ts'
import { ProcessStage, soonTakenOver } from '../../support/process-stage.ts'
import { foreignSmsc } from '../../support/foreign-smsc.ts'
import { describeWith, services, until } from '../../support/services.ts'
import { sqlOn } from '../../../src/store/postgres/sql.ts'
import { Redis } from 'ioredis'
import { faultProxy, targetOf, type FaultProxy } from '../../campaigns/staging/proxy.ts'
import { readMediation } from '../../campaigns/judging/record-sets.ts'
import type { Settings } from '../../../src/config/schema.ts'

const recorded = async (knex: Knex, kind = 'dialogue') => (await knex('cdr').where({ kind }).orderBy('epoch')) as Row[]
interface Row {
  epoch: string
  msisdn: string
  code: string
  reason: string
  screen: string
  path: string
  flow: string
  turns: number
  instance: string
}

for (const embedded of [false, true]) {
  describeWith(
    embedded ? [] : ['redis', 'postgres'],
    `records of a daemon${embedded ? ', all embedded' : ''}`,
    function () {
      this.timeout(60_000)
      let staged: Staged
      let smsc: Awaited<ReturnType<typeof foreignSmsc>>
      before(async () => {
        smsc = await foreignSmsc()
        staged = await stageDaemon({ smscPort: smsc.port, embedded })
      })
      after(async () => {
        await staged?.close()
        smsc?.stop()
      })

      it('tell of a dialogue what was seen and chosen, by number', async () => {
        const phone = smsc.phone('67570000001')
        await phone.dial('*123#')
        for (const key of ['2', '2', '1', '1']) await phone.answer(key)
        await phone.hangUp()
        await until(async () => (await recorded(staged.knex)).length === 1, 'no record')
        const [row] = await recorded(staged.knex)
        assert.equal(row!.code, '*123#')
        assert.match(row!.flow, /^dental@[0-9a-f]{12}$/)
        assert.equal(row!.reason, 'subscriber-abort')
        assert.match(row!.path, /^[a-z-]+:2\/\d+>[a-z-]+:2\/\d+>[a-z-]+:1\/\d+>[a-z-]+:1\/\d+$/)
        assert.ok(row!.screen !== '' && row!.turns === 5)
        assert.equal(row!.instance, staged.daemon.name)
      })

      it('are there of a dial that no service has, without its digits', async () => {
        await smsc.phone('67570000012').dial('*999*4321#')
        await until(async () => (await recorded(staged.knex, 'refused')).length === 1, 'no record')
        const [row] = await recorded(staged.knex, 'refused')
        assert.deepEqual(
          [row!.msisdn, row!.code, row!.reason, row!.turns],
          ['67570000012', '*999*#', 'unknown-code', 0],
        )
      })

      it('are there of each SMS, when it is settled', async () => {
        await staged.knex('sms_outbox').where({ state: 'due' }).update({ state: 'cancelled', settled_at: new Date() })
        await until(async () => (await recorded(staged.knex, 'sms')).length > 0, 'no record')
        await until(
          async () => (await staged.knex('sms_outbox').where({ recorded: false, state: 'cancelled' })).length === 0,
          'SMS without a record',
        )
      })
    },
  )
}

let serial = 0

/** An answer that was promised, and that nobody could tell in time. */
function untold(): object {
  const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000)
  return {
    epoch: '01a22cf1-0000-7000-8000-000000000001',
    msisdn: '67570109999',
    line: 'test',
    line_group: 'test',
    code: '*123#',
    turn: 2,
    call: 1,
    revision: 'dental@9f2c01ab77de',
    snapshot: 'of a key that is gone',
    opened_at: hoursAgo(3),
    until_at: hoursAgo(2),
    lease: 'dead',
    lease_until: hoursAgo(-1),
  }
}

/** Dials, and hangs up, goes on, or leaves it. The daemon may die meanwhile: then the phone gets nothing. */
async function dialogue({ smsc }: ProcessStage): Promise<void> {
  const phone = smsc.phone(`6757010${String(++serial).padStart(4, '0')}`)
  const withinMs = 3_000
  const isShown = await phone.dial('*123#', { withinMs }).then(Boolean, () => false)
  if (!isShown) return
  if (serial % 3 === 0) phone.hangUp()
  if (serial % 3 === 1) await phone.answer('0', { withinMs }).catch(() => undefined)
}

/** The epochs of all that were opened, by their tombstones: each subscriber dialled once. */
async function epochsInRedis({ stage }: ProcessStage): Promise<string[]> {
  const redis = new Redis(services.redisUrl!)
  try {
    const keys = await redis.keys(`${stage.prefix}:{b*}:u:*`)
    const values = await Promise.all(keys.map((key) => redis.getrange(key, 0, 255)))
    return values.map((value) => value.split('\n')[0]!.split(' ')[2]!).toSorted()
  } finally {
    redis.disconnect()
  }
}

/** Postgres is reached by way of this proxy. */
function through(settings: Settings, { port }: FaultProxy): void {
  if (settings.postgres === 'embedded') return
  const url = new URL(settings.postgres.url)
  url.hostname = '127.0.0.1'
  url.port = String(port)
  settings.postgres.url = url.toString()
}

describeWith(['redis', 'postgres'], 'records of daemons that are killed, with Postgres away for a while', function () {
  this.timeout(180_000)
  let proxy: FaultProxy
  const on = new ProcessStage((settings) => {
    soonTakenOver(settings)
    settings.reminders.pollMs = 60_000
    settings.dialogue.idleMs = 3_000
    settings.dialogue.tombstoneMs = 600_000
    through(settings, proxy)
  })
  const started = (env: Record<string, string> = {}) =>
    on.startBound({ USSD_CONNECTOR_FROZEN_CLOCK: '2025-05-01T09:00:00+10:00', ...env })

  before(async () => {
    proxy = await faultProxy(targetOf(services.postgresUrl!))
    await on.open()
    await seedDental(sqlOn(on.knex, { named: true }), { atMs: FROZEN })
  })
  after(async () => {
    await on.close()
    await proxy?.close()
  })

  it('are there of an answer that was promised and that nobody could tell in time, whose snapshot does not open', async () => {
    await on.knex('ussd_late').insert(untold())
    await started()
    await until(async () => (await recorded(on.knex, 'deferred')).length === 1, 'no record')
    const [row] = (await recorded(on.knex, 'deferred')) as (Row & { detail: string })[]
    assert.deepEqual(
      [row!.msisdn, row!.code, row!.reason, row!.detail, row!.turns, row!.flow],
      ['67570109999', '*123#', 'failed', 'given-up', 2, 'dental@9f2c01ab77de'],
    )
    await on.kill()
  })

  it('are those of all dialogues that were opened, each once', async () => {
    for (const point of ['after-write', 'after-rest', 'cdr-written']) {
      const daemon = { isDead: false }
      await started({ USSD_CONNECTOR_FAILPOINTS: `${point}=0.2;seed=3` })
      void on.daemon.exited.then(() => (daemon.isDead = true))
      if (point === 'after-rest') await proxy.set({ is: 'refuse' })
      for (let n = 0; n < 12 && !daemon.isDead; n++) await dialogue(on)
      await on.kill()
      await proxy.set({ is: 'pass' })
    }
    await started()
    for (let n = 0; n < 3; n++) await dialogue(on)
    const opened = await epochsInRedis(on)
    assert.ok(opened.length >= 5, `${opened.length} dialogues are too few to show anything`)
    const rows = async () => (await recorded(on.knex)).map(({ epoch }) => epoch)
    await until(async () => (await rows()).length >= opened.length, 'records are missing', 60_000)
    assert.deepEqual(await rows(), opened)
    const counted = (await on.knex('flow_funnel').where({ screen: '', span: 86_400 })) as { reached: string }[]
    const onFlow = (await recorded(on.knex)).filter(({ flow }) => flow !== '')
    assert.equal(
      counted.reduce((sum, { reached }) => sum + Number(reached), 0),
      onFlow.length,
      'the funnel counts each once',
    )
  })
})

describeWith(['redis', 'postgres'], 'records for files alone, of a daemon that is killed', function () {
  this.timeout(180_000)
  let proxy: FaultProxy
  const filesIn = ({ stage }: ProcessStage) => join(stage.data, 'mediation')
  const on: ProcessStage = new ProcessStage((settings) => {
    soonTakenOver(settings)
    settings.instance = 'd1'
    settings.reminders.pollMs = 60_000
    settings.dialogue.idleMs = 3_000
    settings.dialogue.tombstoneMs = 600_000
    settings.records.to = 'files'
    const feed = {
      codes: [],
      kinds: ['dialogue', 'deferred', 'sms', 'refused'],
      unit: 'session',
      format: 'csv',
    } as const
    settings.records.files = {
      dir: filesIn(on),
      everyMs: 1_000,
      feeds: [{ ...feed, partner: 'acme', codes: [], kinds: [...feed.kinds] }],
    }
    through(settings, proxy)
  })
  const started = (env: Record<string, string> = {}) =>
    on.startBound({ USSD_CONNECTOR_FROZEN_CLOCK: '2025-05-01T09:00:00+10:00', ...env })
  const filed = () => {
    const { rows, wrong } = readMediation(filesIn(on))
    assert.deepEqual(wrong, [])
    return rows
  }
  const epochs = (kind: string) => {
    const rows = filed().filter((row) => row.startsWith(`${kind} `))
    return [...new Set(rows)].map((row) => row.split(' ')[1]!).toSorted()
  }

  before(async () => {
    proxy = await faultProxy(targetOf(services.postgresUrl!))
    await on.open()
    await seedDental(sqlOn(on.knex, { named: true }), { atMs: FROZEN })
    await on.knex('ussd_late').insert(untold())
  })
  after(async () => {
    await on.close()
    await proxy?.close()
  })

  it('are at least once those of all dialogues, in numbered files, also while Postgres is away; the table is empty', async () => {
    for (const point of ['after-write', 'file-cut', 'file-renamed']) {
      const daemon = { isDead: false }
      await started({ USSD_CONNECTOR_FAILPOINTS: `${point}=0.3;seed=5` })
      void on.daemon.exited.then(() => (daemon.isDead = true))
      for (let n = 0; n < 10 && !daemon.isDead; n++) await dialogue(on)
      await on.kill()
    }
    await started()
    await proxy.set({ is: 'refuse' })
    for (let n = 0; n < 4; n++) await dialogue(on)
    const opened = await epochsInRedis(on)
    assert.ok(opened.length >= 6, `${opened.length} dialogues are too few to show anything`)
    await until(() => epochs('dialogue').length >= opened.length, 'records are missing', 60_000)
    assert.deepEqual(epochs('dialogue'), opened)
    await proxy.set({ is: 'pass' })
    assert.deepEqual(await on.knex('cdr'), [])
  })

  it('have dials that were turned away, SMS that are settled, and answers that were given up', async () => {
    const at = (ms: number) => new Date(Date.now() + ms)
    await on.knex('sms_outbox').insert({
      subject: 'dental:77',
      kind: 'reminder',
      msisdn: '67570000001',
      line: 'test',
      text: 'x',
      state: 'cancelled',
      due_at: at(0),
      expires_at: at(60_000),
      wake_at: at(0),
      settled_at: at(0),
      created_at: at(-1),
    })
    await on.smsc.phone('67570019999').dial('*999*4321#')
    await until(() => epochs('sms').length === 1 && epochs('refused').length === 1, 'records are missing', 60_000)
    await until(
      async () => (await on.knex('sms_outbox').where({ recorded: false, state: 'cancelled' })).length === 0,
      'not marked',
      60_000,
    )
    await until(() => epochs('deferred').length === 1, 'the record of the answer is missing', 60_000)
    assert.deepEqual(await on.knex('cdr'), [])
  })
})
