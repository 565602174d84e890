import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { compileContract } from '../../../src/backend/contracts/compile.ts'
import { NAMES } from '../../../src/backend/contracts/fill.ts'
import { contractNames, parseContract } from '../../../src/backend/contracts/load.ts'
import { parseSettings } from '../../../src/config/load.ts'
import { root } from '../../style/tree.ts'

const page = readFileSync(join(root, 'docs/CONTRACTS.md'), 'utf8')
const blocks = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map((found) => found[1]!)

describe('docs/CONTRACTS.md', () => {
  it('shows a profile that is one', () => {
    const profile = parseContract(
      blocks.find((block) => block.startsWith('name: mine'))!,
      'docs',
    )
    assert.equal(compileContract(profile).name, 'mine')
    assert.equal(
      compileContract(
        parseContract(
          blocks.find((block) => block.startsWith('name: pages'))!,
          'docs',
        ),
      ).name,
      'pages',
    )
  })

  it('says of every contract that was studied what became of it', () => {
    for (let n = 1; n <= 27; n++) assert.match(page, new RegExp(`^\\| (H\\d+b? )*H${n} `, 'm'), `H${n}`)
  })

  it('shows settings that are some', () => {
    const base = 'redis: embedded\npostgres: embedded\n'
    const [apps, vumi, door] = ['services:', 'apps:\n  vumi', 'door:'].map((start) =>
      blocks.find((block) => block.startsWith(start))!,
    )
    assert.equal(parseSettings(`${base}${apps}door: {}\n`, 'docs', {}).settings.apps.shop!.contract, 'africastalking')
    assert.equal(
      parseSettings(`${base}services: [{ code: "*1#", app: vumi }]\n${vumi}door: {}\n`, 'docs', {}).settings.apps.vumi!
        .listen!.port,
      3903,
    )
    assert.throws(
      () => parseSettings(`${base}services: [{ code: "*1#", flow: x }]\n${door}`, 'docs', {}),
      /door\.tokenFile|\/etc\/ussd\/door cannot be read/,
    )
  })

  it('names every contract, and everything that may stand in braces', () => {
    for (const name of contractNames()) assert.match(page, new RegExp(`\`${name}\``), name)
    for (const name of NAMES) assert.match(page, new RegExp(`\`${name}\``), name)
  })

  it('is obeyed by settings: a service is a flow or an app, and that is there', () => {
    const source =
      'redis: embedded\npostgres: embedded\ndoor: {}\napps: { shop: { contract: nalo, url: http://127.0.0.1:1/ } }\nservices:\n'
    assert.throws(
      () =>
        parseSettings(
          `${source}  - { code: "*1#", app: shpo }\n  - { code: "*2#" }\n  - { code: "*3#", app: shop, flow: x }\n`,
          'docs',
          {},
        ),
      /needs either flow or app[\s\S]*needs either flow or app/,
    )
    assert.throws(
      () => parseSettings(`${source}  - { code: "*1#", app: shpo }\n`, 'docs', {}),
      /there is no app 'shpo' \(did you mean 'shop'\?\)/,
    )
  })
})
