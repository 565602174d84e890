/** Two daemons take edited files and decisions: `flow history` tells both, with one of them restarted and Postgres away. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { historyOfFlow } from '../../../src/cli/flows/flow-history.ts'
import { canaryCommand, publishCommand, recallCommand, rollbackCommand } from '../../../src/cli/flows/releases.ts'
import type { Settings } from '../../../src/config/schema.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { faultProxy, targetOf, through, type FaultProxy } from '../../campaigns/staging/proxy.ts'
import { realClock } from '../../support/clock.ts'
import { newStage, stageDaemon, type Staged } from '../../support/daemon.ts'
import { describeWith, services, until } from '../../support/services.ts'
import { ALL_ROLES, letIn } from '../../support/tokens.ts'

const TOKEN = 'operating-token-of-a-test'
const flow = (price: string) =>
  `flow: prices\nspec: 1\nstart: main\nlanguages: [en]\nscreens:\n  main: { end: Rice ${price} }\n`
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

describeWith(['redis', 'postgres'], 'the history of a flow in mode files', function () {
  this.timeout(60_000)
  const stage = newStage()
  const folder = mkdtempSync(join(tmpdir(), 'ussd-history-'))
  const drafts = mkdtempSync(join(tmpdir(), 'ussd-history-drafts-'))
  const draft = join(drafts, 'prices.yaml')
  const smscs: Smsc[] = []
  const daemons: Staged[] = []
  let proxy: FaultProxy

  const options = () => ({
    url: `http://127.0.0.1:${daemons[0]!.daemon.admin.port}`,
    tokenFile: join(drafts, 'token'),
    reason: '',
  })
  const none = () => undefined
  const history = async (more: object = {}) => {
    const said: string[] = []
    await historyOfFlow('prices', { ...options(), ...more }, (line) => said.push(line))
    return said
  }
  /** The rows without times and revisions. */
  const told = async () =>
    (await history()).slice(1).map((line) => {
      const [at, ...cells] = line.split(/ {2,}/)
      assert.match(at!, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$/)
      return cells.join(' | ').replaceAll(/prices@\w+/g, 'REV')
    })
  const edit = (price: string) => writeFileSync(join(folder, 'prices.yaml'), flow(price))
  const files = async () => (await history()).filter((line) => line.includes('took file'))

  const start = async (which: number) => {
    daemons[which] = await stageDaemon({
      smscPort: smscs[which]!.port,
      with: { ...stage, data: join(stage.data, String(which)) },
      change: (settings) => {
        settings.flows = { dir: folder, reloadMs: 50, publish: 'files', plugins: [], testers: [] }
        settings.services = [{ code: '*200#', flow: 'prices' }]
        settings.backends = {}
        settings.lines[0]!.name = `smsc-${which}`
        settings.lines[0]!.timers.reconnectMs = 50
        settings.instance = `daemon-${which}`
        settings.stopMs = 0
        letIn({ admin: settings.admin, data: drafts }, { token: TOKEN, roles: ALL_ROLES, name: 'ana' })
        if (which === 0) reroute(settings)
      },
    })
  }
  function reroute(settings: Settings): void {
    const { url } = settings.postgres as { url: string }
    settings.postgres = { ...(settings.postgres as object), url: through(url, proxy) } as Settings['postgres']
  }

  before(async () => {
    writeFileSync(join(drafts, 'token'), TOKEN, { mode: 0o600 })
    edit('K10')
    proxy = await faultProxy(targetOf(services.postgresUrl!))
    for (const which of [0, 1]) {
      smscs[which] = await startSmsc({ clock: realClock, chance: Math.random })
      await start(which)
    }
  })
  after(async () => {
    await proxy?.set({ is: 'pass' })
    await daemons[1]?.daemon.stores.knex.raw(`DROP SCHEMA IF EXISTS "${stage.schema}" CASCADE`)
    for (const staged of daemons) await staged.close()
    for (const smsc of smscs) await smsc.stop()
    await proxy?.close()
    for (const path of [folder, drafts, stage.data]) rmSync(path, { recursive: true, force: true })
  })

  it('has the file that each daemon took, with its hash; a restart is no news', async () => {
    await until(async () => (await files()).length === 2, 'not both files are told')
    edit('K11')
    await until(async () => (await files()).length === 4, 'the edit is not told')
    await daemons[1]!.close()
    await start(1)
    edit('K12')
    await until(async () => (await files()).length === 6, 'the second edit is not told')
    const lines = await told()
    assert.equal(lines.length, 6, lines.join('\n'))
    for (const which of [0, 1])
      for (const price of ['K10', 'K11', 'K12']) {
        const file = `${join(folder, 'prices.yaml')} sha256 ${sha256(flow(price))}`
        assert.ok(
          lines.some((line) => line.endsWith(` | - | daemon-${which} | ${file}`)),
          `${which} ${price}:\n${lines.join('\n')}`,
        )
      }
  })

  it('has who decided what and why, newest first, also as JSON, and no number of a subscriber', async () => {
    writeFileSync(draft, flow('K20'))
    await publishCommand(draft, { ...options(), reason: 'asked for by +675 7000 0001 on 2026-11-30' }, none)
    const [published] = JSON.parse((await history({ json: true })).join('')) as { revision: string }[]
    writeFileSync(draft, flow('K21'))
    await publishCommand(draft, { ...options(), share: 12.5, note: 'half of half' }, none)
    const [tried] = JSON.parse((await history({ json: true, last: 1 })).join('')) as { revision: string }[]
    await canaryCommand('prices', { ...options(), end: true }, none)
    await rollbackCommand('prices', { ...options(), reason: 'complaints' }, none)
    await recallCommand(published!.revision, { ...options(), reason: 'wrong price', text: [] }, none)
    const lines = (await told()).slice(0, 5)
    assert.deepEqual(lines, [
      'recall | REV | - | REV | ana | daemon-0 | wrong price',
      'rollback | REV | - | REV | ana | daemon-0 | complaints',
      'trial over | REV | - | REV | ana | daemon-0',
      'canary | REV | 12.5 % | REV | ana | daemon-0 | half of half',
      'publish | REV | - | REV | ana | daemon-0 | asked for by 675******01 on 2026-11-30',
    ])
    const [head, ...rows] = await history()
    assert.match(head!, /^AT +DID +REVISION +SHARE +BEFORE +BY +DAEMON +WHY, OR WHICH FILE$/)
    assert.ok(rows[3]!.includes(tried!.revision))
    await assert.rejects(historyOfFlow('nothing', options(), none), /404/)
    await assert.rejects(history({ last: 5_000 }), /400.*1 to 1000/)
  })

  it('has no decision that Postgres did not take, and a file that was taken meanwhile when it is back', async () => {
    const before = await history()
    await proxy.set({ is: 'refuse' })
    await assert.rejects(publishCommand(draft, { ...options(), reason: 'lost' }, none))
    edit('K30')
    await until(
      () => daemons[0]!.logged().some(({ msg }) => msg === 'the history of flows waits for Postgres'),
      'daemon 0 does not wait',
    )
    await proxy.set({ is: 'pass' })
    await until(async () => (await history().catch(() => [])).length === before.length + 2, 'not told afterwards')
    const lines = (await told()).slice(0, 2).toSorted()
    assert.match(lines[0]!, /^took file \| REV \| - \| REV \| - \| daemon-0 /)
    assert.match(lines[1]!, /^took file \| REV \| - \| REV \| - \| daemon-1 /)
  })
})
