/** An earlier state of this repository, compiled: what an upgrade comes from, and what a roll back goes to. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../../src/base/package-root.ts'

export interface Build {
  /** Where its package.json would be. */
  root: string
  /** Its program. */
  cli: string
  /** As git names it. */
  commit: string
  /** Names of its migrations: a schema with more of them is refused by it. */
  migrations: string[]
}

const CACHE = join(packageRoot, 'dist/previous')

/** The last tag, if there is one. */
export function lastTag(): string | undefined {
  try {
    return git('describe', '--tags', '--abbrev=0')
  } catch {
    return undefined
  }
}

/** Compiled once for each commit, with the modules that are installed here. */
export function buildOf(ref: string): Build {
  const commit = git('rev-parse', '--short=12', '--verify', `${ref}^{commit}`)
  const root = join(CACHE, commit)
  if (!existsSync(root)) {
    const making = `${root}.${process.pid}`
    mkdirSync(making, { recursive: true })
    try {
      execFileSync('tar', ['-x', '-C', making], {
        input: execFileSync('git', ['archive', commit], { cwd: packageRoot, maxBuffer: 1 << 30 }),
      })
      symlinkSync(join(packageRoot, 'node_modules'), join(making, 'node_modules'))
      execFileSync(join(packageRoot, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.build.json'], {
        cwd: making,
        stdio: 'inherit',
      })
      execFileSync(process.execPath, ['scripts/copy-assets.mjs'], { cwd: making, stdio: 'inherit' })
      renameSync(making, root)
    } finally {
      rmSync(making, { recursive: true, force: true })
    }
  }
  return { root, cli: join(root, 'dist/src/cli/main.js'), commit, migrations: migrationsIn(root) }
}

export function migrationsIn(root: string): string[] {
  return readdirSync(join(root, 'migrations'))
    .map((file) => file.replace(/\.\w+$/, ''))
    .toSorted()
}

function git(...words: string[]): string {
  return execFileSync('git', words, { cwd: packageRoot, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()
}
