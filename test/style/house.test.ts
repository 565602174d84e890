import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { BASIC_KINDS } from '../../src/flow/screens/kinds.ts'
import { root, sources } from './tree.ts'

const COLUMNS_MAX = 120
/** Time and chance are arguments: only these may ask for them. */
const EDGE = /^src\/(base\/time\/wall-clock|daemon\/run)\.ts$/

/** Where an exported name is defined. What is handed on (`export { … } from`) is no definition. */
const EXPORTED = /^export (?:async )?(?:function\*?|const|class|interface|type|let) (\w+)/gm

/**
 * Their keys live as long as what is configured, or as a connection: next to nothing is added while turns run. And what
 * the command line asks once.
 */
const WEAK = new Set([
  'src/cli/admin.ts',
  'src/cli/commands/health.ts',
  'src/cli/flows/settings-backends.ts',
  'src/base/http/connections.ts',
  'src/base/log/log.ts',
  'src/base/memory/remembered.ts',
  'src/flow/explore/explorer.ts',
  'src/flow/explore/state-key.ts',
  'src/flow/read/read.ts',
  'src/flow/plan/picking.ts',
  'src/flow/screens/typed.ts',
  'src/flow/text/compiled-texts.ts',
  'src/flow/text/message.ts',
  'src/gateway/turns.ts',
  'src/simulator/load/crowd.ts',
  'src/simulator/smsc/links.ts',
  'src/spans/spans.ts',
  'src/store/redis/connection.ts',
  'src/tools/recorder/recorder.ts',
  'src/ussd/service-code.ts',
])

const code = sources(['src', 'samples', 'machines', 'migrations'])
const read = (file: string) => readFileSync(join(root, file), 'utf8').split('\n')

function breaches(files: string[], rule: (line: string, n: number, lines: string[]) => string | false): string[] {
  return files.flatMap((file) =>
    read(file).flatMap((line, i, lines) => {
      const said = rule(line, i, lines)
      return said ? [`${file}:${i + 1}: ${said}`] : []
    }),
  )
}

describe('house style', () => {
  it(`no line is over ${COLUMNS_MAX} columns, but for a text that the formatter does not cut`, () => {
    const isInTemplate = (i: number, lines: string[]) =>
      (lines.slice(0, i).join('\n').match(/`/g)?.length ?? 0) % 2 === 1
    assert.deepEqual(
      breaches(
        code,
        (line, i, lines) =>
          line.length > COLUMNS_MAX && !/['"`]/.test(line) && !isInTemplate(i, lines) && `${line.length} columns`,
      ),
      [],
    )
  })

  it('an exported name is defined once: one word, one thing', () => {
    const where = new Map<string, string[]>()
    for (const file of code.filter((one) => !one.startsWith('migrations/'))) {
      for (const [, name] of readFileSync(join(root, file), 'utf8').matchAll(EXPORTED)) {
        where.set(name!, [...(where.get(name!) ?? []), file])
      }
    }
    const twice = [...where].filter(([, files]) => files.length > 1)
    assert.deepEqual(twice, [])
  })

  it('a basic kind of screen is one file: nobody else in src/flow asks a screen for its kind', () => {
    const asks = new RegExp(`\\bkind\\b *[!=]==? *'(${BASIC_KINDS.join('|')})'`)
    const others = code.filter((file) => /^src\/flow\/(?!screens\/|expression\/)/.test(file))
    assert.deepEqual(
      breaches(others, (line) => asks.test(line) && 'add to src/flow/screens/kind.ts what is asked for'),
      [],
    )
  })

  it('no default exports, enums, namespaces, any, or console', () => {
    assert.deepEqual(
      breaches(code, (line) => {
        if (line.startsWith('export default ')) return 'default export: export it by name'
        if (/^(export )?(const )?(enum|namespace) /.test(line)) return 'not erasable: use a union of strings'
        if (
          /(:|as|<) ?any\b(?!\w)/.test(line) &&
          !/^\s*(\*|\/\/|\/\*)/.test(line) &&
          !/['"`].*\bany\b.*['"`]/.test(line)
        )
          return 'any: say what it is'
        if (/\bconsole\./.test(line)) return 'console: use the log port, or process.stdout in the CLI'
        return /\bTODO\b/.test(line) && 'TODO: open an issue, or do it'
      }),
      [],
    )
  })

  it('time and chance are arguments', () => {
    assert.deepEqual(
      breaches(
        code.filter((file) => !EDGE.test(file)),
        (line) =>
          /\b(Date\.now\(|new Date\(\)|setTimeout\(|setInterval\(|Math\.random\()/.test(line) &&
          !/^\s*(\*|\/\/)/.test(line) &&
          'take a Clock or Chance instead',
      ),
      [],
    )
  })

  it('nothing of a turn is in a WeakMap or behind a WeakRef, which keep it over a young collection', () => {
    const isWeak = /new Weak(Map|Set|Ref)\b|new FinalizationRegistry\b|AbortSignal\.(any|timeout)\(/
    const files = code.filter((file) => read(file).some((line) => isWeak.test(line)))
    assert.deepEqual(files.toSorted(), [...WEAK].toSorted(), 'docs/WHY.md, "What outlives a young collection"')
  })

  it('a line of the log about a dialogue names it in one way: by dialogueInLog', () => {
    const said = /\blog\.(?:debug|info|warn|error)\(\s*\{[^}]*\b(?:epoch|back ?end)\b[^}]*\}/g
    // Of the back end itself, not of a call.
    const ofItself = /'(?:back end is down|back end answers again|back end not closed|the module of a back end)/
    const daemon = code.filter((file) => /^src\/(?!cli|simulator|base)/.test(file))
    const bare = daemon.flatMap((file) => {
      const text = readFileSync(join(root, file), 'utf8')
      return Array.from(text.matchAll(said), ({ 0: call, index }) => ({ call, rest: text.slice(index, index + 300) }))
        .filter(
          ({ call, rest }) => !call.includes('...dialogueInLog(') && !call.includes('...whose') && !ofItself.test(rest),
        )
        .map(({ call }) => `${file}: ${call.replaceAll(/\s+/g, ' ')}`)
    })
    assert.deepEqual(bare, [])
  })

  it('every file says at its top what it is', () => {
    const silent = code.filter((file) => !/^(#!.*\n)?(\/\*\*|\/\/)/.test(readFileSync(join(root, file), 'utf8')))
    assert.deepEqual(silent, [])
  })

  it('no test is narrowed or skipped for good', () => {
    assert.deepEqual(
      breaches(
        sources(['test']).filter((f) => !f.startsWith('test/style')),
        (line) => /\b(describe|it)\.(only|skip)\(/.test(line) && 'narrowed',
      ),
      [],
    )
  })
})
