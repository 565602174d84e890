/**
 * What `npm test` runs: the whole suite, in two processes beside each other. Each claims a Redis and a Postgres database
 * of its own (services.ts); daemons that are processes are compiled once for both. With words behind it
 * (`npm test -- FILE`, `npm test -- -g 'a title'`) it is mocha, once.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { compile } from '../campaigns/staging/daemon-process.ts'
import { root } from '../style/tree.ts'
import { startBeside, type Beside } from './beside.ts'
import { COMPILED_CLI } from './process.ts'

const ALL = 'test/**/*.test.ts'
/** These take half of the time. */
const FIRST = 'test/e2e/**'
const MOCHA = join(root, 'node_modules/mocha')

export interface Half {
  name: string
  /** The words for mocha. */
  words: readonly string[]
}

const COUNTS_FILE = 'TEST_COUNTS_FILE'

/** What reporter.mjs writes to the file that this variable names. */
interface Counts {
  passes: number
  failures: number
  pending: number
  /** File and full title of each. */
  failed: string[]
}

/** What is in no half would never run: the second is whatever the first is not. */
const HALVES: readonly Half[] = [
  { name: FIRST, words: [`${FIRST}/*.test.ts`] },
  { name: `all but ${FIRST}`, words: [ALL, '--ignore', FIRST] },
]

/** One mocha: with the whole suite, where these words name no file. */
export function wordsOf(given: readonly string[]): string[] {
  const namesFiles = given.some((word) => !word.startsWith('-') && (existsSync(word) || /[*?{]/.test(word)))
  return namesFiles ? [...given] : [ALL, ...given]
}

/**
 * The output of the first comes as it is made, that of the second when the first is over; then each failure by its
 * name, and the sums in one line. The answer is the exit code. On a Redis that is given (TEST_REDIS_URL), which has one
 * database for both, they run one after the other.
 */
export async function besideEachOther(
  halves: readonly Half[],
  write: (text: string) => void,
  env: NodeJS.ProcessEnv = process.env,
): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'ussd-suite-'))
  const countsOf = (half: Half) => join(folder, String(halves.indexOf(half)))
  const running = new Map<Half, Beside>()
  const go = (half: Half) => running.set(half, start(half.words, { ...env, [COUNTS_FILE]: countsOf(half) }))
  const stop = (signal: NodeJS.Signals) => running.forEach(({ child }) => child.kill(signal))
  process.on('SIGINT', stop).on('SIGTERM', stop)
  if (env.TEST_REDIS_URL === undefined) halves.forEach(go)
  const all: Counts[] = []
  for (const half of halves) {
    if (!running.has(half)) go(half)
    write(`\n== ${half.name}\n`)
    running.get(half)!.tell(write)
    all.push(countsIn(countsOf(half), half.name, await running.get(half)!.exited))
  }
  process.off('SIGINT', stop).off('SIGTERM', stop)
  rmSync(folder, { recursive: true, force: true })
  for (const what of all.flatMap(({ failed }) => failed)) write(`failed: ${what}\n`)
  const sum = (of: 'passes' | 'failures' | 'pending') => all.reduce((so, one) => so + one[of], 0)
  const skipped = sum('pending') ? `, ${sum('pending')} skipped` : ''
  write(`\n${sum('passes')} passed, ${sum('failures')} failed${skipped}\n`)
  return sum('failures') > 0 ? 1 : 0
}

/** A process that ended before it could count has failed, whatever had passed. */
function countsIn(file: string, name: string, code: number): Counts {
  const counts: Counts = { passes: 0, failures: 0, pending: 0, failed: [] }
  if (existsSync(file)) Object.assign(counts, JSON.parse(readFileSync(file, 'utf8')))
  if (counts.failures > 0 || (code === 0 && existsSync(file))) return counts
  return { ...counts, failures: 1, failed: [`${name}: the process ended with ${code}`] }
}

function start(words: readonly string[], env: NodeJS.ProcessEnv): Beside {
  const colour = process.stdout.isTTY ? ['--color'] : []
  const mocha = join(MOCHA, 'lib/cli/cli.js')
  return startBeside(['--import', 'tsx', mocha, ...colour, ...words], { cwd: root, env })
}

if (import.meta.url === pathToFileURL(process.argv[1]!).href) {
  const given = process.argv.slice(2)
  if (given.length === 0) {
    const env = { ...process.env, [COMPILED_CLI]: compile(join(root, 'dist/tests')) }
    process.exitCode = await besideEachOther(HALVES, (text) => void process.stdout.write(text), env)
  } else {
    const child = spawn(process.execPath, [join(MOCHA, 'bin/mocha.js'), ...wordsOf(given)], {
      cwd: root,
      stdio: 'inherit',
    })
    child.once('close', (code) => (process.exitCode = code ?? 1))
  }
}
