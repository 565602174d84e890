/** `check`, `talk` and `flow`: what a flow's author runs before an operator's daemon gets the file. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { sentence, systemClock, UsageError } from '../base/index.ts'
import { loadSettings, type Settings } from '../config/index.ts'
import { checkSource, type FlowProblem } from '../flow/check/index.ts'
import { compileFlow, type Compilation } from '../flow/load/index.ts'
import { coverageOf, type Coverage, talksOf, proveFlow, PAGES_MAX } from '../flow/explore/index.ts'
import { drawFlow, storyboard, svgOf, xstateJson } from '../flow/draw/index.ts'
import { catalogueJsonSchema, flowJsonSchema, partJsonSchema, type ScreenTypes } from '../flow/language/index.ts'
import { remindersSchema } from '../sms/settings/index.ts'
import { flowNames, sourceOf, unusedParts, loadScreenTypes, readFlow, type FlowSource } from '../flow/read/index.ts'
import { parseTalks, type Talk, describeFailure, playTalk } from '../flow/talk/index.ts'
import { smsProblems, type CheckMoment } from './asked-sms.ts'
import type { RecordOptions } from './record.ts'
import { inertWarnings, templateWarnings } from './regulated-sms.ts'
import { wordProblems } from './word-flows.ts'
import { riskyLines, sameKeyWarnings } from './same-key.ts'
import type { Say } from './arguments.ts'
import { talksAt } from './talk-files.ts'

/** Files with screen types. */
interface Plugins {
  plugin?: string[]
}

export interface CheckOptions extends Plugins {
  /** The settings: which lines offer a flow, and what their dialects can tell. */
  config?: string
}

/** Checks and explores each flow separately. The exit code is 1 if any has an error. */
export async function check(asked: string[], say: Say, { plugin = [], config }: CheckOptions = {}): Promise<void> {
  const settings = config === undefined ? undefined : loadSettings(config, process.env).settings
  const paths = asked.length > 0 ? asked : [settings?.flows.dir ?? './flows']
  const types = await loadScreenTypes([...(settings?.flows.plugins ?? []), ...plugin])
  const { zone } = settings?.reminders ?? remindersSchema.parse({})
  const moment = { nowMs: systemClock().today(), zone }
  const flows = (await Promise.all(paths.map(flowsAt))).flat()
  if (!flows.length) throw new UsageError(`no flow files in ${paths.join(', ')}`)
  let errors = 0
  const sources = new Map<string, FlowSource[]>()
  for (const { folder, name } of flows) {
    const source = await sourceOf(folder, name)
    sources.set(folder, [...(sources.get(folder) ?? []), source])
    const problems = problemsOf(source, types, moment, settings)
    const wrong = problems.filter(({ severity }) => severity === 'error').length
    errors += wrong
    if (wrong) say(`${join(folder, name)}: ${wrong} error${wrong === 1 ? '' : 's'}`)
    else {
      const { flow } = compileFlow(source, undefined, types)
      say(`${join(folder, name)}: good, ${flow.revision}, ${flow.languages.join(' ')}`)
    }
    for (const problem of problems) {
      say(sentence(problem.severity === 'error' ? problem : { ...problem, what: `warning: ${problem.what}` }))
      if (problem.shown !== undefined) say(`      ${problem.shown}`)
    }
    if (!settings || wrong) continue
    for (const text of sameKeyWarnings(source, types, riskyLines(settings, name))) say(text)
    for (const text of templateWarnings(source, types, settings, name)) say(text)
  }
  for (const text of settings ? inertWarnings(settings) : []) say(text)
  // If a flow is broken, nobody knows which parts it uses.
  const whole = paths.filter((path) => errors === 0 && sources.has(path))
  for (const folder of whole) {
    for (const file of await unusedParts(folder, sources.get(folder)!))
      say(
        sentence({
          where: `${file}:1:1`,
          what: 'warning: no flow uses this part',
          remedy: 'include it in a flow, call it from one, or delete it',
        }),
      )
  }
  say(`${flows.length} flow${flows.length === 1 ? '' : 's'}, ${errors} error${errors === 1 ? '' : 's'}`)
  if (errors) process.exitCode = 1
}

/** What reading finds; and if that has no error, what exploring finds. */
function problemsOf(
  source: FlowSource,
  types: ScreenTypes,
  moment: CheckMoment,
  settings: Settings | undefined,
): FlowProblem[] {
  const found = checkSource(source, undefined, types)
  if (found.some(({ severity }) => severity === 'error')) return found
  const read = readFlow(source, types)
  const byWord = settings ? wordProblems(read, settings.sms) : []
  return [
    ...found,
    ...smsProblems(read, moment),
    ...byWord,
    ...proveFlow(compileFlow(source, undefined, types), read.at),
  ]
}

/** Prints the JSON Schema of flow files, of parts, or of catalogues. */
export async function schema(of: Plugins & { catalogue?: boolean; part?: boolean }, say: Say): Promise<void> {
  const types = await loadScreenTypes(of.plugin ?? [])
  const wanted = of.catalogue ? catalogueJsonSchema() : of.part ? partJsonSchema(types) : flowJsonSchema(types)
  say(JSON.stringify(wanted, null, 2))
}

