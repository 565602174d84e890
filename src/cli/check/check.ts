/** `check`: all that is wrong with flows, and with `--config` all for which `run` would refuse the settings. */
import { InvalidArgumentError } from 'commander'
import { existsSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { ProblemsError, remedyAmong, systemClock, toEnd, UsageError } from '../../base/index.ts'
import type { Settings } from '../../config/index.ts'
import type { LoadedModule } from '../../daemon/index.ts'
import { acceptedAnew, accepting, assumedIn, checkSource, type FlowProblem } from '../../flow/check/index.ts'
import { coverageOf, examiningFlow, type Walked } from '../../flow/explore/index.ts'
import { abandonedCall, SMS, type ScreenTypes } from '../../flow/language/index.ts'
import { compileFlow, type Compilation } from '../../flow/load/index.ts'
import {
  loadScreenTypes,
  type ReadFlow,
  sourceOf,
  unusedParts,
  withBackends,
  type FlowSource,
} from '../../flow/read/index.ts'
import { parseTalks, playTalk } from '../../flow/talk/index.ts'
import type { Say } from '../arguments.ts'
import type { CheckMoment } from './asked-sms.ts'
import { type CheckedFlow, type CheckReport, reportAs } from './check-report.ts'
import { flowsAt } from '../flows/flows.ts'
import type { CheckedSettings } from './settings-check.ts'
import { wordProblems } from './word-flows.ts'

export interface CheckOptions {
  /** Files with screen types. */
  plugin?: string[]
  /** The settings: which lines offer a flow, what their dialects can tell, and what `run` would refuse. */
  config?: string
  /** Warnings that no file accepts count as errors. */
  strict?: boolean
  json?: boolean
  sarif?: boolean
}

/** Checks and explores each flow separately. The exit code is 1 if any has an error. */
export async function check(asked: string[], say: Say, options: CheckOptions = {}): Promise<void> {
  const { config, strict = false } = options
  if (options.json && options.sarif) throw new InvalidArgumentError('give --json or --sarif, not both')
  // A flow alone needs nothing of the daemon, and loading that takes longer than checking most flows.
  const told: Partial<CheckedSettings> =
    config === undefined ? {} : await (await import('./settings-check.ts')).settingsChecked(config)
  const { settings, problems = [] } = told
  const flows = config !== undefined && !settings ? [] : await checkedFlows(asked, options, told)
  const inert = settings ? (await import('./regulated-sms.ts')).inertWarnings(settings) : []
  const report: CheckReport = { flows, settings: [...problems, ...inert], strict }
  const { lines, failed } = reportAs(options.json ? 'json' : options.sarif ? 'sarif' : 'text', report)
  for (const line of lines) say(line)
  if (failed) process.exitCode = 1
}

async function checkedFlows(
  asked: string[],
  { plugin = [] }: CheckOptions,
  { settings, backends, declared = [], modules = [], problems = [] }: Partial<CheckedSettings>,
): Promise<CheckedFlow[]> {
  const paths = asked.length > 0 ? asked : [settings?.flows.dir ?? './flows']
  const types = await loadScreenTypes([...(settings?.flows.plugins ?? []), ...plugin])
  const moment = { nowMs: systemClock().today(), zone: settings?.reminders.zone }
  const files = (await Promise.all(paths.map(flowsAt))).flat()
  if (!files.length) throw new UsageError(`no flow files in ${paths.join(', ')}`)
  const flows: CheckedFlow[] = []
  const sources = new Map<string, FlowSource[]>()
  for (const { folder, name } of files) {
    const source = withBackends(await sourceOf(folder, name), declared)
    sources.set(folder, [...(sources.get(folder) ?? []), source])
    const checking = { types, moment, settings, isSound: problems.length === 0, modules }
    flows.push(await checkedFlow({ folder, name, source }, checking, backends))
  }
  // If a flow is broken, nobody knows which parts it uses.
  const isBroken = flows.some(({ problems }) => problems.some(({ severity }) => severity === 'error'))
  for (const folder of paths.filter((path) => !isBroken && sources.has(path))) {
    for (const file of await unusedParts(folder, sources.get(folder)!)) flows.push(unused(file))
  }
  return flows
}

function unused(file: string): CheckedFlow {
  const remedy = 'include it in a flow, call it from one, or delete it'
  return {
    file,
    isPart: true,
    problems: [
      { severity: 'warning', rule: 'unused-part', where: `${file}:1:1`, what: 'no flow uses this part', remedy },
    ],
  }
}

export interface Checking {
  types: ScreenTypes
  moment: CheckMoment
  settings: Settings | undefined
  /** `run` would take the settings: what their lines mean for flows can be told. */
  isSound: boolean
  /** The modules of the settings. */
  modules: readonly LoadedModule[]
}

/** Work in pieces, as a generator: done at once, or with pauses. */
export type RunPieces = <T>(pieces: Generator<undefined, T>) => T | Promise<T>

/** What reading finds; and if that has no error, what exploring finds. `backends`: those that it may name. */
async function checkedFlow(
  asked: AskedFlow,
  checking: Checking,
  backends: readonly string[] | undefined,
): Promise<CheckedFlow> {
  const { folder, name, source } = asked
  const compilation = compiledFlow(source, backends, checking.types)
  if (compilation) return examinedFlow(asked, compilation, checking, toEnd)
  return { file: join(folder, name), problems: checkSource(source, backends, checking.types) }
}

interface AskedFlow {
  folder: string
  name: string
  source: FlowSource
}

/** All that is wrong with a flow that compiles. */
export async function examinedFlow(
  { folder, name, source }: AskedFlow,
  compilation: Compilation,
  { types, moment, settings, isSound, modules }: Checking,
  run: RunPieces,
): Promise<CheckedFlow> {
  const file = join(folder, name)
  const { flow, definition, read, problems: found } = compilation
  let walked: Walked | undefined
  const all: FlowProblem[] = [
    ...found,
    ...(asksForSms(read) ? (await import('./asked-sms.ts')).smsProblems(read, moment) : []),
    ...(settings ? wordProblems(read, settings.sms) : []),
    ...operationProblems(read, modules),
    ...(await run(examiningFlow(compilation, read, (how) => (walked = how)))),
  ]
  if (settings && isSound && !all.some(({ severity }) => severity === 'error')) {
    const { riskyLines, sameKeyWarnings } = await import('./same-key.ts')
    const { templateWarnings } = await import('./regulated-sms.ts')
    all.push(...sameKeyWarnings(compilation, riskyLines(settings, name)))
    all.push(...templateWarnings(source, types, settings, name))
  }
  const talked = all.some(({ rule }) => rule === 'unreached')
    ? await screensTalked(folder, name, compilation)
    : undefined
  const problems = accepting(
    definition,
    all.filter(({ rule, where }) => rule !== 'unreached' || !talked?.(where, read.at)),
  )
  return {
    file,
    revision: flow.revision,
    languages: flow.languages,
    problems: [...problems, ...acceptedAnew(read, problems)],
    walked,
    assumed: assumedIn(definition),
  }
}

const asksForSms = ({ definition }: ReadFlow) =>
  Object.values(definition.screens).some(
    (screen) => abandonedCall(screen) !== undefined || ('call' in screen && screen.call.startsWith(`${SMS}.`)),
  )

/** Operations that a module does not have, where no file and no `declares` say it. */
function operationProblems({ definition, at, backends }: ReadFlow, modules: readonly LoadedModule[]): FlowProblem[] {
  return Object.entries(definition.screens).flatMap(([name, screen]): FlowProblem[] => {
    if (screen.kind !== 'call') return []
    const [backend = '', operation = ''] = screen.call.split('.')
    const known = backends.has(backend) ? undefined : modules.find((one) => one.name === backend)?.module.operations
    if (!known || Object.hasOwn(known, operation)) return []
    const where = at(['screens', name, 'call'])
    const what = `screen '${name}' calls ${screen.call}, but the module has no such operation`
    return [{ severity: 'error', rule: 'backend', where, what, remedy: remedyAmong(operation, Object.keys(known)) }]
  })
}

/** Undefined: it has errors. */
function compiledFlow(
  source: FlowSource,
  backends: readonly string[] | undefined,
  types: ScreenTypes,
): Compilation | undefined {
  try {
    return compileFlow(source, backends, types)
  } catch (error) {
    if (error instanceof ProblemsError) return undefined
    throw error
  }
}

/** Whether the talks beside the flow reach the screen at this place. Talks that fail reach what they reach. */
async function screensTalked(
  folder: string,
  name: string,
  compilation: Compilation,
): Promise<(where: string, at: (path: string[]) => string) => boolean> {
  const file = join(folder, `${name}.talk`)
  if (!existsSync(file)) return () => false
  const covered = coverageOf(compilation)
  for (const talk of parseTalks(file, readFileSync(file, 'utf8'))) {
    const is = talk.flow || basename(file).split('.')[0]
    if (is === name) await playTalk(talk, covered.flow)
  }
  const missing = new Set(covered.report().missing)
  const screens = Object.keys(compilation.definition.screens).filter((screen) => !missing.has(`screen '${screen}'`))
  return (where, at) => screens.some((screen) => at(['screens', screen]) === where)
}
