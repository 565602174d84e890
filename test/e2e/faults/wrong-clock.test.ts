import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tokenHash } from '../../../src/admin/access.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { realClock } from '../../support/clock.ts'
import { stageDaemon, type Staged } from '../../support/daemon.ts'
import { describeWith, until } from '../../support/services.ts'
import { T1, T4, T5 } from '../../support/screens.ts'
import { ALL_ROLES } from '../../support/tokens.ts'

const TOKEN = 'operating-token-of-a-test'
const HOUR_MS = 3_600_000

describeWith(['redis', 'postgres'], 'a second daemon whose clock is an hour fast', () => {
  let right: { smsc: Smsc; staged: Staged }
  let wrong: { smsc: Smsc; staged: Staged }
  let aheadMs = HOUR_MS

  before(async function () {
    this.timeout(60_000)
    const smsc = await startSmsc({ clock: realClock, chance: Math.random })
    const staged = await stageDaemon({ smscPort: smsc.port })
    right = { smsc, staged }
    const other = await startSmsc({ clock: realClock, chance: Math.random })
    const { prefix } = staged.settings.redis as { prefix: string }
    const schema = /search_path=(\w+)/.exec(decodeURIComponent((staged.settings.postgres as { url: string }).url))![1]!
    const now = () => Date.now() + aheadMs
    wrong = {
      smsc: other,
      staged: await stageDaemon({
        smscPort: other.port,
        with: { prefix, schema, data: staged.settings.data },
        now,
        wall: { now, steady: () => performance.now() },
        awaitReady: false,
        change({ admin, data, push }) {
          push.freeText = true
          admin.tokensFile = join(data, 'tokens-of-the-wrong')
          writeFileSync(admin.tokensFile, `${ALL_ROLES}:${tokenHash(TOKEN).toString('hex')} op\n`, { mode: 0o600 })
        },
      }),
    }
    await other.bound(1)
  })
  after(async () => {
    for (const one of [wrong, right]) {
      await one?.staged.close()
      await one?.smsc.stop()
    }
  })

  it("ends nobody's dialogue, takes no turn and is not ready; once its clock is right it serves", async () => {
    const john = right.smsc.phone('67570000001')
    assert.equal((await john.dial('*123#')).text, T1)
    assert.equal((await john.answer('2')).text, T4)
    const { daemon, logged } = wrong.staged
    const turnedAway = () => daemon.metrics.value('limits_total', { limit: 'clock_wrong' })
    const mary = wrong.smsc.phone('67570000002')
    const dialled = mary.dial('*123#').catch((error: Error) => error)
    await until(async () => (await turnedAway()) > 0, 'the dial is not turned away')
    assert.ok(logged().some(({ msg }) => msg === 'the clock of this machine is wrong: no turns, no SMS'))
    const { ready, parts } = await daemon.readiness()
    assert.deepEqual([ready, (parts.clock as { ok: boolean }).ok], [false, false])
    assert.equal(await daemon.metrics.value('ussd_messages_total'), 0)
    assert.equal(await daemon.metrics.value('ussd_dialogues_total'), 0)
    assert.equal((await john.answer('2')).text, T5, 'it goes on')
    await beginsNothing()
    aheadMs = 0
    await until(async () => (await daemon.readiness()).ready, 'its clock is right again')
    assert.equal((await daemon.push.notify({ msisdn: '67570000003', text: 'Hello', ttlMs: 3_000 })).is, 'shown')
    mary.hangUp()
    await dialled
  })

  /** A push is refused with the reason, over HTTP too, and nothing is owed in its place. */
  async function beginsNothing(): Promise<void> {
    const { daemon, settings } = wrong.staged
    const msisdn = '67570000003'
    const asked = { msisdn, flow: 'dental', ttlMs: 3_000, sms: 'Instead' }
    const refused = { name: 'WrongClockError', message: /the clock of this machine is wrong: nothing was pushed/ }
    await assert.rejects(daemon.push.push(asked), refused)
    await assert.rejects(daemon.push.notify({ msisdn, text: 'Hello', ttlMs: 3_000 }), refused)
    const said = { flow: 'dental', revision: 'dental@0', snapshot: {}, ended: null }
    const reply = { action: 'continue', text: 'Hello' } as const
    const offered = { msisdn, line: settings.lines[0]!.name, epoch: 'e', said: { ...said, reply }, ttlMs: 3_000 }
    await assert.rejects(daemon.push.offer(offered), refused)
    const answer = await fetch(`http://127.0.0.1:${daemon.admin.port}/v1/push`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` },
      body: JSON.stringify(asked),
    })
    const { error } = (await answer.json()) as { error: string }
    assert.deepEqual([answer.status, /clock of this machine is wrong/.test(error)], [503, true])
    const group = settings.lines[0]!.group ?? settings.lines[0]!.name
    assert.equal(await daemon.stores.dialogues.find({ group, msisdn }), null)
    assert.equal((await wrong.staged.knex('sms_outbox').where({ msisdn })).length, 0)
    assert.equal(await daemon.metrics.value('ussd_pushes_total'), 0)
  }
})
