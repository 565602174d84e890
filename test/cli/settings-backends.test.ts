/** A flow that is recorded with the back ends of a settings file: what they really answer stands in the talk. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { recordTalk } from '../../src/cli/flows/record.ts'
import { settingsBackends } from '../../src/cli/flows/settings-backends.ts'
import { parseTalks } from '../../src/flow/talk/talk.ts'
import { playTalk } from '../../src/flow/talk/player.ts'
import { writtenLines } from '../../src/simulator/control/terminal.ts'
import { realClock } from '../support/clock.ts'
import { layEmbedded } from '../support/pglite.ts'
import { flowOf } from '../flow/support.ts'

const MODULE = `
export const told = []
export const backend = ({ refuse }) => ({
  operations: {
    hold: async ({ n }, { language, msisdn }) => (n > 5 ? refuse('too-many', { left: 5 }) : { n, by: msisdn, in: language }),
    slow: (args, { signal }) => new Promise((done, fail) => signal.addEventListener('abort', () => fail(new Error('late')))),
  },
  ended: async (epoch, reason) => void told.push(reason),
})
`
const { flow, ...compilation } = flowOf(`
  main: { input: 'How many?', number: { min: 1, max: 9 }, to: hold }
  hold: { call: shop.hold, with: { n: '{answers.main}' }, expect: { n: number }, to: slow, refused: { too-many: { to: main, notice: Too many. } } }
  slow: { call: shop.slow, timeoutMs: 100, to: done, failed: late }
  late: { call: gone.ask, to: done, failed: done }
  done: { end: 'You have {data.hold.n}, {data.hold.by}.' }
`)

describe('back ends of the settings, for a flow that is recorded', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ussd-settings-'))
  after(() => rmSync(folder, { recursive: true, force: true }))

  it('answer, refuse, are late or not there; the talk passes, and what was held is given back', async function () {
    this.timeout(60_000)
    const module = join(folder, 'shop.mjs')
    writeFileSync(module, MODULE)
    const config = join(folder, 'connector.yaml')
    writeFileSync(
      config,
      `
lines: [{ name: a, smsc: { host: 127.0.0.1, systemId: x, password: y } }]
services: [{ code: "*77#", flow: test }]
backends: { shop: { module: ${module} } }
redis: embedded
postgres: embedded
data: ${join(folder, 'data')}
`,
      { mode: 0o600 },
    )
    await layEmbedded(join(folder, 'data'))
    const backends = await settingsBackends(config, realClock)
    const file = join(folder, 'shop.talk')
    try {
      assert.deepEqual([backends.codeOf('test'), backends.codeOf('other')], ['*77#', undefined])
      await recordTalk(
        { flow, ...compilation },
        {
          file,
          code: backends.codeOf('test')!,
          msisdn: '67570000009',
          now: '2025-01-15T08:00:00.000Z',
          typed: writtenLines(['7', '3']),
          output: new PassThrough(),
          isTty: false,
          answering: backends.answering,
        },
      )
    } finally {
      await backends.close()
    }
    const text = readFileSync(file, 'utf8')
    assert.match(text, /refuse shop\.hold too-many \{"left":5\}\n> 7\n/)
    assert.match(
      text,
      /backend shop\.hold \{"n":3,"by":"67570000009","in":"en"\}\nfail shop\.slow late\nfail gone\.ask refused-call\n> 3\n/,
    )
    assert.match(text, /< You have 3, 67570000009\.\nended backend-failed\n$/)
    assert.equal(await playTalk(parseTalks(file, text)[0]!, flow), undefined)
    const { told } = (await import(module)) as { told: string[] }
    assert.deepEqual(told, ['completed'])
  })

  it('are not had from a file that is not there', async () => {
    await assert.rejects(settingsBackends(join(folder, 'none.yaml'), realClock), /none\.yaml: cannot be read/)
  })
})
