/** `flow funnel`: how many dialogues reached each screen of a flow, where they ended and why, and what was chosen. */
import type { FunnelTold } from '../../admin/index.ts'
import { UsageError } from '../../base/index.ts'
import { endInWords } from '../../enquiry/index.ts'
import { type FlowDefinition, SCREEN_TYPES } from '../../flow/language/index.ts'
import { type FlowSource, readFlow } from '../../flow/read/index.ts'
import { redrawnScreen } from '../../flow/redraw/index.ts'
import { besideRest, OTHER_KEYS } from '../../records/index.ts'
import { asJson, askAdmin, type AdminOptions } from '../admin.ts'
import type { Say } from '../arguments.ts'
import { tableOf } from '../table.ts'

export interface FunnelOptions extends AdminOptions {
  revision?: string
  compare?: string
  since?: string
  until?: string
}

type ToldRevision = FunnelTold['revisions'][number]
type ToldScreen = ToldRevision['screens'][number]

/** Choices that have a column of their own; the others are one sum. */
const CHOICES_SHOWN = 6
/** Revisions whose sources are asked for: those with the most dialogues. */
const NAMED_MAX = 4

/** Throws UsageError with what the daemon says. */
export async function funnelOfFlow(
  name: string,
  { revision, compare, since, until, ...options }: FunnelOptions,
  say: Say,
): Promise<void> {
  if (revision !== undefined && compare !== undefined) throw new UsageError('give either --revision or --compare')
  const query = new URLSearchParams(Object.entries({ revision, since, until }).filter(isGiven))
  const told = await askAdmin<FunnelTold>(options, 'GET', `/v1/flows/${encodeURIComponent(name)}/funnel?${query}`)
  if (options.json) return say(asJson(told))
  for (const line of linesOfFunnel(told, compare, await namingOf(told, options))) say(line)
}

const isGiven = (entry: [string, string | undefined]): entry is [string, string] => entry[1] !== undefined

/** The words of a choice on a screen of a revision, in its first language. Undefined: nobody knows. */
type Naming = (revision: string, screen: string, key: string) => string | undefined

/** From the sources that the daemon keeps. If there is none, or this build cannot read it, keys have no words. */
async function namingOf({ flow, revisions }: FunnelTold, options: AdminOptions): Promise<Naming> {
  const known = new Map<string, FlowDefinition>()
  for (const { revision } of revisions.slice(0, NAMED_MAX)) {
    const path = `/v1/flows/${encodeURIComponent(flow)}/revisions/${encodeURIComponent(revision)}`
    try {
      const source = await askAdmin<FlowSource>(options, 'GET', path)
      known.set(revision, readFlow(source, SCREEN_TYPES).definition)
    } catch {}
  }
  return (revision, screen, key) => {
    const definition = known.get(revision)
    return definition && redrawnScreen(definition, screen, definition.languages[0]!)?.choice(key)?.label
  }
}

/** As a terminal shows it. Throws UsageError if the revision to compare is not among them. */
export function linesOfFunnel(told: FunnelTold, compare?: string, naming: Naming = () => undefined): string[] {
  const { flow, since, until, zone, revisions, isCut } = told
  const day = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'short' })
  const range = `from ${day.format(new Date(since))} to ${day.format(new Date(until))} ${zone}`
  if (revisions.length === 0)
    return [`${flow}: no dialogue ended ${range} (sums are up to a minute late; test dials are never counted)`]
  const columns = columnsOf(told, compare)
  return [
    `${flow}: dialogues that ended ${range}`,
    ...columns.map(({ head, of }) => `${head}${head && ': '}${summaryOf(of, told)}`),
    ...(isCut ? ['There are more screens than are shown: ask for one --revision.'] : []),
    '',
    ...tableOf(headsOf(columns), rowsOf(columns, naming)),
    '',
    ...legendOf(columns),
  ]
}

interface Column {
  /** '' where there is one alone. */
  head: string
  of: ToldRevision
}

/** One revision; or a trial, or what was asked for, and the rest beside it. */
function columnsOf({ revisions, canary, active }: FunnelTold, compare: string | undefined): Column[] {
  if (compare !== undefined && !revisions.some(({ revision }) => revision === compare))
    throw new UsageError(
      `no dialogue on ${compare} ended in this time, only on ${revisions.map(({ revision }) => revision).join(', ')}`,
    )
  const { first, rest } = besideRest(revisions, [compare, canary, active], (count) => `${count} other revisions`)
  if (!rest) return [{ head: '', of: first }]
  return [
    { head: 'A', of: first },
    { head: 'B', of: rest },
  ]
}

