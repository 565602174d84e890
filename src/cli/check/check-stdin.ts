/** `check -`: a flow on standard input, as editors and hooks of Git have it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Say } from '../arguments.ts'
import { check, type CheckOptions } from './check.ts'

const STDIN = '-'

/** As `check`; `-` among the paths is what `read` gives. Places in it are said as `-:3:5`. */
export async function checkAlso(
  paths: string[],
  say: Say,
  options: CheckOptions,
  read = () => readFileSync(0, 'utf8'),
): Promise<void> {
  if (!paths.includes(STDIN)) return check(paths, say, options)
  const folder = mkdtempSync(join(tmpdir(), 'ussd-check-'))
  try {
    const text = read()
    // A flow and its file have one name.
    const [, name = 'stdin'] = /^flow:\s*([a-z][a-z0-9-]*)/m.exec(text) ?? []
    const file = join(folder, `${name}.yaml`)
    writeFileSync(file, text, { mode: 0o600 })
    const said: Say = (line) => say(line.replaceAll(file, STDIN).replaceAll(join(folder, name), STDIN))
    await check(
      paths.map((path) => (path === STDIN ? file : path)),
      said,
      options,
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
