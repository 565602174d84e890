/** The checks of a flow: what is wrong and what is doubtful, before anybody dials it. */
import { ProblemsError, type Problem, toEnd } from '../../base/index.ts'
import { checkKeys } from './keys.ts'
import { checkLabels } from './labels.ts'
import { checkNames } from './names.ts'
import { checkPaths } from './paths.ts'
import { checkPrinted } from './printed.ts'
import { checkSecrets } from './secrets.ts'
import { checkShown } from './shown.ts'
import { checkTexts } from './texts.ts'
import { checkTypes } from './types.ts'
import { checkWays } from './ways.ts'
import { trailsOf } from './trail.ts'
import type { ScreenTypes } from '../language/index.ts'
import { readFlow, type FlowSource, type ReadFlow } from '../read/index.ts'

/** An error keeps a flow from going live; a warning does not. */
export interface FlowProblem extends Problem {
  severity: 'error' | 'warning'
  /** `dial > 2 > 1`: the shortest way to the screen of the problem. */
  shown?: string
}

/** Records a problem. */
export type Complain = (severity: FlowProblem['severity'], problem: Problem) => void

/** All problems of a flow that matches the schema, in the order of the file. `backends`: the known names. */
function checkFlow(read: ReadFlow, backends?: readonly string[]): FlowProblem[] {
  return toEnd(checkingFlow(read, backends))
}

/** `checkFlow` in pieces, so that a daemon can play turns between them. */
export function* checkingFlow(read: ReadFlow, backends?: readonly string[]): Generator<undefined, FlowProblem[]> {
  const problems: FlowProblem[] = []
  const complain: Complain = (severity, problem) => void problems.push({ severity, ...problem })
  for (const doubt of read.doubts) complain('warning', doubt)
  checkNames(read, backends, complain)
  // These checks need names that exist and rules that can be read.
  if (problems.every((problem) => problem.severity !== 'error')) {
    checkWays(read, complain)
    checkKeys(read, complain)
    checkPrinted(read, complain)
  }
  yield
  for (const check of [checkPaths, checkTypes, checkShown, checkSecrets]) {
    check(read, complain)
    yield
  }
  checkTexts(read, complain)
  yield
  checkLabels(read, complain)
  return withTrails(read, once(problems)).toSorted((a, b) => inOrder(a.where, b.where))
}

/**
 * All problems of a flow's files, including those against the schema. The content of the files never makes it throw.
 */
export function checkSource(source: FlowSource, backends?: readonly string[], types?: ScreenTypes): FlowProblem[] {
  try {
    return checkFlow(readFlow(source, types), backends)
  } catch (error) {
    if (!(error instanceof ProblemsError)) throw error
    return error.problems.map((problem) => ({ severity: 'error', ...problem }))
  }
}

/** Removes repeated problems: one key of a screen type or one field of a form can stand for several screens. */
function once(problems: readonly FlowProblem[]): FlowProblem[] {
  const said = ({ severity, where, what }: FlowProblem) => `${severity} ${where} ${what}`
  return [...new Map(problems.map((problem) => [said(problem), problem])).values()]
}

function withTrails({ definition, at }: ReadFlow, problems: FlowProblem[]): FlowProblem[] {
  const trails = trailsOf(definition)
  const starts = Object.keys(definition.screens).map((name) => ({ name, where: at(['screens', name]) }))
  return problems.map((problem) => {
    const about = starts.findLast(
      ({ name, where }) => inOrder(where, problem.where) <= 0 && problem.what.includes(`'${name}'`),
    )
    const shown = about && trails.get(about.name)
    return shown === undefined ? problem : { ...problem, shown }
  })
}

function inOrder(a: string, b: string): number {
  const [fileA = '', lineA = '0', columnA = '0'] = a.split(':')
  const [fileB = '', lineB = '0', columnB = '0'] = b.split(':')
  return fileA.localeCompare(fileB) || Number(lineA) - Number(lineB) || Number(columnA) - Number(columnB)
}