function summaryOf({ revision, dialogues, ended, cut }: ToldRevision, { canary, active }: FunnelTold): string {
  const is = revision === canary ? ' (on trial)' : revision === active ? ' (serves new dials)' : ''
  const long = cut > 0 ? `; ${cut} of them were longer than a record keeps` : ''
  return `${revision}${is}: ${dialogues} dialogue${dialogues === 1 ? '' : 's'}: ${shares(ended, dialogues)}${long}`
}

function headsOf(columns: readonly Column[]): string[] {
  const heads = ['REACHED', 'ENDED HERE', 'HALF / 9 OF 10 ANSWERED', 'CHOSEN']
  return ['SCREEN', ...heads.flatMap((one) => columns.map(({ head }) => (head ? `${head}: ${one}` : one)))]
}

/** A line for each screen, in the order of the first column. */
function rowsOf(columns: readonly Column[], naming: Naming): string[][] {
  const names = new Set(columns.flatMap(({ of }) => of.screens.map(({ screen }) => screen)))
  const maps = columns.map(({ of }) => ({ of, screens: new Map(of.screens.map((one) => [one.screen, one])) }))
  const cells = [reachedCell, leftCell, timeCell, chosenCell(naming)]
  return [...names].map((name) => [
    name,
    ...cells.flatMap((cell) => maps.map(({ of, screens }) => (screens.has(name) ? cell(screens.get(name)!, of) : '-'))),
  ])
}

function reachedCell({ reached }: ToldScreen, { dialogues }: ToldRevision): string {
  return `${reached} ${percentOf(reached, dialogues)}`
}

function leftCell({ left, reached }: ToldScreen): string {
  const all = Object.values(left).reduce((sum, n) => sum + n, 0)
  return all === 0 ? '-' : `${all} ${percentOf(all, reached)}: ${counts(left)}`
}

function timeCell({ times, halfS, mostS }: ToldScreen): string {
  if (times.every((n) => n === 0)) return '-'
  const within = (seconds: number | null) => (seconds === null ? 'over 2 min' : `${seconds} s`)
  return `${within(halfS)} / ${within(mostS)}`
}

const CHOICE_WORDS: Readonly<Record<string, string>> = { '*': 'typed', ack: 'shown', [OTHER_KEYS]: 'longer keys' }

function chosenCell(naming: Naming) {
  return ({ screen, chosen, answered }: ToldScreen, { revision }: ToldRevision): string => {
    if (answered === 0) return '-'
    const all = byCount(chosen)
    const more = all.slice(CHOICES_SHOWN).reduce((sum, [, n]) => sum + n, 0)
    const named = (key: string) => {
      const label = naming(revision, screen, key)
      return label === undefined ? key : `${key} ${label}`
    }
    return [
      ...all.slice(0, CHOICES_SHOWN).map(([key, n]) => `${CHOICE_WORDS[key] ?? named(key)} ${percentOf(n, answered)}`),
      ...(more > 0 ? [`others ${percentOf(more, answered)}`] : []),
    ].join(', ')
  }
}

/** What the words for ends mean, those that are shown. */
function legendOf(columns: readonly Column[]): string[] {
  const reasons = new Set(columns.flatMap(({ of }) => byCount(of.ended).map(([reason]) => reason)))
  return [...reasons].map((reason) => `${reason}: ${endInWords('dialogue', reason, '')}`)
}

function byCount(of: Readonly<Record<string, number>>): [string, number][] {
  return Object.entries(of).toSorted(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
}

function counts(of: Readonly<Record<string, number>>): string {
  return byCount(of)
    .map(([word, n]) => `${word} ${n}`)
    .join(', ')
}

function shares(of: Readonly<Record<string, number>>, all: number): string {
  return byCount(of)
    .map(([word, n]) => `${word} ${percentOf(n, all)}`)
    .join(', ')
}

/** Whole per cent, and a tenth where it is below one. */
function percentOf(part: number, all: number): string {
  const share = all === 0 ? 0 : (100 * part) / all
  return `${share > 0 && share < 1 ? share.toFixed(1) : Math.round(share)} %`
}
