import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import type { Knex } from 'knex'
import { faultProxy, targetOf, through, type FaultProxy } from '../../campaigns/staging/proxy.ts'
import type { Settings } from '../../../src/config/schema.ts'
import { readPdu } from '../../../src/simulator/codec/index.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { realClock } from '../../support/clock.ts'
import { newStage, settingsFor, stageDaemon, stageTables, type Stage, type Staged } from '../../support/daemon.ts'
import { bound, runProcess, type DaemonProcess } from '../../support/process.ts'
import { describeWith, services, until } from '../../support/services.ts'

const BUSY = 'Service busy. Please try again later.'
const UNAVAILABLE = 'This service is not available.'
const DIALS = 40
const SLOTS = 10
const [OK, AGAIN] = [0, 0x64]

/** What became of each dial: the status of its response, and what its phone shows. */
interface Dialled {
  msisdn: string
  status: number | undefined
  text: string | undefined
}

function dialling(smsc: Smsc, from: number) {
  const msisdns = Array.from({ length: DIALS }, (_, n) => String(67_573_000_000 + from + n))
  for (const msisdn of msisdns)
    smsc
      .phone(msisdn)
      .dial('*123#')
      .catch(() => undefined)
  return (): Dialled[] => {
    const statuses = statusesOf(smsc)
    return msisdns.map((msisdn) => ({
      msisdn,
      status: statuses.get(msisdn),
      text: smsc.phone(msisdn).story.find((line) => line.startsWith('sees')),
    }))
  }
}

/** By subscriber: the status that the last message of it was answered with. */
function statusesOf(smsc: Smsc): Map<string, number> {
  const senders = new Map<string, string>()
  const statuses = new Map<string, number>()
  for (const { direction, peer, octets } of smsc.trace()) {
    const decoded = readPdu(octets)
    if (!decoded.ok) continue
    const { command, sequence, body, status } = decoded.pdu
    const name = `${peer} ${sequence}`
    if (direction === 'out' && command === 'deliver_sm') senders.set(name, String(body.source_addr))
    if (direction === 'in' && command === 'deliver_sm_resp') statuses.set(senders.get(name)!, status)
  }
  return statuses
}

const answered = (dials: Dialled[], status: number) => dials.filter((one) => one.status === status)

for (const bind of ['transceiver', 'pair'] as const) {
  describeWith(['redis', 'postgres'], `dials that meet no Redis, and no response of the SMSC (${bind})`, function () {
    this.timeout(120_000)
    let smsc: Smsc
    let proxy: FaultProxy
    let stage: Stage
    let knex: Knex | undefined
    const change = (settings: Settings) => {
      settings.redis = { ...(settings.redis as object), url: through(services.redisUrl!, proxy) } as Settings['redis']
      settings.lines[0]!.bind = bind
      // The slots stay taken: what is late is not what is tested here.
      settings.dialogue.turnMs = 60_000
    }

    beforeEach(async () => {
      smsc = await startSmsc({ clock: realClock, chance: Math.random })
      proxy = await faultProxy(targetOf(services.redisUrl!))
      stage = newStage()
    })
    afterEach(async () => {
      await smsc?.stop()
      await proxy?.close()
      await knex?.raw(`DROP SCHEMA IF EXISTS "${stage.schema}" CASCADE`)
      await knex?.destroy()
      knex = undefined
      rmSync(stage.data, { recursive: true, force: true })
    })

    async function unwell(): Promise<void> {
      smsc.chaos.add({ on: 'submit_sm', lane: 'ussd', act: { is: 'drop-response' } })
      await proxy.set({ is: 'refuse' })
    }

    it('are acknowledged if their text has left, and else delivered again', async () => {
      const staged: Staged = await stageDaemon({ smscPort: smsc.port, change })
      try {
        await unwell()
        const dials = dialling(smsc, 0)
        await until(() => dials().every(({ status }) => status !== undefined), 'a dial is not answered')
        await until(() => dials().filter(({ text }) => text).length === SLOTS, 'a text is lost')
        assert.deepEqual([answered(dials(), OK).length, answered(dials(), AGAIN).length], [SLOTS, DIALS - SLOTS])
        for (const { text, msisdn } of answered(dials(), OK)) assert.match(text ?? '', new RegExp(BUSY), msisdn)
        const { metrics } = staged.daemon
        assert.equal(await metrics.value('limits_total', { limit: 'say_ms' }), DIALS - SLOTS)
      } finally {
        await proxy.set({ is: 'pass' })
        await staged.close()
      }
    })

    it('are acknowledged with their text on the wire: a kill -9 then loses none', async () => {
      knex = await stageTables(stage)
      const daemon: DaemonProcess = runProcess(settingsFor({ smscPort: smsc.port, change }, stage), stage.data)
      try {
        await bound(daemon, smsc, bind === 'pair' ? 2 : 1)
        await unwell()
        const dials = dialling(smsc, 500)
        await until(() => answered(dials(), OK).length >= SLOTS, 'nothing is acknowledged')
        daemon.kill('SIGKILL')
        await daemon.exited
        await until(() => smsc.binds().length === 0, 'the binds stay')
        const mute = answered(dials(), OK).filter(({ text }) => !text)
        assert.deepEqual(mute, [])
      } finally {
        daemon.kill('SIGKILL')
      }
    })
  })
}

describeWith(['redis', 'postgres'], 'a text to a dial that gets no dialogue', () => {
  let smsc: Smsc
  let staged: Staged
  before(async () => {
    smsc = await startSmsc({ clock: realClock, chance: Math.random })
    staged = await stageDaemon({ smscPort: smsc.port })
  })
  after(async () => {
    await staged?.close()
    await smsc?.stop()
  })

  it('follows the acknowledgement at once: nothing is between them', async () => {
    const screen = await smsc.phone('67573000900').dial('*999#')
    assert.equal(screen.text, UNAVAILABLE)
    const commands = smsc
      .trace()
      .filter(({ direction }) => direction === 'in')
      .map(({ octets }) => readPdu(octets))
      .map((decoded) => (decoded.ok ? decoded.pdu.command : ''))
    assert.deepEqual(commands.slice(-2), ['deliver_sm_resp', 'submit_sm'])
  })
})
