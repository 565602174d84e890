/** Daemons on one Redis, each of which recalls what it wrote last: what is asked, and what comes of it. */
import assert from 'node:assert/strict'
import { Redis } from 'ioredis'
import type { DialogueStore, PlayAtOnce } from '../../../src/dialogue/types.ts'
import { REDIS_OPTIONS } from '../../../src/store/redis/servers.ts'
import { dialogueFixture, expectIs, LIMITS } from '../../contract/dialogue-fixture.ts'
import { describeWith, services } from '../../support/services.ts'
import { redisPlace, type RedisPlace } from './place.ts'

/** A turn that awaits nothing. */
const played: PlayAtOnce = ({ record }) => ({
  nowMs: record.touchedMs,
  revision: 'shop@1',
  snapshot: { value: `screen ${record.turn}` },
  ended: null,
  reply: { action: 'continue', text: `screen ${record.turn}`, step: null, link: 'link-a' },
})

describeWith(['redis'], 'a dialogue that a daemon wrote last', () => {
  let place: RedisPlace
  let clients: Redis[]
  let outdated: number
  beforeEach(async () => {
    place = await redisPlace(LIMITS)
    clients = []
    outdated = 0
  })
  afterEach(async () => {
    for (const client of clients) client.disconnect()
    await place.clear()
  })

  /** With the names of the commands that it sends. */
  async function daemon(): Promise<{ store: DialogueStore; sent: string[] } & ReturnType<typeof dialogueFixture>> {
    const client = new Redis(services.redisUrl!, REDIS_OPTIONS)
    clients.push(client)
    await new Promise((done) => client.once('ready', done))
    const onOutdated = () => void outdated++
    const store = await place.open(LIMITS, { client, servers: undefined, onOutdated } as never)
    const sent: string[] = []
    const send = client.sendCommand.bind(client)
    client.sendCommand = (command, stream) => (sent.push(command.name), send(command, stream))
    return { store, sent, ...dialogueFixture(store) }
  }

  it('is not read: its next message is one write', async () => {
    const { asked, answer, rest, sent } = await daemon()
    await asked()
    sent.length = 0
    const { record, held } = expectIs(await answer({ token: 't1' }), 'next')
    assert.deepEqual(sent, ['evalsha'])
    assert.ok(await rest({ token: 't1', epoch: record.epoch, held }))
    expectIs(await answer({ text: '2' }), 'next')
    assert.deepEqual(sent, ['evalsha', 'evalsha', 'evalsha'])
  })

  it('is read if the message is none that is taken: another daemon may know more', async () => {
    const { taken, answer, sent } = await daemon()
    await taken()
    sent.length = 0
    expectIs(await answer({ text: '2' }), 'busy')
    expectIs(await answer({ network: '18' }), 'unknown')
    assert.deepEqual(sent, ['get', 'get'])
  })

  it('may have gone on with another daemon: then the next key is the next key here, too', async () => {
    const [here, there] = [await daemon(), await daemon()]
    await here.asked()
    let turn = 1
    const next = async (one: typeof here) => {
      const token = `t${++turn}`
      const { record, held } = expectIs(await one.answer({ token, text: String(turn) }), 'next')
      assert.equal(record.turn, turn)
      assert.ok(await one.rest({ token, epoch: record.epoch, held }))
    }
    for (let n = 0; n < 10; n++) {
      await next(there)
      await next(here)
    }
    assert.ok(outdated >= 4 && outdated <= 10, `${outdated} writes for nothing: then each reads first`)
    here.sent.length = 0
    await next(here)
    assert.deepEqual(here.sent, ['get', 'evalsha', 'evalsha'])
  })

  it('may have ended with another daemon, or begun there once more: nothing is confirmed by what was', async () => {
    const [here, there] = [await daemon(), await daemon()]
    await here.asked()
    await there.drop()
    expectIs(await here.answer(), 'unknown')
    await here.asked({ network: '20' })
    await there.drop()
    await there.asked({ network: '20', code: '*124#', copyMs: 1 })
    const { record } = expectIs(await here.answer({ network: '20' }), 'next')
    assert.deepEqual([record.turn, record.code], [2, '*124#'])
  })

  it('takes one of two keys that come at once; the other is for no screen', async () => {
    for (const isElsewhere of [false, true]) {
      const [here, there] = [await daemon(), await daemon()]
      const epoch = await here.asked()
      if (isElsewhere) {
        const { held } = expectIs(await there.answer({ token: 'x', text: '7' }), 'next')
        await there.rest({ token: 'x', epoch, held })
      }
      const both = await Promise.all([
        here.answer({ token: 'a' }, played),
        here.answer({ token: 'b', text: '2' }, played),
      ])
      assert.deepEqual(both.map(({ is }) => is).toSorted(), ['busy', 'next'])
      const copies = await Promise.all([here.answer({ token: 'c' }, played), here.answer({ token: 'd' }, played)])
      assert.deepEqual(copies.map(({ is }) => is).toSorted(), ['next', 'repeat'])
      await place.clear()
    }
  })

  it('goes out of memory when another daemon erases its subscriber', async () => {
    const { asked, answer, store, sent } = await daemon()
    await asked()
    store.forget()
    sent.length = 0
    expectIs(await answer(), 'next')
    assert.deepEqual(sent, ['get', 'evalsha'])
  })
})
