/** `subscriber erase` beside a back-end module that fails, on embedded stores. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eraseCommand } from '../../src/cli/privacy.ts'

const MSISDN = '67570000001'

describe('subscriber erase', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ussd-erase-'))
  after(() => rmSync(folder, { recursive: true, force: true }))

  it('removes all else where a module fails, then fails with its name, and shows the number nowhere', async () => {
    const keeps = 'export: async () => ({}), erase: async (msisdn) =>'
    const module = (name: string, erase: string) => {
      const text = `export const backend = () => ({ operations: {}, subscriber: { ${keeps} ${erase} } })`
      writeFileSync(join(folder, `${name}.mjs`), text)
      return `  ${name}: { module: ${join(folder, `${name}.mjs`)} }`
    }
    const backends = [
      module('broken', '{ throw new Error(`no row of ${msisdn}`) }'),
      module('shop', "msisdn === '67570000001' ? 3 : 0"),
    ]
    const config = join(folder, 'connector.yaml')
    writeFileSync(
      config,
      ['door: { port: 1 }', 'redis: embedded', 'postgres: embedded', `data: ${join(folder, 'data')}`]
        .concat('services: [{ code: "*1#", flow: a }]', 'backends:', backends)
        .join('\n'),
    )
    const said: string[] = []
    const failed = await eraseCommand({ config, msisdn: MSISDN }, (text) => void said.push(text)).then(
      () => assert.fail('it did not fail'),
      (error: Error) => error,
    )
    assert.equal(failed.name, 'UsageError')
    assert.match(failed.message, /^modules of back ends did not remove what they keep: broken: no row of \S*\*\S* \(/)
    assert.match(said.join('\n'), /erased[^]*, 3 rows of modules of back ends,/)
    assert.doesNotMatch(failed.message + said.join('\n'), new RegExp(MSISDN))
  })
})
