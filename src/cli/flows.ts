/** `check` and `talk`: what a flow's author runs before an operator's daemon sees the file. */
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { ProblemsError, sentence, UsageError } from '../errors.ts'
import { compileFlow } from '../flow/compile.ts'
import { flowNames, sourceOf } from '../flow/loader.ts'
import { parseTalks, type Talk } from '../flow/talk.ts'
import { describeFailure, playTalk } from '../flow/talk-player.ts'
import type { CompiledFlow } from '../flow/types.ts'

type Say = (text: string) => void

/** Checks each flow by itself; the exit code is 1 if any has an error. */
export async function check(paths: string[], say: Say): Promise<void> {
  const flows = (await Promise.all(paths.map(flowsAt))).flat()
  if (!flows.length) throw new UsageError(`no flow files in ${paths.join(', ')}`)
  let errors = 0
  for (const { folder, name } of flows) {
    try {
      const { flow, warnings } = compileFlow(await sourceOf(folder, name))
      say(`${join(folder, name)}: good, ${flow.revision}, ${flow.languages.join(' ')}`)
      for (const warning of warnings) say(sentence({ ...warning, what: `warning: ${warning.what}` }))
    } catch (error) {
      if (!(error instanceof ProblemsError)) throw error
      errors += error.problems.length
      say(error.message)
    }
  }
  say(`${flows.length} flow${flows.length === 1 ? '' : 's'}, ${errors} error${errors === 1 ? '' : 's'}`)
  if (errors) process.exitCode = 1
}

/** Plays each talk; the exit code is 1 if any went another way. */
export async function talk(paths: string[], say: Say): Promise<void> {
  const files = paths.flatMap(talksAt)
  if (!files.length) throw new UsageError(`no .talk files in ${paths.join(', ')}`)
  let failed = 0
  let played = 0
  for (const file of files) {
    const flows = new Map<string, CompiledFlow>()
    for (const conversation of parseTalks(file, readFileSync(file, 'utf8'))) {
      played++
      const failure = await playTalk(conversation, await flowOf(conversation, file, flows))
      if (failure) failed++
      say(failure ? `FAILED  ${conversation.title}\n${describeFailure(failure)}` : `ok      ${conversation.title}`)
    }
  }
  say(`${played - failed} talks as written, ${failed} not`)
  if (failed) process.exitCode = 1
}

/** The flow that a talk names, else the one that its file is called after; from the folder of the talk. */
async function flowOf(conversation: Talk, file: string, known: Map<string, CompiledFlow>): Promise<CompiledFlow> {
  const name = conversation.flow || basename(file).split('.')[0]!
  const flow = known.get(name) ?? compileFlow(await sourceOf(dirname(file), name)).flow
  known.set(name, flow)
  return flow
}

async function flowsAt(path: string): Promise<{ folder: string; name: string }[]> {
  if (!existsSync(path)) throw new UsageError(`${path} is not there`)
  if (statSync(path).isDirectory()) return (await flowNames(path)).map((name) => ({ folder: path, name }))
  return [{ folder: dirname(path), name: basename(path).replace(/\.ya?ml$/, '') }]
}

function talksAt(path: string): string[] {
  if (!existsSync(path)) throw new UsageError(`${path} is not there`)
  if (!statSync(path).isDirectory()) return [path]
  return readdirSync(path).filter((file) => file.endsWith('.talk')).toSorted().map((file) => join(path, file))
}
