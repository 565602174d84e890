/** Web-hooks of SMS, on an SMSC that is not ours: an application is told what became of what it asked for. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tokenHash } from '../../../src/admin/access.ts'
import { stub, type Heard, type Stub } from '../../backend/contracts/stub.ts'
import { newStage, stageDaemon, type Stage, type Staged } from '../../support/daemon.ts'
import { foreignSmsc } from '../../support/foreign-smsc.ts'
import { describeWith, until } from '../../support/services.ts'
import { root } from '../../style/tree.ts'

const JOHN = '67570000001'
const TOKEN = 'a-token-of-an-application-1'
const KEY = 'a-key-of-an-application-1'

type IsOurs = (key: string, request: { method: string; url: string; headers: object }, body: Buffer) => boolean

/** The example of the page, as it stands. */
async function exampleOf(dir: string): Promise<IsOurs> {
  const [, source] = /```js\n(import \{ createHash[\s\S]*?)```/.exec(readFileSync(join(root, 'docs/SMS.md'), 'utf8'))!
  writeFileSync(join(dir, 'example.mjs'), source!)
  return ((await import(join(dir, 'example.mjs'))) as { isOurs: IsOurs }).isOurs
}

describeWith(['redis', 'postgres'], 'web-hooks of SMS', () => {
  let smsc: Awaited<ReturnType<typeof foreignSmsc>>
  let application: Stub
  let stage: Stage
  let staged: Staged
  let status = 204
  const dir = mkdtempSync(join(tmpdir(), 'ussd-hooks-'))
  const start = () =>
    stageDaemon({
      smscPort: smsc.port,
      with: stage,
      frozen: false,
      change: (settings) => {
        settings.reminders.pollMs = 50
        settings.admin.tokensFile = join(dir, 'tokens')
        const { url } = application
        const more = { timeoutMs: 5_000, concurrent: 20, giveUpMs: 86_400_000 }
        settings.smsHooks = { clinic: { ...more, url, owners: ['token:clinic'], keyFile: join(dir, 'key') } }
      },
    })

  before(async () => {
    smsc = await foreignSmsc()
    application = await stub()
    application.says((_heard, response) => void response.writeHead(status).end())
    const hash = tokenHash(TOKEN).toString('hex')
    writeFileSync(join(dir, 'tokens'), `sms:${hash} clinic\nsms:${hash.replace(/^./, '0')} other\n`, { mode: 0o600 })
    writeFileSync(join(dir, 'key'), `${KEY}\n`, { mode: 0o600 })
    stage = newStage()
    staged = await start()
  })
  after(async () => {
    await staged?.daemon.stop()
    await staged?.knex.raw(`DROP SCHEMA IF EXISTS "${stage.schema}" CASCADE`)
    await staged?.close()
    await application?.close()
    smsc?.stop()
    for (const folder of [dir, stage.data]) rmSync(folder, { recursive: true, force: true })
  })

  const ask = async (key: string) => {
    const response = await fetch(`http://127.0.0.1:${staged.daemon.admin.port}/v1/sms`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}` },
      body: JSON.stringify({ to: JOHN, text: `About ${key}`, key }),
    })
    assert.equal(response.status, 201)
  }
  const receipt = (id: string) =>
    smsc.deliver({
      source_addr_ton: 1,
      source_addr_npi: 1,
      source_addr: JOHN,
      destination_addr: '123',
      esm_class: 4,
      short_message: `id:${id} sub:001 dlvrd:001 submit date:2505010900 done date:2505010900 stat:DELIVRD err:000 text:`,
    })
  const said = () =>
    application.heard.map(({ body }) => {
      const { key, event } = JSON.parse(body) as Record<string, string>
      return `${key} ${event}`
    })

  it('accepted, then delivered, signed as the page says', async () => {
    await ask('visit-1')
    await until(() => said().length === 1, 'nothing was told')
    assert.equal(await receipt('f1'), 0)
    await until(() => said().length === 2, 'the delivery was not told')
    assert.deepEqual(said(), ['visit-1 accepted', 'visit-1 delivered'])
    const isOurs = await exampleOf(dir)
    const verify = ({ method, target: url, headers, body }: Heard, key = KEY) =>
      isOurs(key, { method, url, headers }, Buffer.from(body))
    const [first, second] = application.heard as [Heard, Heard]
    assert.ok(verify(first) && verify(second))
    assert.equal(verify(first, 'another-key-of-somebody'), false)
    assert.equal(verify({ ...first, body: second.body }), false)
  })

  it('what an application does not take waits over a restart of the daemon', async () => {
    application.heard.length = 0
    status = 500
    await ask('visit-2')
    await until(() => said().length > 0, 'nothing was tried')
    assert.equal(await receipt('f2'), 0)
    await staged.close()
    application.heard.length = 0
    status = 200
    staged = await start()
    await until(() => said().length === 2, 'it was not told after the restart', 15_000)
    assert.deepEqual(said(), ['visit-2 accepted', 'visit-2 delivered'])
    await until(async () => (await staged.knex('sms_event')).length === 0, 'what was told is still kept')
  })
})
