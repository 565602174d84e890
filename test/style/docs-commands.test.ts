import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './tree.ts'

const read = (file: string) => readFileSync(join(root, file), 'utf8')
const programs = [
  'src/cli/arguments.ts',
  ...readdirSync(join(root, 'src/cli/commands')).map((name) => `src/cli/commands/${name}`),
]
  .map(read)
  .join('\n')
const named = (pattern: RegExp) => new Set([...programs.matchAll(pattern)].map(([, name]) => name!))
const commands = named(/(?:\.command|name:)\(?\s*'([a-z][a-z-]*)/g)
const options = named(/'(?:-\w, )?(--[a-z][a-z-]*)/g)

/** Commands and options that a page names and the program does not have. */
function strangers(page: string): string[] {
  const written = page.matchAll(/(?:^|`|npx |\$\()ussd-connector ([a-z-]+)([^`\n]*)/gm)
  return [...written].flatMap(([, command, rest]) => {
    const words = rest!.split(/\s#|[|;]/)[0]!
    const unknown = [...words.matchAll(/(?<=\s)--[a-z][a-z-]*/g)]
      .map(([option]) => option)
      .filter((option) => !options.has(option))
    return [
      ...(commands.has(command!) || command === 'help' ? [] : [command!]),
      ...unknown.map((option) => `${command} ${option}`),
    ]
  })
}

describe('the pages', () => {
  it('name only commands and options that there are', () => {
    const pages = [
      'README.md',
      'RELIABILITY.md',
      ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.md'))
        .map((name) => `docs/${name}`),
    ]
    for (const page of pages) assert.deepEqual(strangers(read(page)), [], page)
    assert.ok(commands.size > 20 && options.size > 30)
    assert.deepEqual(
      strangers('```sh\nussd-connector flows --token-file x   # and --nothing\n`ussd-connector lines --all`'),
      ['flows', 'lines --all'],
    )
  })
})
