/** The daemon's own source files, for the generated pages. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../src/base/package-root.ts'

export function sourceFiles(): string[] {
  return readdirSync(join(packageRoot, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.startsWith('simulator/'))
    .map((name) => `src/${name}`)
    .toSorted()
}
