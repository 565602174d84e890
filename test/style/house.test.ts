import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root, sources } from './tree.ts'

const LINES_MAX = 300
const COLUMNS_MAX = 140
/** Tables of data: long on purpose. */
const DATA = /^src\/ussd\/national/
/** Time and chance are arguments: only these may ask for them. */
const EDGE = /^src\/(clock|daemon\/run|cli|cli\/.*|simulator\/.*|services\/topup\/.*)\.ts$/

const code = sources(['src', 'samples', 'machines', 'migrations'])
const read = (file: string) => readFileSync(join(root, file), 'utf8').split('\n')

function breaches(files: string[], rule: (line: string, n: number, lines: string[]) => string | false): string[] {
  return files.flatMap((file) => read(file).flatMap((line, i, lines) => {
    const said = rule(line, i, lines)
    return said ? [`${file}:${i + 1}: ${said}`] : []
  }))
}

describe('house style', () => {
  it(`no file is over ${LINES_MAX} lines: split it by noun`, () => {
    const long = code.filter((file) => !DATA.test(file)).map((file) => [file, read(file).length] as const).filter(([, n]) => n > LINES_MAX + 1)
    assert.deepEqual(long, [])
  })

  it(`no line is over ${COLUMNS_MAX} columns`, () => {
    assert.deepEqual(breaches(code.filter((file) => !DATA.test(file)), (line) => line.length > COLUMNS_MAX && `${line.length} columns`), [])
  })

  it('no default exports, enums, namespaces, any, or console', () => {
    assert.deepEqual(breaches(code, (line) => {
      if (line.startsWith('export default ')) return 'default export: export it by name'
      if (/^(export )?(const )?(enum|namespace) /.test(line)) return 'not erasable: use a union of strings'
      if (/(:|as|<) ?any\b(?!\w)/.test(line) && !/^\s*(\*|\/\/|\/\*)/.test(line) && !/['"`].*\bany\b.*['"`]/.test(line)) return 'any: say what it is'
      if (/\bconsole\./.test(line)) return 'console: use the log port, or process.stdout in the CLI'
      return /\bTODO\b/.test(line) && 'TODO: open an issue, or do it'
    }), [])
  })

  it('time and chance are arguments', () => {
    assert.deepEqual(breaches(code.filter((file) => !EDGE.test(file)), (line) =>
      /\b(Date\.now\(|new Date\(\)|setTimeout\(|setInterval\(|Math\.random\()/.test(line) && !/^\s*(\*|\/\/)/.test(line)
      && 'take a Clock or Chance instead'), [])
  })

  it('every file says at its top what it is', () => {
    const silent = code.filter((file) => !/^(#!.*\n)?(\/\*\*|\/\/)/.test(readFileSync(join(root, file), 'utf8')))
    assert.deepEqual(silent, [])
  })

  it('no test is narrowed or skipped for good', () => {
    assert.deepEqual(breaches(sources(['test']).filter((f) => !f.startsWith('test/style')), (line) => /\b(describe|it)\.(only|skip)\(/.test(line) && 'narrowed'), [])
  })
})
