/** A right-to-left page from the flow to the octets of the SMSC, and what a handset gets of it. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { realClock } from '../../support/clock.ts'
import { stageDaemon, type Staged } from '../../support/daemon.ts'
import { describeWith, until } from '../../support/services.ts'

const [LRM, RLM] = ['\u200e', '\u200f']
const FLOW = `flow: rasid
spec: 1
start: main
languages: [ar]
keys: { back: '0' }
screens:
  main: { menu: 'الرصيد:', choices: [{ label: شراء, to: sure }, { label: MTN باقة, to: sure }] }
  sure: { input: 'كم؟', number: { min: 1, max: 99 }, to: tell }
  tell: { sms: 'اطلب *676# غدا.', to: done, failed: done }
  done: { end: 'اطلب *676#' }
`

describeWith(['redis', 'postgres'], 'a right-to-left flow over a real socket', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ussd-rtl-'))
  let smsc: Smsc
  let staged: Staged

  before(async () => {
    writeFileSync(join(folder, 'rasid.yaml'), FLOW)
    smsc = await startSmsc({ clock: realClock, chance: Math.random })
    staged = await stageDaemon({
      smscPort: smsc.port,
      change: (settings) => {
        settings.flows.dir = folder
        settings.services = [{ code: '*676#', flow: 'rasid' }] as typeof settings.services
      },
    })
    await smsc.bound(1)
  })
  after(async () => {
    await staged?.close()
    await smsc?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  it('reaches the handset with its marks, and takes digits of its own script', async () => {
    const phone = smsc.phone('67570000001')
    assert.equal((await phone.dial('*676#')).text, `الرصيد:${RLM}\n${RLM}1. شراء\n${RLM}2. MTN باقة`)
    assert.equal((await phone.answer('٩')).text.split('\n')[0], `اختيار غير صحيح. حاول مرة أخرى:${RLM}`)
    assert.equal((await phone.answer('٢')).text, `كم؟\n${RLM}0. رجوع`)
    assert.equal((await phone.answer('٢٠')).text, `اطلب ${LRM}*676#${LRM}`)
    await until(() => phone.inbox.length > 0, 'no SMS came')
    assert.equal(phone.inbox[0]!.text, `اطلب ${LRM}*676#${LRM} غدا.${RLM}`)
  })
})
