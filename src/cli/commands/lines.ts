/** `lines`: the lines of a running daemon, and their binds. */
import type { Command } from 'commander'
import { adminOptions, jsonOption, parseInteger, type Say } from '../arguments.ts'
import type { CapState, FleetLineRow } from '../../admin/index.ts'
import type { LineEventRow } from '../../watch/index.ts'
import { asJson, askAdmin, type AdminOptions } from '../admin.ts'
import { sinceSaid } from '../ages.ts'
import { tableOf } from '../table.ts'

export function registerLines(program: Command, say: Say): void {
  jsonOption(adminOptions(program.command('lines')))
    .description('shows the lines of a running daemon and their binds, or changes them')
    .option('--reload', 'the same as the command `reload`')
    .option('--stop <name>', 'unbind a line, until you start the line or the daemon again')
    .option('--start <name>', 'bind it again')
    .option('--hold <name>', 'turn new dials away and stay bound, also after a restart; open dialogues and SMS go on')
    .option('--text <text>', 'with --hold: what new dials get; default: texts.busy, or a status if the dialect has one')
    .option('--release <name>', 'take new dials again')
    .option(
      '--instance <name>',
      'with --reload, --stop, --start, --hold, --release: in which daemon (`ussd-connector status`), or all',
    )
    .option('--history <name>', 'what happened to a line in the last 90 days, the newest first')
    .option('--last <n>', 'of the history: how many; default: 50', parseInteger)
    .action(async (options: LinesOptions) => linesCommand(options, say))
}

export interface LinesOptions extends AdminOptions {
  reload?: boolean
  stop?: string
  start?: string
  hold?: string
  text?: string
  release?: string
  instance?: string
  history?: string
  last?: number
}

export async function linesCommand(options: LinesOptions, say: Say): Promise<void> {
  if (options.history !== undefined) return historyCommand(options.history, options, say)
  const where = options.instance === undefined ? '' : `?instance=${encodeURIComponent(options.instance)}`
  if (options.reload) return (await import('./reload.ts')).reloadCommand(options, say)
  for (const verb of ['stop', 'start', 'hold', 'release'] as const) {
    const name = options[verb]
    const body = verb === 'hold' && options.text !== undefined ? { text: options.text } : undefined
    const path = `/v1/lines/${encodeURIComponent(name ?? '')}/${verb}${where}`
    if (name !== undefined) await askAdmin(options, 'POST', path, body)
  }
  const { lines } = await askAdmin<{ lines: FleetLineRow[] }>(options, 'GET', '/v1/lines')
  if (options.json) return say(asJson(lines))
  const rows = lines.flatMap(bindRows)
  if (rows.length === 0) return say('there are no lines in the settings')
  for (const text of [...tableOf(HEAD, rows), ...new Set(lines.flatMap(notesOf))]) say(text)
}

const HEAD = ['BIND', 'STATE', 'DAEMON', 'SEEN', 'SINCE', 'NEXT TRY', 'PEER', 'GROUP', 'PROFILE', 'WHY']

/** A row for each bind; one for a line that has none, because it was stopped. */
function bindRows(row: FleetLineRow): string[][] {
  const { name, group, dialect, stopped, held, binds } = row
  const whose = [row.instance, seenSaid(row)]
  const state = held ? 'held' : stopped ? 'stopped' : ''
  if (binds.length === 0) return [[name, state, ...whose, '', '', '', group, dialect]]
  return binds.map(({ bind, state: is, since, next, peer, why, detail, tries }) => {
    const reason = why === undefined ? '' : `${why}: ${detail}, ${tries} ${tries === 1 ? 'try' : 'tries'}`
    return [bind, state ? `${is}, ${state}` : is, ...whose, since, next ?? '', peer, group, dialect, reason]
  })
}

/** How old it is what a daemon says. */
function seenSaid({ ageMs, isGone }: FleetLineRow): string {
  if (ageMs === undefined) return 'now'
  return `${isGone ? 'GONE, ' : ''}${sinceSaid(ageMs)} ago`
}

/** What has no place in the table: what to do, who holds a line, its cap. */
function notesOf({ name, instance, held, cap, binds }: FleetLineRow): string[] {
  return [
    ...binds.flatMap(({ bind, remedy }) => (remedy ? [`${bind}: ${remedy}`] : [])),
    ...(held
      ? [
          `${name} in ${instance}: held since ${held.since} by ${held.by}: new dials get ${held.text ?? 'the busy text'}`,
        ]
      : []),
    ...(cap ? [`${name} in ${instance}: ${capLine(cap)}`] : []),
  ]
}

/** One row for each event: when, which daemon, what, for how long it had been so, and why. */
async function historyCommand(name: string, options: LinesOptions, say: Say): Promise<void> {
  const query = options.last === undefined ? '' : `?last=${options.last}`
  const path = `/v1/lines/${encodeURIComponent(name)}/events${query}`
  const { events } = await askAdmin<{ events: SaidEvent[] }>(options, 'GET', path)
  if (options.json) return say(asJson(events))
  if (events.length === 0) return say('no events: is the name right (ussd-connector lines)?')
  const rows = events.map(({ at, instance, bind, event, since, peer, why, detail, tries }) => {
    const lasted = since === null || event === 'down' ? undefined : sinceSaid(Date.parse(at) - Date.parse(since))
    const reason = why && [why, detail].filter(Boolean).join(': ')
    return [at, instance, bind ?? name, event, lasted ?? '', peer ?? '', reason ?? '', tries > 0 ? String(tries) : '']
  })
  say(tableOf(['AT', 'DAEMON', 'BIND', 'EVENT', 'AFTER', 'PEER', 'WHY', 'TRIES'], rows).join('\n'))
}

type SaidEvent = Omit<LineEventRow, 'at' | 'since'> & { at: string; since: string | null }

function capLine({ perSecond, share, used, waiting, daemons, isAway, account }: CapState): string {
  const had = isAway ? ', its last one: the store is unreachable' : daemons > 1 ? ` of ${daemons} daemons` : ''
  const of = account === undefined ? '' : ` on the account ${account}`
  return `at most ${perSecond} a second${of}; share of this daemon ${share}${had}; sent ${used}, waiting ${waiting}`
}
