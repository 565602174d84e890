/** `talk` and `flow`: what a flow's author runs before an operator's daemon gets the file (`check` is in check.ts). */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { sentence, UsageError } from '../../base/index.ts'
import { compileFlow, type Compilation } from '../../flow/load/index.ts'
import { coverageOf, type Coverage, talksOf, talkSlips, PAGES_MAX } from '../../flow/explore/index.ts'
import { drawFlow, storyboard, svgOf, xstateJson } from '../../flow/draw/index.ts'
import {
  backendJsonSchema,
  catalogueJsonSchema,
  flowJsonSchema,
  partJsonSchema,
  type ScreenTypes,
} from '../../flow/language/index.ts'
import { flowNames, sourceOf, loadScreenTypes, readFlow, type BackendSaid } from '../../flow/read/index.ts'
import { parseTalks, type Talk, describeFailure, playTalk } from '../../flow/talk/index.ts'
import type { RecordOptions } from './record.ts'
import { asJson } from '../admin.ts'
import type { Say } from '../arguments.ts'
import { talksAt } from './talk-files.ts'

/** Files with screen types. */
interface Plugins {
  plugin?: string[]
}

/** Prints the JSON Schema of flow files, of parts, of catalogues, or of back ends. */
export async function schema(
  of: Plugins & { catalogue?: boolean; part?: boolean; backend?: boolean },
  say: Say,
): Promise<void> {
  const types = await loadScreenTypes(of.plugin ?? [])
  const wanted = of.backend
    ? backendJsonSchema()
    : of.catalogue
      ? catalogueJsonSchema()
      : of.part
        ? partJsonSchema(types)
        : flowJsonSchema(types)
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
  json?: boolean
}

/** Plays each talk. The exit code is 1 if one went another way. `coverage`: also lists what no talk covers. */
export async function talk(paths: string[], say: Say, options: TalkOptions = {}): Promise<void> {
  const { coverage = false, record, plugin, json } = options
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
  const played: PlayedTalk[] = []
  const covers: ReturnType<typeof coverageRow>[] = []
  const live: Say = json ? () => undefined : say
  for (const file of files) {
    const flows = new Map<string, TalkedFlow>()
    for (const conversation of parseTalks(file, readFileSync(file, 'utf8'))) {
      const { covered, backends } = await flowOf(conversation, file, { flows, types })
      const failure = await playTalk(conversation, covered.flow)
      const slips = talkSlips(conversation, backends)
      const why = [...(failure ? [describeFailure(failure)] : []), ...slips.map(sentence)]
      const { title } = conversation
      played.push({ file, title, ok: why.length === 0, why })
      live(why.length > 0 ? `FAILED  ${title}\n${why.join('\n')}` : `ok      ${title}`)
    }
    if (!coverage) continue
    for (const [name, { covered }] of flows) {
      const row = coverageRow(name, covered)
      covers.push(row)
      sayCoverage(row, live)
    }
  }
  const failed = played.filter(({ ok }) => !ok).length
  const passed = played.length - failed
  live(`${passed} talks passed, ${failed} failed`)
  if (json) say(asJson({ passed, failed, talks: played, ...(coverage ? { coverage: covers } : {}) }))
  if (failed) process.exitCode = 1
}

interface PlayedTalk {
  file: string
  title: string
  ok: boolean
  why: string[]
}

function coverageRow(flow: string, { report, transitions }: Coverage) {
  return { flow, parts: report(), transitions: transitions() }
}

function sayCoverage({ flow, parts, transitions }: ReturnType<typeof coverageRow>, say: Say): void {
  say(`${flow}: talks visit ${parts.walked} of ${parts.all} screens, choices and refusals`)
  for (const thing of parts.missing) say(`  not walked: ${thing}`)
  const { walked, all, missing } = transitions
  const more = walked < all ? `; flow paths ${flow}.yaml writes talks for the others` : ''
  say(`${flow}: ${walked} of ${all} transitions taken${more}`)
  for (const way of missing.filter((one) => !parts.missing.includes(one))) say(`  not taken: ${way}`)
}

/** The flow that a talk names, or else the flow with the name of the talk's file; from the folder of the talk. */
async function flowOf(
  conversation: Talk,
  file: string,
  { flows: known, types }: { flows: Map<string, TalkedFlow>; types: ScreenTypes },
): Promise<TalkedFlow> {
  const name = conversation.flow || basename(file).split('.')[0]!
  const there = known.get(name)
  if (there) return there
  const source = await sourceOf(dirname(file), name)
  const flow = {
    covered: coverageOf(compileFlow(source, undefined, types)),
    backends: readFlow(source, types).backends,
  }
  known.set(name, flow)
  return flow
}

interface TalkedFlow {
  covered: Coverage
  /** What its back ends say of their operations. */
  backends: ReadonlyMap<string, BackendSaid>
}

export async function flowsAt(path: string): Promise<{ folder: string; name: string }[]> {
  if (!existsSync(path)) throw new UsageError(`there is no file ${path}`)
  if (statSync(path).isDirectory()) return (await flowNames(path)).map((name) => ({ folder: path, name }))
  const [, name, catalogue] = /^([^.]+)(\.[A-Za-z0-9-]+)?\.ya?ml$/.exec(basename(path)) ?? []
  if (name === undefined)
    throw new UsageError(`${path} is not a flow file: give a .yaml file, or a folder for all in it`)
  const flow = join(dirname(path), `${name}.yaml`)
  if (catalogue !== undefined) throw new UsageError(`${path} is a translation catalogue: give its flow ${flow}`)
  return [{ folder: dirname(path), name }]
}
