/** The files that a program loads, as the coverage of Node itself lists them. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { root } from '../style/tree.ts'

export interface Loaded {
  status: number
  stdout: string
  /** Files of this tree, from the root, sorted. */
  own: string[]
  /** Names of packages, sorted. */
  packages: string[]
}

/** What runs TypeScript is no part of the program. */
const RUNNERS = new Set(['tsx', 'esbuild', 'get-tsconfig', 'resolve-pkg-maps'])

/** Runs a program to its end. */
export async function loadedBy(file: string, args: readonly string[]): Promise<Loaded> {
  const folder = mkdtempSync(join(tmpdir(), 'ussd-loaded-'))
  try {
    const env = { ...process.env, NODE_V8_COVERAGE: folder }
    const { status, stdout } = await new Promise<Pick<Loaded, 'status' | 'stdout'>>((done) => {
      execFile(process.execPath, ['--import', 'tsx', join(root, file), ...args], { env, cwd: root }, (error, said) =>
        done({ status: error ? Number(error.code ?? -1) : 0, stdout: said }),
      )
    })
    return { status, stdout, ...filesIn(folder) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What the coverage in a folder names. */
export function filesIn(folder: string): Pick<Loaded, 'own' | 'packages'> {
  const files = readdirSync(folder).flatMap((file) => {
    const { result } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as { result: { url: string }[] }
    return result.flatMap(({ url }) => (url.startsWith('file:') ? [fileURLToPath(url.split('?')[0]!)] : []))
  })
  const nameOf = (file: string) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1]
  const packages = files.flatMap((file) => nameOf(file) ?? []).filter((name) => !RUNNERS.has(name))
  const own = files.filter((file) => nameOf(file) === undefined).map((file) => relative(root, file))
  return { own: [...new Set(own)].toSorted(), packages: [...new Set(packages)].toSorted() }
}
