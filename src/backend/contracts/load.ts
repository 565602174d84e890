/** Contracts by name: the built-in ones in contracts/, files of the operator, and those that no profile can express. */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { LineCounter, parseDocument } from 'yaml'
import { ProblemsError, type Problem, didYouMean, packageRoot } from '../../base/index.ts'
import { compileContract } from './compile.ts'
import { contractProfile, type ContractProfile } from './profile.ts'
import { restcomm } from './restcomm.ts'
import type { Contract } from './types.ts'

/** Written in code: a table of fields cannot express XML with a cookie. */
const WRITTEN: Record<string, () => Contract> = { restcomm }
const ours = join(packageRoot, 'contracts')

/** Names of all contracts, sorted. */
export function contractNames(dir?: string): string[] {
  const files = [ours, dir].flatMap((folder) => (folder && existsSync(folder) ? readdirSync(folder) : []))
  const named = files
    .filter((file) => file.endsWith('.yaml') && !file.endsWith('.kit.yaml'))
    .map((file) => file.slice(0, -5))
  return [...new Set([...named, ...Object.keys(WRITTEN)])].toSorted()
}

/** A contract by name; a profile in `dir` replaces a built-in one of that name. Throws ProblemsError. */
export function loadContract(name: string, dir?: string): Contract {
  const written = Object.hasOwn(WRITTEN, name) ? WRITTEN[name] : undefined
  const file = [dir, ours]
    .filter((folder) => folder !== undefined)
    .map((folder) => join(folder, `${name}.yaml`))
    .find(existsSync)
  if (file) return compileContract(parseContract(readFileSync(file, 'utf8'), file))
  if (written) return written()
  const remedy = didYouMean(name, contractNames(dir)) ?? `one of ${contractNames(dir).join(', ')}`
  throw new ProblemsError('contracts', [{ where: 'contract', what: `there is no contract '${name}'`, remedy }])
}

/** A profile from its text. Throws ProblemsError with everything that is wrong. */
export function parseContract(source: string, file: string): ContractProfile {
  const lines = new LineCounter()
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false })
  const syntax = document.errors.map((error): Problem => {
    const { line, col } = lines.linePos(error.pos[0])
    return { where: `${file}:${line}:${col}`, what: error.message }
  })
  if (syntax.length > 0) throw new ProblemsError(`contract ${file}`, syntax)
  const parsed = contractProfile.safeParse(document.toJS())
  if (parsed.success) return parsed.data
  throw new ProblemsError(
    `contract ${file}`,
    parsed.error.issues.map((issue): Problem => {
      const node = document.getIn(issue.path.map(String), true) as { range?: [number] } | undefined
      const { line, col } = lines.linePos(node?.range?.[0] ?? 0)
      return { where: `${file}:${line}:${col}`, what: `'${issue.path.join('.')}' ${issue.message}` }
    }),
  )
}
