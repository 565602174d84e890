/** Where the package is: the folder with its package.json, seen from the sources or from dist/. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const packageRoot: string = find(dirname(fileURLToPath(import.meta.url)))

/** The version in package.json. */
export function packageVersion(): string {
  return (JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string }).version
}

function find(dir: string): string {
  if (existsSync(join(dir, 'package.json'))) return dir
  const up = dirname(dir)
  if (up === dir) throw new Error('no package.json above the code')
  return find(up)
}
