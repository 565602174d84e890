/** The lines of the whole fleet, and one of them with its history. */
import type { BindState, InstanceRow, LineRow } from '../../admin/index.ts'
import type { LineEventRow } from '../../watch/index.ts'
import { type LineOutage, outagesOf } from '../outages.ts'
import type { Sample } from '../sample.ts'
import { may, type Visitor } from '../visitor.ts'
import { act, ageSaid, badge, html, type Markup, moment, rate, type Saying, since, table, type Tone } from './kit.ts'
import { pager, type Paged } from './paging.ts'
import { dayStrip, daysStrip } from './strips.ts'

export interface LinesNow extends Saying {
  sample: Sample
  visitor: Visitor
}

type Row = LineRow & Pick<InstanceRow, 'ageMs' | 'isGone'> & { daemon: string; outages: LineOutage[] }

function rowsOf({ sample }: Pick<LinesNow, 'sample'>, only?: string): Row[] {
  return sample.instances
    .flatMap(({ name: daemon, ageMs, isGone, state }) =>
      state.lines
        .filter(({ name }) => only === undefined || name === only)
        .map((line) => ({
          ...line,
          daemon,
          ageMs,
          isGone,
          outages: sample.outages.list.filter((one) => one.line === line.name && one.instance === daemon),
        })),
    )
    .toSorted((a, b) => a.name.localeCompare(b.name) || a.daemon.localeCompare(b.daemon))
}

/** The bind that says most about its line: one that is down, if there is one. */
function worst(binds: readonly BindState[]): BindState | undefined {
  return binds.find(({ why }) => why !== undefined) ?? binds.find(({ state }) => state !== 'bound') ?? binds[0]
}

function stateOf({ stopped, isGone, binds, held }: Row, { lines: { is, partly } }: Saying['words']): [Tone, string] {
  if (isGone) return ['quiet', is.gone!]
  if (stopped) return ['quiet', is.stopped!]
  const bound = binds.filter(({ state }) => state === 'bound').length
  if (held && bound > 0) return ['warn', is.held!]
  if (bound === binds.length && bound > 0)
    return ['good', binds.length > 1 ? `${is.bound} ${bound}/${bound}` : is.bound!]
  if (bound > 0) return ['warn', partly(bound, binds.length)]
  if (binds.some(({ state }) => state === 'standby')) return ['quiet', is.standby!]
  return ['bad', is.down!]
}

export function linesPart(now: LinesNow): Markup {
  const { words } = now
  const of = words.lines
  const columns = [
    { head: of.line, of: ({ name }: Row) => html`<a href="/desk/lines/${name}" id="line-${name}">${name}</a>` },
    {
      head: words.daemon.name,
      of: ({ daemon, ageMs }: Row) =>
        html`${daemon} <span class="age">${ageMs === 0 ? '' : words.time.ago(ageSaid(ageMs))}</span>`,
    },
    { head: of.state, of: (row: Row) => badge(...stateOf(row, words)) },
    { head: of.since, of: ({ binds }: Row) => since(worst(binds)?.since, now) },
    { head: of.peer, of: ({ binds }: Row) => html`<code>${worst(binds)?.peer ?? '–'}</code>` },
    { head: of.why, of: ({ binds }: Row) => whySaid(worst(binds), now) },
    ...trafficColumns(now),
    { head: `${of.outages}, 24 h`, of: ({ outages }: Row) => dayStrip(outages, now) },
  ]
  return table(words.nav.lines, columns, rowsOf(now), of.none)
}

/** Why it is down, what to do, and when it is tried again. */
function whySaid(bind: BindState | undefined, saying: Saying): Markup {
  if (!bind?.why) return html`<span class="none">–</span>`
  const { why, detail, remedy, tries, next } = bind
  const of = saying.words.lines
  return html`<span title="${remedy === undefined ? '' : saying.words.said(remedy)}">${why}: ${detail}</span>
    <span class="age">${of.tries(tries ?? 0)}${next ? html`, ${of.next} ${moment(next, saying)}` : ''}</span>`
}

