/** Plants a fault in the bank flow and says what finds it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ProblemsError, sentence } from '../../../src/base/errors.ts'
import { acceptedAnew, accepting } from '../../../src/flow/check/accepts.ts'
import { checkSource, vetFlow, type FlowProblem } from '../../../src/flow/check/check.ts'
import { proveFlow } from '../../../src/flow/explore/prove.ts'
import { talkSlips } from '../../../src/flow/explore/talk-slips.ts'
import { compileFlow } from '../../../src/flow/load/compile.ts'
import { readFlow, type FlowSource } from '../../../src/flow/read/read.ts'
import { describeFailure } from '../../../src/flow/talk/diff.ts'
import { playTalk } from '../../../src/flow/talk/player.ts'
import { parseTalks } from '../../../src/flow/talk/talk.ts'
import type { PlantedFault } from './faults.ts'

const BANK = join(import.meta.dirname, 'bank')
const FILES = ['bank.yaml', 'backends/bank.yaml', 'bank.talk'] as const

/** `found`: by what the row says, in its words; `indirect`: something else complains; `missed`: nothing does. */
export interface Verdict {
  is: 'found' | 'indirect' | 'missed'
  said: string[]
}

export async function verdictOf({ edits, by, says }: PlantedFault): Promise<Verdict> {
  const said = await complaintsOf(planted(edits))
  const all = [...said.check, ...said.explore, ...said.talk]
  const is = said[by].some((words) => says.test(words)) ? 'found' : all.length > 0 ? 'indirect' : 'missed'
  return { is, said: all }
}

function planted(edits: PlantedFault['edits']): Record<(typeof FILES)[number], string> {
  const texts = Object.fromEntries(FILES.map((file) => [file, readFileSync(join(BANK, file), 'utf8')]))
  for (const [file, was, put] of edits) {
    const found = texts[file]!.split(was).length - 1
    if (found !== 1) throw new Error(`${file} has ${found} times ${JSON.stringify(was)}, not once`)
    texts[file] = texts[file]!.replace(was, () => put)
  }
  return texts as Record<(typeof FILES)[number], string>
}

/** All that reading, walking and the talks say. */
async function complaintsOf(texts: Record<(typeof FILES)[number], string>) {
  const source: FlowSource = {
    file: 'bank.yaml',
    text: texts['bank.yaml'],
    catalogues: [],
    backends: [{ file: 'backends/bank.yaml', text: texts['backends/bank.yaml'] }],
  }
  const read = checkSource(source)
  if (read.some(({ severity }) => severity === 'error')) return { check: read.map(words), explore: [], talk: [] }
  const flow = readFlow(source)
  const compilation = compileFlow(source)
  const vetted = vetFlow(flow)
  const walked = proveFlow(compilation, flow.at)
  const problems = accepting(flow.definition, [...read, ...vetted, ...walked])
  const gone = acceptedAnew(flow, problems)
  const talk: string[] = []
  try {
    for (const one of parseTalks('bank.talk', texts['bank.talk'])) {
      const failure = await playTalk(one, compilation.flow)
      if (failure) talk.push(describeFailure(failure))
      talk.push(...talkSlips(one, flow.backends).map(sentence))
    }
  } catch (error) {
    talk.push(error instanceof ProblemsError ? error.message : String(error))
  }
  return { check: [...read, ...vetted, ...gone].map(words), explore: walked.map(words), talk }
}

const words = (problem: FlowProblem) => `${problem.what} (${problem.remedy ?? ''})`
