/** `check --config` knows texts that a regulated line would not send, and SMS settings that do nothing. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { check } from '../../src/cli/check/check.ts'

const FLOW = (sms: string) => `
flow: shop
spec: 1
start: main
languages: [en, hi]
screens:
  main: { menu: { en: Hi, hi: Namaste }, choices: [{ label: { en: Buy, hi: Lo }, to: send }] }
  send: { sms: ${sms}, to: out, failed: out }
  out: { exit: true }
`
const TEMPLATES = `templates: { tag: "0x1401", list: [{ id: "1", text: "Paid by {#var#}." }, { id: "2", text: "Diya." }] }`

describe('check and regulated SMS', function () {
  const folder = mkdtempSync(join(tmpdir(), 'ussd-regulated-'))
  after(() => rmSync(folder, { recursive: true, force: true }))

  async function told(flow: string, sms: string, lines = 'lines: [a]'): Promise<string[]> {
    const config = join(folder, 'connector.yaml')
    mkdirSync(join(folder, 'flows'), { recursive: true })
    writeFileSync(join(folder, 'flows/shop.yaml'), FLOW(flow))
    const smsc = 'smsc: { host: 127.0.0.1, port: 1, systemId: x, password: y }'
    writeFileSync(
      config,
      `lines: [{ name: a, ${smsc}, sms: { source: "1", ${sms} } }, { name: b, ${smsc} }]\n` +
        `services: [{ code: "*1#", flow: shop, ${lines} }]\nflows: { dir: ${folder}/flows }\n` +
        `redis: embedded\npostgres: embedded\n`,
      { mode: 0o600 },
    )
    const said: string[] = []
    await check([], (text) => said.push(text), { config })
    assert.match(said[0]!, /shop: good/)
    return said.filter((text) => /registered template|does nothing/.test(text))
  }

  it('warns of each text that no template can fit, with its language, and where it stands', async () => {
    assert.deepEqual(await told('{ en: "Paid by {msisdn}.", hi: Diya. }', TEMPLATES), [])
    const [one, ...more] = await told('{ en: "Paid by {msisdn}!", hi: Diya. }', TEMPLATES)
    assert.deepEqual(more, [])
    assert.match(
      one!,
      /shop\.yaml:8:\d+: warning: on line 'a' no registered template fits the SMS of 'send' in en: it would not/,
    )
  })

  it('says nothing where the line does not offer the flow, or sends what no template fits', async () => {
    assert.deepEqual(await told('{ en: A, hi: B }', TEMPLATES, 'lines: [b]'), [])
    assert.deepEqual(await told('{ en: A, hi: B }', TEMPLATES.replace('list', 'unmatched: send, list')), [])
    assert.equal((await told('{ en: A, hi: B }', TEMPLATES)).length, 2)
  })

  it('tells shift tables that do nothing', async () => {
    assert.deepEqual(await told('{ en: A, hi: B }', 'languages: [hindi], long: payload'), [
      "  line 'a': warning: sms.languages does nothing: with long: payload no SMS can name a shift table: set long: udh16, or remove languages [inert-setting]",
    ])
  })
})
