/** What the settings of web-hooks refuse. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ProblemsError } from '../../src/base/errors.ts'
import { parseSettings } from '../../src/config/load.ts'

describe('the settings of web-hooks', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ussd-hooks-'))
  const secret = (name: string, text: string) => {
    writeFileSync(join(folder, name), text, { mode: 0o600 })
    return join(folder, name)
  }
  after(() => rmSync(folder, { recursive: true, force: true }))

  function wrong(hooks: string): string[] {
    const text = `door: { port: 1 }\nredis: embedded\npostgres: embedded\nservices: [{ code: "*1#", flow: a }]\nsmsHooks:\n${hooks}`
    try {
      parseSettings(text, 'test', {})
      return []
    } catch (error) {
      assert.ok(error instanceof ProblemsError)
      return error.problems.map(({ where, what }) => `${where} ${what}`)
    }
  }
  const hook = (name: string, owners: string, keyFile: string) =>
    `  ${name}: { url: "https://a.example/x", owners: [${owners}], keyFile: ${keyFile} }\n`

  it('are taken with a key of their own, for owners that exist', () => {
    assert.deepEqual(wrong(hook('a', 'token:clinic, flow:visits', secret('good', 'gie4aiPh8Ohx3eeWoo9e'))), [])
  })

  it('name the place: an owner twice, a back end that is not there, a weak key, none, an address that is no web page', () => {
    const good = secret('good', 'gie4aiPh8Ohx3eeWoo9e')
    const said = wrong(
      hook('a', 'token:clinic', good) + hook('b', 'token:clinic, backend:gone', secret('weak', 'secret')),
    )
    assert.match(said[0]!, /^test:7:\d+ the secret in .*weak /)
    assert.match(said[1]!, /^test:7:\d+ token:clinic has the web-hook 'a' already$/)
    assert.match(said[2]!, /^test:7:\d+ there is no back end 'gone'$/)
    assert.match(wrong(hook('a', 'clinic', good))[0]!, /^test:6:\d+ .*an owner such as token:clinic/)
    assert.match(wrong(hook('a', 'token:clinic', join(folder, 'none')))[0]!, /^test:6:\d+ /)
    assert.match(wrong(hook('a', 'token:c', good).replace('https:', 'ftp:'))[0]!, /^test:6:\d+ /)
  })
})