export interface DrawOptions extends Plugins {
  html?: string
  svg?: string
  xstate?: string
}

/** The one flow at this path. */
async function compiledAt(paths: string[], types?: ScreenTypes): Promise<Compilation> {
  const [flow, ...more] = (await Promise.all(paths.map(flowsAt))).flat()
  if (!flow || more.length) throw new UsageError(`${paths.join(', ')}: give exactly one flow file`)
  return compileFlow(await sourceOf(flow.folder, flow.name), undefined, types)
}

/** Draws a flow as Mermaid text, or as pictures and machines in files. */
export async function draw(path: string, files: DrawOptions, say: Say): Promise<void> {
  const compilation = await compiledAt([path], await loadScreenTypes(files.plugin ?? []))
  const ways = {
    html: () => storyboard(compilation),
    svg: () => svgOf(compilation),
    xstate: () => `${JSON.stringify(xstateJson(compilation.definition), null, 2)}\n`,
  }
  const wanted = (Object.keys(ways) as (keyof typeof ways)[]).filter((way) => files[way] !== undefined)
  if (!wanted.length) return say(drawFlow(compilation.definition).trimEnd())
  for (const way of wanted) {
    writeFileSync(files[way]!, ways[way]())
    say(`${files[way]} shows ${compilation.flow.revision}`)
  }
}

/** Talks that take every transition of a flow, to keep beside it. Comments list what they do not reach. */
export async function paths(path: string, { plugin }: Plugins, say: Say): Promise<void> {
  const { text, all, missing, cut } = talksOf(await compiledAt([path], await loadScreenTypes(plugin ?? [])))
  say(text.trimEnd())
  say(`\n# ${all - missing.length} of ${all} transitions are taken.`)
  for (const { name, only } of missing) say(`# not taken: ${name}${only && ` (${only})`}`)
  if (cut) say(`# The search stopped after ${PAGES_MAX} places of the flow.`)
}

export interface TalkOptions extends Plugins, Partial<RecordOptions> {
  coverage?: boolean
}

/** Plays each talk. The exit code is 1 if one went another way. `coverage`: also lists what no talk covers. */
export async function talk(paths: string[], say: Say, options: TalkOptions = {}): Promise<void> {
  const { coverage = false, record, plugin } = options
  const types = await loadScreenTypes(plugin ?? [])
  if (record !== undefined) {
    return (await import('./record.ts')).recordCommand(await compiledAt(paths, types), {
      msisdn: '67570000001',
      ...options,
      record,
    })
  }
  const files = paths.flatMap(talksAt)
  if (!files.length) throw new UsageError(`no .talk files in ${paths.join(', ')}`)
  let failed = 0
  let played = 0
  for (const file of files) {
    const flows = new Map<string, Coverage>()
    for (const conversation of parseTalks(file, readFileSync(file, 'utf8'))) {
      played++
      const failure = await playTalk(conversation, (await flowOf(conversation, file, { flows, types })).flow)
      if (failure) failed++
      say(failure ? `FAILED  ${conversation.title}\n${describeFailure(failure)}` : `ok      ${conversation.title}`)
    }
    if (coverage) for (const [name, each] of flows) sayCoverage(name, each, say)
  }
  say(`${played - failed} talks passed, ${failed} failed`)
  if (failed) process.exitCode = 1
}

function sayCoverage(name: string, { report, transitions }: Coverage, say: Say): void {
  const { walked, all, missing } = report()
  say(`${name}: talks visit ${walked} of ${all} screens, choices and refusals`)
  for (const thing of missing) say(`  not walked: ${thing}`)
  const taken = transitions()
  const more = taken.walked < taken.all ? `; flow paths ${name}.yaml writes talks for the others` : ''
  say(`${name}: ${taken.walked} of ${taken.all} transitions taken${more}`)
  for (const way of taken.missing.filter((one) => !missing.includes(one))) say(`  not taken: ${way}`)
}

/** The flow that a talk names, or else the flow with the name of the talk's file; from the folder of the talk. */
async function flowOf(
  conversation: Talk,
  file: string,
  { flows: known, types }: { flows: Map<string, Coverage>; types: ScreenTypes },
): Promise<Coverage> {
  const name = conversation.flow || basename(file).split('.')[0]!
  const flow = known.get(name) ?? coverageOf(compileFlow(await sourceOf(dirname(file), name), undefined, types))
  known.set(name, flow)
  return flow
}

async function flowsAt(path: string): Promise<{ folder: string; name: string }[]> {
  if (!existsSync(path)) throw new UsageError(`there is no file ${path}`)
  if (statSync(path).isDirectory()) return (await flowNames(path)).map((name) => ({ folder: path, name }))
  const [, name, catalogue] = /^([^.]+)(\.[A-Za-z0-9-]+)?\.ya?ml$/.exec(basename(path)) ?? []
  if (name === undefined)
    throw new UsageError(`${path} is not a flow file: give a .yaml file, or a folder for all in it`)
  const flow = join(dirname(path), `${name}.yaml`)
  if (catalogue !== undefined) throw new UsageError(`${path} is a translation catalogue: give its flow ${flow}`)
  return [{ folder: dirname(path), name }]
}
