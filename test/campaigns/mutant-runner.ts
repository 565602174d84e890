/**
 * Where mutants are tried. All of them are compiled at once, each beside the file that it was made from; then one after
 * the other takes that file's place, and the nearest tests run in a process of their own.
 */
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageRoot } from '../../src/base/package-root.ts'
import type { Mutant } from './mutants.ts'

/** The tests that stand nearest to a file. */
export interface Nearest {
  tests: readonly string[]
  /** They need the real Postgres. */
  postgres?: true
}

/** hung: its tests did not end, which notices it as well. */
export type Fate = 'killed' | 'hung' | 'survived'

export interface Workshop {
  /** Those that compile: what the compiler refuses is nothing for a test to notice. */
  readonly compiled: readonly Mutant[]
  /** How long these tests take on the file as it is. Throws where they fail: then they would notice every mutant. */
  measure(nearest: Nearest): Promise<number>
  /** Any number at a time, each in a tree of its own. */
  tried(mutant: Mutant, nearest: Nearest, msMax: number): Promise<Fate>
  close(): void
}

/** Where those tests find it. */
export const POSTGRES_URL = 'MUTANT_POSTGRES_URL'
const COPIED = [
  'src',
  'samples',
  'machines',
  'migrations',
  'test',
  'flows',
  'dialects',
  'contracts',
  'package.json',
  'tsconfig.json',
]
const NEEDED = ['dist', 'flows', 'dialects', 'contracts', 'package.json']
const MOCHA = 'node_modules/mocha/bin/mocha.js'
/** PGlite would say the same as Postgres, and takes three times as long; the crowd takes as long as all the others. */
const PASSED_OVER = 'PGlite|with four daemons at once'
/** For tests on the file as it is, on a machine as slow as it may be. */
const MEASURED_MS_MAX = 120_000

export async function workshop(
  mutants: readonly Mutant[],
  nearest: readonly Nearest[],
  postgresUrl: string,
): Promise<Workshop> {
  const home = mkdtempSync(join(tmpdir(), 'ussd-mutants-'))
  for (const name of COPIED) cpSync(join(packageRoot, name), join(home, name), { recursive: true })
  link(home)
  const copies = new Map(mutants.map((mutant, n) => [mutant, mutant.file.replace(/\.ts$/, `.mutant${n}.ts`)]))
  for (const [{ source }, copy] of copies) writeFileSync(join(home, copy), source)
  const refused = await compile(home, [
    ...copies.values(),
    ...nearest.flatMap(({ tests }) => tests),
    'test/campaigns/mutant-services.ts',
  ])
  const idle: string[] = []
  let trees = 0

  function tree(): string {
    const folder = join(home, `tree${++trees}`)
    mkdirSync(folder)
    for (const name of NEEDED) cpSync(join(home, name), join(folder, name), { recursive: true })
    link(folder)
    return folder
  }

  function run(folder: string, { tests, postgres }: Nearest, msMax: number): Promise<{ fate: Fate; said: string }> {
    const args = [
      MOCHA,
      '--no-config',
      '--no-package',
      '--exit',
      '--bail',
      '--reporter',
      'dot',
      '--timeout',
      String(Math.ceil(msMax / 2)),
    ]
    if (postgres) args.push('--require', './dist/test/campaigns/mutant-services.js', '--grep', PASSED_OVER, '--invert')
    const options = {
      cwd: folder,
      env: { ...process.env, [POSTGRES_URL]: postgresUrl },
      timeout: msMax,
      killSignal: 'SIGKILL',
      maxBuffer: 1 << 26,
    } as const
    return new Promise((done) => {
      execFile(process.execPath, [...args, ...tests.map(built)], options, (error, stdout, stderr) => {
        done({ fate: error?.killed ? 'hung' : error ? 'killed' : 'survived', said: stdout + stderr })
      })
    })
  }

  return {
    compiled: mutants.filter((mutant) => !refused.has(copies.get(mutant)!)),
    async measure(tests) {
      const startMs = performance.now()
      const folder = idle.pop() ?? tree()
      const { fate, said } = await run(folder, tests, MEASURED_MS_MAX)
      idle.push(folder)
      if (fate !== 'survived')
        throw new Error(
          `${tests.tests.join(', ')} must pass on the sources as they are, before any mutant\n${said.slice(-2_000)}`,
        )
      return Math.ceil(performance.now() - startMs)
    },
    async tried(mutant, tests, msMax) {
      const folder = idle.pop() ?? tree()
      const place = join(folder, built(mutant.file))
      cpSync(join(home, built(copies.get(mutant)!)), place)
      const { fate } = await run(folder, tests, msMax)
      cpSync(join(home, built(mutant.file)), place)
      idle.push(folder)
      return fate
    },
    close: () => rmSync(home, { recursive: true, force: true }),
  }
}

function link(folder: string): void {
  symlinkSync(join(packageRoot, 'node_modules'), join(folder, 'node_modules'))
}

function built(file: string): string {
  return join('dist', file.replace(/\.ts$/, '.js'))
}

/**
 * Those of the files that do not compile. Types are not looked at: what only they would notice is to be noticed by a
 * test, too, since half of all mutants break one.
 */
function compile(home: string, files: readonly string[]): Promise<ReadonlySet<string>> {
  const compilerOptions = { noEmit: false, noCheck: true, outDir: 'dist' }
  writeFileSync(
    join(home, 'tsconfig.mutants.json'),
    JSON.stringify({ extends: './tsconfig.json', compilerOptions, include: ['migrations'], files }),
  )
  const args = [
    join(packageRoot, 'node_modules/typescript/bin/tsc'),
    '-p',
    'tsconfig.mutants.json',
    '--pretty',
    'false',
  ]
  return new Promise((done) => {
    execFile(process.execPath, args, { cwd: home, maxBuffer: 1 << 26 }, (_error, stdout) => {
      done(new Set(Array.from(stdout.matchAll(/^(\S+?\.ts)\(\d+,\d+\): error /gm), ([, file]) => file!)))
    })
  })
}
