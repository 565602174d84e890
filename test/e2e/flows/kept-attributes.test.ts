/** The sample `*675#`: a menu by the subscription, which is asked for once and kept, and by the balance, which is not. */
import assert from 'node:assert/strict'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { startWallet, type WalletServer } from '../../../samples/topup/server.ts'
import { realClock } from '../../support/clock.ts'
import { stageDaemon, type Staged } from '../../support/daemon.ts'
import { describeWith } from '../../support/services.ts'

const [JOHN, CONTRACT] = ['67570000001', '67570000003']

describeWith(['redis', 'postgres'], 'attributes of a subscriber that are kept', () => {
  let smsc: Smsc
  let wallet: WalletServer
  let staged: Staged

  before(async () => {
    smsc = await startSmsc({ clock: realClock, chance: Math.random })
    wallet = await startWallet({ port: 0 })
    staged = await stageDaemon({
      smscPort: smsc.port,
      change: (settings) => {
        settings.services.push({ code: '*675#', flow: 'topup' })
        settings.backends.wallet = {
          http: {
            url: `http://127.0.0.1:${wallet.port}`,
            timeoutMs: 2_000,
            headers: {},
            concurrent: 5,
            retries: 0,
            octetsMax: 65_536,
            ended: false,
          },
        }
      },
    })
    await smsc.bound(1)
  })
  after(async () => {
    await staged?.close()
    await smsc?.stop()
    await wallet?.stop()
  })

  const dialled = async (msisdn: string) => {
    const phone = smsc.phone(msisdn)
    const { text } = await phone.dial('*675#')
    phone.hangUp()
    return text
  }
  const answers = (result: string) =>
    staged.daemon.metrics.value('backend_cache_total', { backend: 'wallet', operation: 'subscriber', result })

  it('make the menu of each subscriber, are asked for once, and serve while the back end is away', async () => {
    assert.match(await dialled(JOHN), /^Balance: PGK 25\.00\n1\. Buy Airtime\n/)
    assert.match(await dialled(CONTRACT), /^Left this month: PGK 10\.00\n1\. Buy Bundle\n/)
    assert.match(await dialled(JOHN), /^Balance: PGK 25\.00\n/)
    assert.deepEqual([await answers('fetched'), await answers('fresh')], [2, 1])
    await wallet.stop()
    assert.match(await dialled(CONTRACT), /^Service busy/, 'the balance is not kept, and nobody can tell it')
    assert.equal(await answers('fresh'), 2)
    const logged = JSON.stringify(staged.logged())
    assert.ok(!logged.includes('postpaid') && !logged.includes(CONTRACT), 'no attribute and no number in the log')
  })
})
