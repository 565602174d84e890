import assert from 'node:assert/strict'
import { stageDaemon, type Staged } from '../support/daemon.ts'
import { foreignSmsc } from '../support/foreign-smsc.ts'
import { menuApp, PROVIDERS, type MenuApp } from '../support/menu-app.ts'
import { describeWith, until } from '../support/services.ts'
import { stub, type Stub } from '../backend/contracts/stub.ts'

const rows = Object.entries(PROVIDERS).flatMap(([library, { providers }]) => providers.map((provider) => ({ library, provider })))
const codeOf = (i: number) => `*38${i}#`

describeWith(['redis', 'postgres'], 'applications that already exist, behind the daemon', () => {
  let smsc: Awaited<ReturnType<typeof foreignSmsc>>
  let staged: Staged
  let menus: MenuApp
  let own: Stub

  before(async () => {
    smsc = await foreignSmsc()
    menus = await menuApp()
    own = await stub()
    const common = { timeoutMs: 2_000, headers: {}, networks: {}, concurrent: 10, octetsMax: 65_536 }
    staged = await stageDaemon({
      smscPort: smsc.port, frozen: false,
      change(settings) {
        rows.forEach(({ library, provider }, i) => {
          settings.services.push({ code: codeOf(i), app: `shop-${i}` })
          const url = `http://127.0.0.1:${menus.port}/${library}/${provider}`
          settings.apps[`shop-${i}`] = { ...common, contract: provider === 'cross-switch' ? 'emergent' : provider.toLowerCase(), url }
        })
        settings.services.push({ code: '*400#', app: 'own' })
        settings.apps.own = { ...common, contract: 'africastalking', url: own.url, closeUrl: `${own.url}/events` }
      },
    })
  })
  after(async () => {
    await staged?.close()
    smsc?.stop()
    menus?.stop()
    await own?.close()
  })

  rows.forEach(({ library, provider }, i) => {
    it(`walks an application written with ${library} for ${provider}`, async () => {
      const phone = smsc.phone(`6757000010${i}`)
      assert.deepEqual(await phone.dial(codeOf(i)), { text: 'Akiba\n1. Balance\n2. Buy airtime', op: 2, end: false })
      assert.deepEqual(await phone.answer('2'), { text: 'Enter amount:', op: 2, end: false })
      assert.deepEqual(await phone.answer('15'), { text: 'Bought K 15.', op: 17, end: true })
      assert.equal((await phone.dial(codeOf(i))).end, false)
      assert.deepEqual(await phone.answer('1'), { text: `Balance of +6757000010${i}: K 12.50`, op: 17, end: true })
    })
  })

  it('plays a deep dial into an application', async () => {
    const phone = smsc.phone('67570000120')
    assert.deepEqual(await phone.dial('*380*2*7#'), { text: 'Bought K 7.', op: 17, end: true })
    assert.deepEqual(await phone.dial('*381*2#'), { text: 'Akiba\n1. Balance\n2. Buy airtime', op: 2, end: false },
      'this library starts its menu anew for hubtel whatever was dialled')
  })

  it('tells an application that the subscriber hung up, and never sends a screen then', async () => {
    const phone = smsc.phone('67570000121')
    await phone.dial(codeOf(1))
    await phone.hangUp()
    const path = '/ussd-menu-builder/hubtel'
    await until(() => menus.heard[path]!.some((body) => JSON.parse(body).Type === 'Release'), 'no Release came')
    const told = JSON.parse(menus.heard[path]!.at(-1)!)
    assert.deepEqual([told.Type, told.Mobile, told.Sequence], ['Release', '67570000121', 1])
  })

  it('tells the true end to the events address: success, hang-up, a failure of the application', async () => {
    const phone = smsc.phone('67570000122')
    const told = async (n: number) => {
      const events = () => own.heard.filter((it) => it.target === '/ussd/events')
      await until(() => events().length >= n, 'no notice came')
      const { status, errorMessage, input, lastAppResponse } = Object.fromEntries(new URLSearchParams(events()[n - 1]!.body))
      return { status, errorMessage, input, lastAppResponse }
    }
    const says = (body: string) => own.says({ status: 200, headers: {}, body })
    says('CON Name?')
    await phone.dial('*400#')
    says('END Thanks.')
    assert.equal((await phone.answer('Ann')).text, 'Thanks.')
    assert.deepEqual(await told(1), { status: 'Success', errorMessage: '', input: 'Ann', lastAppResponse: 'END Thanks.' })
    says('CON Name?')
    await phone.dial('*400#')
    await phone.hangUp()
    assert.deepEqual(await told(2), { status: 'Incomplete', errorMessage: 'subscriber-abort', input: '', lastAppResponse: 'CON Name?' })
    await phone.dial('*400#')
    says('Oops')
    assert.deepEqual(await phone.answer('Ann'), { text: 'Service busy. Please try again later.', op: 17, end: true })
    assert.deepEqual(await told(3), { status: 'Failed', errorMessage: 'backend-failed', input: 'Ann', lastAppResponse: 'CON Name?' })
    assert.equal(await staged.daemon.metrics.value('ussd_dialogues_total', { flow: 'app:own', reason: 'backend-failed' }), 1)
  })

  it('never logs a number or what an application said', () => {
    const logged = JSON.stringify(staged.logged())
    assert.equal(logged.includes('6757000'), false)
    assert.equal(logged.includes('Akiba'), false)
    assert.equal(logged.includes('Ann'), false)
  })
})
