/**
 * `flow status`, `list`, `diff`, `publish`, `rollback`, `canary`, `recall`: what a running daemon serves, and the
 * decisions about it.
 */
import { existsSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { InvalidArgumentError } from 'commander'
import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff'
import type { FlowRow, FlowStand, RevisionRows } from '../../admin/index.ts'
import { UsageError } from '../../base/index.ts'
import { compileFlow } from '../../flow/load/index.ts'
import { screenChanges } from '../../flow/explore/index.ts'
import { portable } from '../../flow/release/index.ts'
import { sourceOf, loadScreenTypes, type FlowSource } from '../../flow/read/index.ts'
import { readYaml } from '../../flow/language/index.ts'
import { asJson, askAdmin, type AdminOptions } from '../admin.ts'
import { sinceSaid } from '../ages.ts'
import type { Say } from '../arguments.ts'
import { tableOf } from '../table.ts'

export interface DecideOptions extends AdminOptions {
  reason: string
  /** What `reason` was called before. */
  note?: string
}

const why = ({ reason, note }: DecideOptions) => ({ note: reason || (note ?? '') })

interface Changed {
  before: FlowStand | null
  after: FlowStand
  open?: number | null
  openAgeMs?: number | null
}

const REVISION = /^[a-z][a-z0-9-]*@[0-9a-f]{12}$/

export async function statusCommand(options: AdminOptions, say: Say): Promise<void> {
  const { flows } = await askAdmin<{ flows: FlowRow[] }>(options, 'GET', '/v1/flows')
  if (options.json) return say(asJson(flows))
  if (flows.length === 0) return say('no flows')
  for (const text of [...tableOf(STATUS_HEAD, flows.map(statusRow)), ...flows.flatMap(statusNotes)]) say(text)
}

const STATUS_HEAD = ['FLOW', 'SERVES', 'TRIAL', 'FILE', 'DECIDED', 'BY']

function statusRow({ name, revision, file, canary, decided }: FlowRow): string[] {
  const trial = canary ? `${canary.revision} ${canary.share} %` : '-'
  const has = file === null ? 'none that is good' : file === revision ? 'the same' : file
  const by = decided ? [when(decided.atMs), byWhom(decided)] : ['-', '-']
  return [name, revision, trial, has, ...by]
}

const byWhom = ({ by, note }: { by: string; note: string }) => `${by}${note ? `: ${note}` : ''}`

function statusNotes({ name, revision, recalled, replaced, problems }: FlowRow): string[] {
  const instead =
    replaced === revision
      ? ['every dial gets the text of the recall: the archive has no other revision']
      : replaced
        ? [`${revision} serves instead of ${replaced}, which was recalled`]
        : []
  const notes = [...instead, ...recalled.map((one) => `recalled ${one}`), ...problems.map((one) => `broken  ${one}`)]
  return notes.map((note) => `${name}: ${note}`)
}

export async function listRevisions(name: string, options: AdminOptions, say: Say): Promise<void> {
  const { revisions, counted, countedAgeMs } = await askAdmin<RevisionRows>(
    options,
    'GET',
    `/v1/flows/${encodeURIComponent(name)}/revisions`,
  )
  if (options.json) return say(asJson({ revisions, counted, countedAgeMs }))
  const rows = revisions.map(({ revision, is, open, createdMs, servedMs, ...decided }) => {
    const since = servedMs === null ? `stored ${when(createdMs)}` : `served ${when(servedMs)}`
    return [revision, is || '-', open === null ? '-' : String(open), since, byWhom(decided)]
  })
  for (const line of tableOf(['REVISION', 'IS', 'OPEN', 'SINCE', 'BY'], rows)) say(line)
  say(countedSaid(counted, countedAgeMs))
}

/** An earlier daemon counts when it is asked, and says no age. */
function countedSaid(isWhole: boolean, ageMs: number | null = 0): string {
  if (ageMs === null) return 'dialogues were not counted yet: the daemon has just started'
  const when = ageMs === 0 ? 'now' : `${sinceSaid(ageMs)} ago`
  return `dialogues were counted ${when}${isWhole ? '' : ': there are too many, so only some of them'}`
}

export async function diffCommand(
  from: string,
  to: string,
  { plugin, ...options }: AdminOptions & { plugin?: string[] },
  say: Say,
): Promise<void> {
  const [before, after] = [await sourceAt(from, options), await sourceAt(to, options)]
  const types = await loadScreenTypes(plugin ?? [])
  const screens = screenChanges(compileFlow(before, undefined, types), compileFlow(after, undefined, types))
  const patches = patchesOf({ source: before, name: from }, { source: after, name: to })
  if (options.json) return say(asJson({ screens, patches }))
  for (const change of screens) for (const text of changeLines(change)) say(text)
  say(`${screens.length} screen${screens.length === 1 ? '' : 's'} changed for subscribers\n`)
  for (const { patch } of patches) say(patch)
}

function changeLines({ screen, language, before: was, after: is }: ReturnType<typeof screenChanges>[number]): string[] {
  const pages = [...was, ...is].map((page, i) => page.replace(/^/gm, `  ${i < was.length ? '-' : '+'} `))
  return [
    `screen ${screen} (${language})${was.length ? (is.length ? '' : ': removed') : ': new'}`,
    ...pages.flatMap((page, i) => (i === 0 ? [page] : ['', page])),
  ]
}

interface Compared {
  source: FlowSource
  name: string
}

/** Of each file that differs. */
function patchesOf(before: Compared, after: Compared): { file: string; patch: string }[] {
  const [was, is] = [filesOf(before.source), filesOf(after.source)]
  return [...new Set([...was.keys(), ...is.keys()])].flatMap((role) => {
    const [old, now] = [was.get(role), is.get(role)]
    if (old?.text === now?.text) return []
    const { file } = (now ?? old)!
    const texts = [old?.text ?? '', now?.text ?? ''] as const
    const how = { context: 2, headerOptions: FILE_HEADERS_ONLY }
    return [{ file, patch: createTwoFilesPatch(file, file, ...texts, before.name, after.name, how).trimEnd() }]
  })
}

/** By what each is to the flow: a draft of it, and then its catalogues, may have any name. */
function filesOf({ file, text, catalogues, parts = [], backends = [] }: FlowSource) {
  const stem = file.replace(/\.ya?ml$/, '')
  const roleOf = (name: string) => (name.startsWith(`${stem}.`) ? name.slice(stem.length) : name)
  const said = backends.map((one) => ({ file: `backends/${one.file}`, text: one.text }))
  const all = [...catalogues, ...parts.flatMap((part) => [part, ...part.catalogues]), ...said]
  return new Map([['', { file, text }], ...all.map((one) => [roleOf(one.file), one] as const)])
}

export async function publishCommand(
  what: string,
  { share, ...options }: DecideOptions & { share?: number },
  say: Say,
): Promise<void> {
  const source = REVISION.test(what) ? undefined : await fileAt(what)
  const name = source ? source.name : what.split('@')[0]!
  const body = {
    ...why(options),
    ...(share === undefined ? {} : { share }),
    ...(source ? { source: source.files } : { revision: what }),
  }
  told(await decide(options, name, 'publish', body), options, say)
}

export async function rollbackCommand(what: string, options: DecideOptions, say: Say): Promise<void> {
  const body = { ...why(options), ...(REVISION.test(what) ? { revision: what } : {}) }
  told(await decide(options, what.split('@')[0]!, 'rollback', body), options, say)
}

export async function canaryCommand(
  what: string,
  { share, end = false, ...options }: DecideOptions & { share?: number; end?: boolean },
  say: Say,
): Promise<void> {
  if (end === (share !== undefined)) throw new InvalidArgumentError('give either --share 10% or --end')
  if (!end) requireRevision(what)
  told(
    await decide(options, what.split('@')[0]!, 'canary', {
      ...why(options),
      revision: end ? null : what,
      ...(end ? {} : { share }),
    }),
    options,
    say,
  )
}

export async function recallCommand(
  revision: string,
  { text, ...options }: DecideOptions & { text: string[] },
  say: Say,
): Promise<void> {
  requireRevision(revision)
  const name = revision.split('@')[0]!
  const isPlain = text.some((one) => !LANGUAGE.test(one))
  const first = isPlain ? languageOf(await stored(revision, options)) : ''
  const texts = Object.fromEntries(
    text.map((one) => {
      const [, language, words] = LANGUAGE.exec(one) ?? [one, first, one]
      return [language!, words!]
    }),
  )
  const done = await decide(options, name, 'recall', { ...why(options), revision, texts })
  if (options.json) return say(asJson(done))
  const gets = done.after.revision === revision ? 'its text' : done.after.revision
  const { open = null, openAgeMs } = done
  const age = openAgeMs ? ` (counted ${sinceSaid(openAgeMs)} ago)` : ''
  const its = open === null ? 'its open dialogues end' : `${open} open dialogues${age} end`
  say(`${revision} is recalled: ${its} at their next turn; new dials get ${gets}`)
}

/** The language in which a flow is written, even if its screen types are unknown. */
function languageOf({ file, text }: FlowSource): string {
  return (readYaml(file, text).yaml.value as { languages: string[] }).languages[0]!
}

const LANGUAGE = /^([a-z]{2,3})=(.*)$/s

function requireRevision(what: string): void {
  if (!REVISION.test(what))
    throw new UsageError(`'${what}' is not a revision such as dental@9f2c01ab77de (ussd-connector flow list)`)
}

function decide(options: AdminOptions, name: string, what: string, body: object): Promise<Changed> {
  return askAdmin<Changed>(options, 'POST', `/v1/flows/${encodeURIComponent(name)}/${what}`, body)
}

function told({ before, after }: Changed, { json }: AdminOptions, say: Say): void {
  if (json) return say(asJson({ before, after }))
  const trial = ({ canary }: FlowStand) => (canary ? ` (trial ${canary.revision} ${canary.share} %)` : '')
  const stand = (it: FlowStand | null) => (it ? it.revision + trial(it) : '-')
  say(`${stand(before)} -> ${stand(after)}`)
}

async function sourceAt(what: string, options: AdminOptions): Promise<FlowSource> {
  return REVISION.test(what) ? stored(what, options) : (await fileAt(what)).files
}

function stored(revision: string, options: AdminOptions): Promise<FlowSource> {
  return askAdmin<FlowSource>(options, 'GET', `/v1/flows/${revision.split('@')[0]!}/revisions/${revision}`)
}

async function fileAt(path: string): Promise<{ name: string; files: FlowSource }> {
  if (!existsSync(path))
    throw new UsageError(`there is no file ${path}: give a flow file, or a revision such as dental@9f2c01ab77de`)
  const name = basename(path).replace(/\.ya?ml$/, '')
  return { name, files: portable(await sourceOf(dirname(path), name)) }
}

export function when(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 16).replace('T', ' ')}Z`
}
