/** `check --config` and `doctor --config` warn of a confirm on `1` behind a `1`, where no counter tells a copy. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { doctorCommand } from '../../src/cli/smsc/doctor.ts'
import { check } from '../../src/cli/check/check.ts'
import { dialectNames, loadProfile } from '../../src/smpp/dialect/load.ts'
import { copiesConfirm } from '../../src/smpp/dialect/dialect.ts'
import { root } from '../style/tree.ts'

const FLOW = (confirm: number) => `
flow: shop
spec: 1
start: main
languages: [en]
screens:
  main: { menu: Hi, choices: [{ label: Buy, to: sure }] }
  sure: { menu: Sure?, choices: [${'{ label: No, to: out }, '.repeat(confirm - 1)}{ label: Yes, to: pay }] }
  pay: { call: shop.pay, once: true, to: out, failed: out }
  out: { exit: true }
`
const SESSION = (session: string) => `extends: standard\nname: own\ninbound: { session: { ${session} } }\n`

describe('a confirm on a key that may be a copy', function () {
  const folder = mkdtempSync(join(tmpdir(), 'ussd-same-key-'))
  const config = join(folder, 'connector.yaml')
  after(() => rmSync(folder, { recursive: true, force: true }))

  /** The lines of the settings, and the session of the dialect `own`. */
  function settings(lines: string, session = 'step: none', services = '{ code: "*1#", flow: shop }') {
    mkdirSync(join(folder, 'dialects'), { recursive: true })
    mkdirSync(join(folder, 'flows'), { recursive: true })
    writeFileSync(join(folder, 'dialects/own.yaml'), SESSION(session))
    const all = lines.replaceAll('SMSC', 'smsc: { host: 127.0.0.1, port: 1, systemId: x, password: y }')
    writeFileSync(
      config,
      `lines: [${all}]\nservices: [${services}]\nflows: { dir: ${folder}/flows }\n` +
        `backends: { ${['shop', 'dental', 'wallet'].map((name) => `${name}: { http: { url: "http://127.0.0.1:9" } }`).join(', ')} }\n` +
        `dialects: { dir: ${folder}/dialects }\nredis: embedded\npostgres: embedded\n`,
      { mode: 0o600 },
    )
  }
  async function warned(confirm = 1): Promise<string[]> {
    writeFileSync(join(folder, 'flows/shop.yaml'), FLOW(confirm))
    const said: string[] = []
    await check([], (text) => said.push(text), { config })
    assert.match(said[0]!, /shop: good/)
    return said.filter((text) => text.includes('may confirm'))
  }

  it('is told once for each line without a counter, with flow file, screen, key, line, dialect and remedy', async () => {
    settings('{ name: a, SMSC, dialect: own }, { name: b, SMSC }, { name: c, SMSC, dialect: kz }')
    const said = await warned()
    assert.equal(said.length, 2)
    assert.match(
      said[0]!,
      /shop\.yaml:8:9: warning: on line 'a' a copy of the key 1 may confirm: the dialect own has no/,
    )
    assert.match(said[0]!, /1 on 'main' leads to 'sure', where 1 changes something \(put .*counter.*sameKeyMs/)
    assert.match(said[1]!, /on line 'c' .* the dialect kz has no turn counter/)
  })

  it('is told of a counter that may stall where the same key is a key at once', async () => {
    settings('{ name: a, SMSC, dialect: own }', 'sameKeyMs: 0')
    assert.match((await warned())[0]!, /the dialect own has sameKeyMs 0, and 1 on 'main'/)
  })

  it('is not told of a confirm on another key, of a longer time, or of a line that does not offer the flow', async () => {
    settings('{ name: a, SMSC, dialect: own }')
    assert.deepEqual(await warned(2), [])
    settings('{ name: a, SMSC, dialect: own }', 'step: none, sameKeyMs: 3000')
    assert.deepEqual(await warned(), [])
    const services = '{ code: "*1#", flow: shop, lines: [b] }'
    settings('{ name: a, SMSC, dialect: own }, { name: b, SMSC }', 'step: none', services)
    assert.deepEqual(await warned(), [])
  })

  it('is told by the doctor of the line that it examines', async () => {
    settings('{ name: a, SMSC, dialect: own }, { name: c, SMSC, dialect: kz }, { name: b, SMSC }')
    await warned()
    const told = async (line: string) => {
      const said: string[] = []
      const options = { config, line, window: 0, rateSms: 0, deadPeer: 0, wait: 1, receipts: 1, yes: true }
      await doctorCommand({ ...options, times: { connectMs: 200 } }, (text) => said.push(text))
      return said.filter((text) => text.includes('may confirm'))
    }
    const [said, ...more] = await told('c')
    assert.match(said!, /on line 'c' a copy of the key 1 may confirm/)
    assert.deepEqual([more, said!.includes("line 'a'")], [[], false])
    assert.deepEqual(await told('b'), [])
  })

  it('is quiet on the sample flows with the shipped dialect that counts', async () => {
    const said: string[] = []
    settings('{ name: b, SMSC }', 'step: none', '{ code: "*1#", flow: dental }, { code: "*2#", flow: topup }')
    await check([join(root, 'flows')], (text) => said.push(text), { config })
    assert.ok(said.some((text) => text.includes('dental: good')))
    assert.deepEqual(
      said.filter((text) => text.includes('may confirm')),
      [],
    )
  })
})

describe('a profile', () => {
  it('says by its counter whether a copy may confirm: of those shipped, only standard counts', () => {
    const dir = join(root, 'dialects')
    const counting = dialectNames(dir).filter((name) => copiesConfirm(loadProfile(name, dir)) === undefined)
    assert.deepEqual(counting, ['standard'])
  })
})
