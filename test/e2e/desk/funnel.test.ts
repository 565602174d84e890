/** Where subscribers leave a flow, on its own picture at the desk: revisions and a trial side by side. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { realClock } from '../../support/clock.ts'
import { stageDaemon, type Staged } from '../../support/daemon.ts'
import { browserOf, type DeskBrowser } from '../../support/desk-browser.ts'
import { describeWith, until } from '../../support/services.ts'
import { letIn } from '../../support/tokens.ts'
import { surveyFlow } from '../../support/survey.ts'

const TOKEN = 'reading-token-of-a-test'
describeWith(['redis', 'postgres'], 'the funnel of a flow at the desk', function () {
  this.timeout(60_000)
  const folder = mkdtempSync(join(tmpdir(), 'ussd-desk-funnel-'))
  const here = '/desk/services/survey'
  const asked: string[] = []
  let smsc: Smsc
  let staged: Staged
  let reader: DeskBrowser
  let [serial, isAway] = [0, false]

  before(async () => {
    writeFileSync(join(folder, 'survey.yaml'), surveyFlow('One'))
    smsc = await startSmsc({ clock: realClock, chance: Math.random })
    staged = await stageDaemon({
      smscPort: smsc.port,
      frozen: false,
      change: (settings) => {
        settings.services = [{ code: '*384#', flow: 'survey' }]
        settings.flows = { ...settings.flows, dir: folder, reloadMs: 50 }
        settings.backends = {}
        letIn(settings, { token: TOKEN, roles: 'read', name: 'reader' })
      },
    })
    const { sql } = staged.daemon.stores
    const run = sql.run.bind(sql)
    sql.run = (statement, ...more) => {
      asked.push(statement.name)
      return isAway && statement.text.includes('flow_funnel')
        ? Promise.reject(new Error('away'))
        : run(statement, ...more)
    }
    reader = await browserOf(`http://127.0.0.1:${staged.daemon.admin.port}`).enter(TOKEN)
  })
  after(async () => {
    await staged?.close()
    await smsc?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  async function dials(...keys: string[]): Promise<void> {
    const phone = smsc.phone(`6757000${String(++serial).padStart(4, '0')}`)
    await phone.dial('*384#')
    for (const key of keys) await phone.answer(key)
    await phone.hangUp()
  }
  const counted = (dialogues: number) =>
    until(async () => new RegExp(`figure">${dialogues} <`).test(await reader.text(here)), `not ${dialogues} dialogues`)

  it('is the picture alone before anybody dialled', async () => {
    const page = await reader.text(here)
    assert.match(page, /No dialogue of this flow ended in this time/)
    assert.match(page, /data-screen="rate"/)
    assert.doesNotMatch(page, /class="pill/)
    assert.equal((await reader.get('/desk/services/nothing')).status, 404)
  })

  it('has on each screen how many came, and who was lost there; a screen of nobody is pale', async () => {
    await dials('1', '9', '5')
    await dials('1')
    await dials()
    await counted(3)
    const page = await reader.text(here)
    const at = (screen: string) => new RegExp(`data-screen="${screen}">.*`).exec(page)![0]
    assert.match(
      at('main'),
      /class="reach" x="[\d.]+" y="[\d.]+" width="[\d.]+" height="5".*pill reached.*>3 · 100 %<.*pill lost.*>lost 1 · 33 %</,
    )
    assert.match(at('rate'), /pill reached.*>2 · 67 %<.*pill lost.*>lost 1 · 50 %</)
    assert.match(at('bye'), /pill reached.*>1 · 33 %</)
    assert.doesNotMatch(at('bye'), /pill lost/)
    assert.match(page, /<code>rate<\/code>[\s\S]*?2 · 67 %[\s\S]*?subscriber-abort 1[\s\S]*?typed 100 %/)
    assert.match(await reader.text(`${here}?lang=fr`), /perdus 1 · 33 %/)
    await reader.get('/desk?lang=en')
    const old = await reader.text(`${here}?from=2020-01-01T00:00&until=2020-01-02T00:00`)
    assert.match(old, /No dialogue of this flow/)
  })

  it('has revisions side by side, and the picture of each', async () => {
    const [first] = /survey@\w{12}/.exec(await reader.text(here))!
    writeFileSync(join(folder, 'survey.yaml'), surveyFlow('Two'))
    await until(async () => /survey@\w{12}/.exec(await reader.text(here))![0] !== first, 'not changed')
    await dials('2')
    await until(async () => /data-head="B: Reached"/.test(await reader.text(here)), 'not side by side')
    const page = await reader.text(here)
    assert.match(page, /data-screen="rate">.*class="dry"/)
    assert.match(page, /<h2>A <code>survey@\w{12}<\/code>[\s\S]*figure">1 <[\s\S]*<h2>B <code>[\s\S]*figure">3 </)
    const before = await reader.text(`${here}?revision=${first}`)
    assert.match(before, /data-screen="rate">.*>2 · 67 %</)
    assert.match(before, new RegExp(`<h2>A <code>${first}</code>`))
    for (const odd of ['x', 'other@000000000000', 'survey@000000000000', '%00'])
      assert.equal((await reader.get(`${here}?revision=${odd}`)).status, 200, odd)
    asked.length = 0
    await reader.get(here)
    // What the daemon asks on its own time, at each look at its files, is not of the page.
    const own = asked.filter((name) => /^flow-(?!release|recall|decided|event-taken)|^$|funnel/.test(name))
    assert.ok(own.length > 0 && own.length <= 2, own.join())
  })

  it('shows the picture while Postgres does not answer', async () => {
    isAway = true
    const page = await reader.text(here)
    assert.match(page, /Postgres does not answer: how many came/)
    assert.match(page, /data-screen="rate"/)
    isAway = false
  })
})
