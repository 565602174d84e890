/**
 * All errors that an operator or a caller may have to distinguish. Expected outcomes are return values, not errors;
 * bugs throw plain Errors.
 */

/** One problem in something that a person wrote: where it is, and what to do. */
export interface Problem {
  /** `connector.yaml:3:9` or `flow airtime, screen 'amount'` */
  where: string
  /** What is wrong, naming the thing. */
  what: string
  /** What to do about it. */
  remedy?: string | undefined
  /** The text with the problem, and on a second line a caret under the place. */
  excerpt?: string
}

/** Several problems in a file that a person wrote: settings, flow, dialect, talk. */
export class ProblemsError extends Error {
  readonly problems: readonly Problem[]
  constructor(subject: string, problems: readonly Problem[]) {
    super(
      `${subject}: ${problems.length === 1 ? '1 problem' : `${problems.length} problems`}\n${problems.map(sentence).join('\n')}`,
    )
    this.name = 'ProblemsError'
    this.problems = problems
  }
}

/** One problem as a line: `where: what (remedy)`, with the excerpt under it if there is one. */
export function sentence(problem: Problem): string {
  const excerpt = problem.excerpt === undefined ? '' : problem.excerpt.replace(/^/gm, '      ').replace(/^/, '\n')
  return `  ${problem.where}: ${problem.what}${problem.remedy ? ` (${problem.remedy})` : ''}${excerpt}`
}

/** The dialogue store did not do what was asked. With `down`, the write may have been applied. */
export class StoreError extends Error {
  readonly code: 'down' | 'too-large' | 'corrupt' | 'sealed' | 'unsealed' | 'newer'
  constructor(code: StoreError['code'], message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'StoreError'
    this.code = code
  }
}

/** A dialogue cannot continue: its snapshot does not fit its flow, or its flow threw. The dialogue ends politely. */
export class FlowFault extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'FlowFault'
  }
}

/** The text of an error in the CLI: a sentence if the operator can fix it, otherwise the stack of a bug. */
export function saidOf(error: unknown): string {
  if (error instanceof ProblemsError || error instanceof UsageError) return error.message
  const { code, syscall, address, port, message, stack } = error as Partial<
    NodeJS.ErrnoException & { address: string; port: number }
  >
  if (syscall !== 'listen')
    return REFUSED.has(code ?? '') ? refused(error as NodeJS.ErrnoException) : (stack ?? String(error))
  if (code !== 'EADDRINUSE') return `cannot listen: ${message}`
  return `another program uses ${address}:${port}: stop it, or set another port (admin.port or door.port)`
}

/** What a file system reports about a path that the operator chose. */
const REFUSED: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT', 'ENOTDIR', 'EEXIST'])

/** Node's own `CODE: words, syscall 'path'`, with the path first. */
function refused({ code, syscall, path, message }: NodeJS.ErrnoException): string {
  const words = `${/^\w+: ([^,]+)/.exec(message)?.[1] ?? message} (${code}, ${syscall})`
  const remedy = code === 'ENOSPC' || code === 'EDQUOT' ? 'Make room' : 'Use another path, or fix this one'
  return `${path === undefined ? '' : `${path}: `}${words}. ${remedy}`
}

/** A command of the CLI cannot continue. The message is all that the operator needs (no stack). */
export class UsageError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'UsageError'
  }
}
