/** The checks of a flow: what is wrong and what is doubtful, before anybody dials it. */
import { ProblemsError, type Problem, toEnd } from '../../base/index.ts'
import { checkDeclared } from './declared.ts'
import { checkKept } from './kept.ts'
import { checkKeys } from './keys.ts'
import { checkLabels } from './labels.ts'
import { checkLettered } from './value-letters.ts'
import { checkMoney } from './money.ts'
import { checkNames } from './names.ts'
import { checkPaths } from './paths.ts'
import { checkPins } from './pins.ts'
import { checkPrinted } from './printed.ts'
import { checkSecrets } from './secrets.ts'
import { checkShown } from './shown.ts'
import { checkSound } from './computed.ts'
import { checkTexts } from './texts.ts'
import { checkTypes } from './types.ts'
import { checkWays } from './ways.ts'
import { trailsOf } from './shortest-ways.ts'
import type { ScreenTypes } from '../language/index.ts'
import { readFlow, type FlowSource, type ReadFlow } from '../read/index.ts'
import { accepting } from './accepts.ts'

/** An error keeps a flow from going live; a warning does not. */
export interface FlowProblem extends Problem {
  severity: 'error' | 'warning'
  /** The name of the check, by which the file may accept a warning. */
  rule?: string
  /** `dial > 2 > 1`: the shortest way to the screen of the problem. */
  shown?: string
  /** The file accepts this warning, for this reason. */
  accepted?: string
}

/** Records a problem. Without a `rule` it has that of its check. */
export type Complain = (severity: FlowProblem['severity'], problem: Problem & { rule?: string }) => void

/** All problems of a flow that matches the schema, in the order of the file. `backends`: the known names. */
function checkFlow(read: ReadFlow, backends?: readonly string[]): FlowProblem[] {
  return toEnd(checkingFlow(read, backends))
}

/** `checkFlow` in pieces, so that a daemon can play turns between them. */
export function* checkingFlow(read: ReadFlow, backends?: readonly string[]): Generator<undefined, FlowProblem[]> {
  const { problems, complain } = complaining()
  for (const doubt of read.doubts) complain('doubt')('warning', doubt)
  checkNames(read, backends, complain('name'))
  // These checks need names that exist and rules that can be read.
  if (problems.every((problem) => problem.severity !== 'error')) {
    checkWays(read, complain('way'))
    checkKeys(read, complain('key'))
    checkPrinted(read, complain('printed'))
  }
  yield
  checkPaths(read, complain('unset'))
  yield
  checkTypes(read, complain('type'))
  yield
  checkShown(read, complain('shown'))
  checkSecrets(read, complain('secret'))
  yield
  checkTexts(read, complain('text'))
  yield
  checkLabels(read, complain('label'))
  return finished(read, problems)
}

/**
 * What a flow that may be loaded should not do with money, secrets and numbers. Flows that serve already must go on, so
 * a daemon does not ask this of the flows that it loads: `check` and `flow publish` do. The flow must have no errors.
 */
export function* vettingFlow(read: ReadFlow): Generator<undefined, FlowProblem[]> {
  const { problems, complain } = complaining()
  checkDeclared(read, complain('backend'))
  yield
  checkMoney(read, complain('money'))
  checkKept(read, complain('cache'))
  checkPins(read, complain('pin'))
  yield
  checkSound(read, complain('sound'))
  yield
  checkLettered(read, complain('long'))
  return finished(read, problems)
}

/** `vettingFlow` at once. */
export function vetFlow(read: ReadFlow): FlowProblem[] {
  return toEnd(vettingFlow(read))
}

function complaining(): { problems: FlowProblem[]; complain: (rule: string) => Complain } {
  const problems: FlowProblem[] = []
  return {
    problems,
    complain: (rule) => (severity, problem) => void problems.push({ severity, rule, ...problem }),
  }
}

function finished(read: ReadFlow, problems: FlowProblem[]): FlowProblem[] {
  return accepting(read.definition, withTrails(read, once(problems))).toSorted((a, b) => inOrder(a.where, b.where))
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
