/** The registry of commands: a file each, which loads nothing until it is run. */
import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../style/tree.ts'

const folder = join(root, 'src/cli/commands')
const files = readdirSync(folder)

describe('the commands', () => {
  it('are all in the registry', () => {
    const registry = readFileSync(join(root, 'src/cli/main.ts'), 'utf8')
    assert.deepEqual(
      files.filter((file) => !registry.includes(`import('./commands/${file}')`)),
      [],
    )
  })

  it('load their rooms when they run, so that the help is there at once', () => {
    const light =
      /^(node:|commander$|\.\.\/(arguments|admin|ages|alarm-tables|table|status-page)\.ts$|\.\.\/\.\.\/base\/|\.\/)/
    const heavy = files.flatMap((file) =>
      Array.from(
        readFileSync(join(folder, file), 'utf8').matchAll(/^import (?!type )[^;'"]*?from '([^']+)'/gm),
        ([, from]) => `${file} imports ${from}`,
      ).filter((one) => !light.test(one.split(' imports ')[1]!)),
    )
    assert.deepEqual(heavy, [])
  })
})