function trafficColumns({ words: { lines: of } }: Saying) {
  return [
    { head: of.in, of: ({ traffic }: Row) => rate(traffic?.received), num: true },
    { head: of.out, of: ({ traffic }: Row) => rate(traffic?.sent), num: true },
    { head: of.window, of: ({ traffic }: Row) => (traffic ? `${traffic.taken}/${traffic.slots}` : '–'), num: true },
    {
      head: of.p95,
      of: ({ traffic }: Row) =>
        traffic?.p95Ms === undefined ? '–' : html`<span title="${of.p95Long}">${traffic.p95Ms} ms</span>`,
      num: true,
    },
    {
      head: of.errors,
      of: ({ traffic }: Row) =>
        html`<span class="${traffic && traffic.failed > 0 ? 'bad' : ''}">${rate(traffic?.failed)}</span>`,
      num: true,
    },
  ]
}

export function linesBody(now: LinesNow): Markup {
  const { words, sample, visitor } = now
  const more = sample.outages.isWhole ? '' : html`<p class="quiet">${words.lines.more}</p>`
  const again = may(visitor, 'operate')
    ? act(
        {
          action: '/desk/lines/reload',
          secret: visitor.secret,
          name: words.lines.reload,
          what: words.lines.reloadWhat,
          fields: whereField(now),
        },
        words,
      )
    : ''
  return html`<div data-live="lines">${linesPart(now)}</div>
    ${more}
    <div class="acts">${again}</div>`
}

/** Which daemon is to do it. */
function whereField({ words, sample }: LinesNow): Markup {
  const one = ({ name }: InstanceRow) => html`<option value="${name}">${name}</option>`
  return html`<label class="field"
    >${words.act.on}
    <select name="instance">
      <option value="all">${words.lines.all}</option>
      ${sample.instances.filter(({ isGone }) => !isGone).map(one)}
    </select></label
  >`
}

export interface LineNow extends LinesNow {
  line: string
  /** Of the days behind the last 24 hours. */
  days: readonly LineEventRow[]
  daysFromMs: number
  isWhole: boolean
  history: Paged<LineEventRow & { id: string }>
}

export function linePart(now: Omit<LineNow, 'days' | 'daysFromMs' | 'history' | 'isWhole'>): Markup {
  const { words, line } = now
  const of = words.lines
  const rows = rowsOf(now, line)
  const binds = rows.flatMap((row) => row.binds.map((bind) => ({ ...bind, row })))
  const is = (state: string): [Tone, string] => [
    state === 'bound' ? 'good' : state === 'standby' ? 'quiet' : 'bad',
    of.is[state] ?? state,
  ]
  const columns = [
    { head: of.bind, of: ({ bind }: (typeof binds)[number]) => html`<code>${bind}</code>` },
    { head: words.daemon.name, of: ({ row }: (typeof binds)[number]) => row.daemon },
    { head: of.state, of: ({ state }: (typeof binds)[number]) => badge(...is(state)) },
    { head: of.since, of: (bind: (typeof binds)[number]) => since(bind.since, now) },
    { head: of.peer, of: ({ peer }: (typeof binds)[number]) => html`<code>${peer}</code>` },
    { head: of.why, of: (bind: (typeof binds)[number]) => whySaid(bind, now) },
  ]
  const remedies = [...new Set(binds.flatMap(({ remedy }) => (remedy ? [remedy] : [])))]
  return html`${table(words.nav.lines, [{ head: words.daemon.name, of: ({ daemon }: Row) => daemon }, { head: of.state, of: (row: Row) => badge(...stateOf(row, words)) }, ...trafficColumns(now), { head: of.cap, of: ({ cap }: Row) => (cap ? `${cap.used} · ${cap.share}/${cap.perSecond}` : '–'), num: true }, { head: of.dialect, of: ({ dialect }: Row) => dialect }, { head: of.group, of: ({ group }: Row) => group }], rows, of.noneSuch(line))}
    <h2>${of.binds}</h2>
    ${table(of.binds, columns, binds, '–')} ${heldNotes(rows, now)}
    ${remedies.map((remedy) => html`<p class="remedy">${words.said(remedy)}</p>`)}`
}

