/** The talks beside a flow: which of them fail now, what back ends answer in them, and the code that they dial. */
import { existsSync, readFileSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ProblemsError } from '../../base/index.ts'
import type { FlowProblem } from '../../flow/check/index.ts'
import type { Compilation } from '../../flow/load/index.ts'
import { describeFailure, parseTalks, playTalk, type Stub, type Talk } from '../../flow/talk/index.ts'

const fileOf = (folder: string, flow: string) => join(folder, `${flow}.talk`)

/** What the file system says about the talks of a folder: the same as before if none was written. */
export async function talkStamp(folder: string): Promise<string> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.talk')).toSorted()
  const stamps = names.map(async (name) => {
    const { size, ctimeNs } = await stat(join(folder, name), { bigint: true })
    return [name, size, ctimeNs].join(' ')
  })
  return (await Promise.all(stamps).catch(() => ['a file that was just removed'])).join('\n')
}

export function talkText(folder: string, flow: string): string {
  const file = fileOf(folder, flow)
  try {
    return existsSync(file) ? readFileSync(file, 'utf8') : ''
  } catch (error) {
    return (error as Error).message
  }
}

/** The talks that fail, and what is wrong with the file. `isStale`: nobody waits for the result any more. */
export async function talkProblems(
  folder: string,
  { flow }: Compilation,
  isStale: () => boolean,
): Promise<FlowProblem[]> {
  const file = fileOf(folder, flow.name)
  const problems: FlowProblem[] = []
  try {
    for (const talk of existsSync(file) ? parseTalks(file, readFileSync(file, 'utf8')) : []) {
      if (isStale()) break
      if (talk.flow !== '' && talk.flow !== flow.name) continue
      const failure = await playTalk(talk, flow)
      if (failure) problems.push(failed(talk, failure))
      await new Promise((done) => setImmediate(done))
    }
  } catch (error) {
    const found = error instanceof ProblemsError ? error.problems : [{ where: file, what: (error as Error).message }]
    problems.push(...found.map((problem): FlowProblem => ({ severity: 'error', rule: 'talk', ...problem })))
  }
  return problems
}

function failed(talk: Talk, failure: NonNullable<Awaited<ReturnType<typeof playTalk>>>): FlowProblem {
  const { where, what } = failure
  const [, ...differs] = describeFailure(failure).split('\n')
  return {
    severity: 'error',
    rule: 'talk',
    where,
    what: `the talk '${talk.title}' fails: ${what}`,
    ...(differs.length > 0 ? { excerpt: differs.join('\n') } : {}),
  }
}

export interface RecordedTalks {
  /** What back ends answer, by operation: each answer once, in the order of the file. */
  answers: ReadonlyMap<string, readonly Stub[]>
  /** The service code; '' if no talk says it. */
  code: string
}

/** What the talks beside a flow say. */
export function recordedTalks(folder: string, flow: string): RecordedTalks {
  const answers = new Map<string, Map<string, Stub>>()
  let code = ''
  for (const step of stepsIn(join(folder, `${flow}.talk`))) {
    if (step.do === 'code') code ||= step.code
    if (step.do !== 'stub') continue
    const known = answers.get(step.operation) ?? new Map<string, Stub>()
    answers.set(step.operation, known.set(JSON.stringify(step.outcome), step.outcome))
  }
  return { answers: new Map([...answers].map(([operation, known]) => [operation, [...known.values()]])), code }
}

/** None while the file is broken: the check says what is wrong with it. */
function stepsIn(file: string): Talk['steps'] {
  try {
    return existsSync(file) ? parseTalks(file, readFileSync(file, 'utf8')).flatMap(({ steps }) => steps) : []
  } catch {
    return []
  }
}