export function lineBody(now: LineNow): Markup {
  const { words, line, sample, days, history, visitor } = now
  const of = words.lines
  const lately = sample.outages.list.filter((one) => one.line === line)
  const trace = may(visitor, 'trace') ? html`<a class="button" href="/desk/trace?line=${line}">${of.trace}</a>` : ''
  return html`<div data-live="line">${linePart(now)}</div>
    <div class="acts">${lineActs(now)}${trace}</div>
    <section class="card">
      <h2>${words.time.last24h}</h2>
      <div data-live="strip">${dayStrip(lately, now)}</div>
      <h2>${words.time.last90d}</h2>
      ${daysStrip(outagesOf(days, now.daysFromMs), now)}${now.isWhole ? '' : html`<p class="quiet">${of.more}</p>`}
    </section>
    <section class="card">
      <h2>${of.history}</h2>
      ${pager(history, now)}${historyTable(now)}
    </section>`
}

function lineActs(now: LineNow): Markup | string {
  const { words, visitor, line } = now
  if (!may(visitor, 'operate')) return ''
  const of = words.lines
  const where = whereField(now)
  const text = html`<label class="field">${of.holdText} <input type="text" name="text" maxlength="182" /></label>`
  const acts: [deed: string, name: string, what: string, fields: Markup[], danger?: true][] = [
    ['hold', of.hold, of.holdWhat, [where, text]],
    ['release', of.release, of.releaseWhat, [where]],
    ['stop', of.stop, of.stopWhat, [where], true],
    ['start', of.start, of.startWhat, [where]],
  ]
  return html`${acts.map(([deed, name, what, fields, danger = false]) =>
    act({ action: `/desk/lines/${line}/${deed}`, secret: visitor.secret, name, what, fields, danger }, words),
  )}`
}

/** Since when, by whom, and what new dials get. */
function heldNotes(rows: readonly Row[], now: LineNow | LinesNow): Markup[] {
  const { lines: of } = now.words
  return rows.flatMap(({ held, daemon }) =>
    held
      ? [
          html`<p class="remedy">
            ${daemon}: ${of.heldBy(held.by)} ${since(held.since, now)}
            ${held.text === null ? '' : html`<q>${held.text}</q>`}
          </p>`,
        ]
      : [],
  )
}

function historyTable({ history, ...now }: LineNow): Markup {
  const of = now.words.lines
  type Event = LineEventRow
  const tone = (event: string) => (event === 'up' ? 'good' : event === 'down' || event === 'refused' ? 'bad' : 'quiet')
  return table<Event>(
    of.history,
    [
      { head: of.since, of: ({ at }) => moment(at, now) },
      { head: of.event, of: ({ event }) => badge(tone(event), of.events[event] ?? event) },
      { head: of.bind, of: ({ bind }) => html`<code>${bind ?? '–'}</code>` },
      { head: now.words.daemon.name, of: ({ instance }) => instance },
      { head: of.peer, of: ({ peer }) => html`<code>${peer ?? '–'}</code>` },
      { head: of.detail, of: ({ why, detail }) => (why ? `${why}: ${detail ?? ''}` : (detail ?? '–')) },
      {
        head: of.lasted,
        of: ({ event, at, since: from }) => (event === 'up' && from ? ageSaid(at.getTime() - from.getTime()) : '–'),
        num: true,
      },
    ],
    history.rows,
    of.noHistory,
  )
}
