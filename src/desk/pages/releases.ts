/** What is in force where, and how it came about: flows, their revisions, trials, recalls. */
import type { FlowRow, KeptRevision } from '../../admin/index.ts'
import type { FlowEventRow } from '../../watch/index.ts'
import { may, type Visitor } from '../visitor.ts'
import { act, badge, html, type Column, type Markup, moment, type Saying, table, type Tone } from './kit.ts'
import { pager, type Paged } from './paging.ts'

export interface ReleasesNow extends Saying {
  visitor: Visitor
  flows: readonly FlowRow[]
  history: Paged<FlowEventRow & { id: string }>
}

const code = (text: string | null) => (text === null ? html`<span class="none">–</span>` : html`<code>${text}</code>`)

export function releasesBody(now: ReleasesNow): Markup {
  const { words, flows } = now
  const of = words.releases
  const columns: Column<FlowRow>[] = [
    { head: of.flow, of: ({ name }) => html`<a href="/desk/releases/${name}">${name}</a>` },
    { head: of.state, of: (row) => flowState(row, now) },
    { head: of.inForce, of: ({ revision }) => code(revision) },
    { head: of.trial, of: ({ canary }) => (canary ? html`${code(canary.revision)} ${canary.share} %` : '–') },
    { head: of.file, of: ({ file, revision }) => (file === revision ? of.sameFile : code(file)) },
    { head: of.decided, of: (row) => decidedSaid(row, now) },
  ]
  return html`${table(words.nav.releases, columns, flows, of.none)}
    <section class="card">
      <h2>${of.history}</h2>
      ${pager(now.history, now)} ${historyTable(now)}
    </section>`
}

function flowState({ problems, replaced, recalled }: FlowRow, { words: { releases: of } }: Saying): Markup {
  const [tone, word]: [Tone, string] =
    problems.length > 0
      ? ['bad', of.broken]
      : replaced !== null
        ? ['warn', of.replaced]
        : recalled.length > 0
          ? ['quiet', of.someRecalled]
          : ['good', of.well]
  return badge(tone, word)
}

function decidedSaid({ decided }: FlowRow, now: Saying): Markup | string {
  if (!decided) return now.words.releases.byFile
  return html`${decided.by}, ${moment(decided.atMs, now)} <span class="age">${decided.note}</span>`
}

function historyTable({ history, ...now }: Pick<ReleasesNow, 'history'> & Saying): Markup {
  const of = now.words.releases
  const tone = (did: string): Tone => (did === 'recall' ? 'bad' : did === 'rollback' ? 'warn' : 'quiet')
  const columns: Column<FlowEventRow>[] = [
    { head: of.when, of: ({ at }) => moment(at, now) },
    { head: of.did, of: ({ did }) => badge(tone(did), of.deeds[did] ?? did) },
    { head: of.flow, of: ({ flow }) => html`<a href="/desk/releases/${flow}">${flow}</a>` },
    {
      head: of.revision,
      of: ({ revision, share }) => html`${code(revision)} ${share === null ? '' : `${share / 100} %`}`,
    },
    { head: of.before, of: ({ before }) => code(before) },
    { head: of.by, of: ({ by }) => by },
    // A path has no blank, and no page is as wide.
    {
      head: of.reason,
      of: ({ reason, file }) => html`<span class="wrap">${reason === '' ? (file ?? '') : reason}</span>`,
    },
    { head: now.words.daemon.name, of: ({ instance }) => instance },
  ]
  return table(of.history, columns, history.rows, of.noHistory)
}

export interface ReleaseNow extends Omit<ReleasesNow, 'flows'> {
  name: string
  /** Undefined: this daemon does not serve it. */
  flow: FlowRow | undefined
  kept: readonly KeptRevision[]
}

export function releaseBody(now: ReleaseNow): Markup {
  const { words, flow, kept, visitor, name } = now
  const of = words.releases
  const is: Record<KeptRevision['is'], [Tone, string]> = {
    active: ['good', of.inForce],
    canary: ['warn', of.trial],
    recalled: ['bad', of.recalled],
    '': ['quiet', of.kept],
  }
  const columns: Column<KeptRevision>[] = [
    { head: of.revision, of: ({ revision }) => code(revision) },
    { head: of.state, of: (row) => badge(...is[row.is]) },
    { head: of.stored, of: ({ createdMs }) => moment(createdMs, now) },
    { head: of.served, of: ({ servedMs }) => moment(servedMs, now) },
    { head: of.by, of: ({ by }) => by },
    { head: of.reason, of: ({ note }) => note },
    {
      head: of.diff,
      of: ({ revision }) =>
        flow && revision !== flow.revision
          ? html`<a href="/desk/releases/${name}/diff?from=${revision}&to=${flow.revision}">${of.toInForce}</a>`
          : '–',
    },
  ]
  const problems = flow?.problems ?? []
  return html`${flow ? html`<p>${flowState(flow, now)} ${code(flow.revision)} · ${decidedSaid(flow, now)}</p>` : ''}
    ${problems.map((problem) => html`<p class="problem">${problem}</p>`)}
    ${may(visitor, 'publish') ? html`<div class="acts">${decisions(now)}</div>` : ''}
    <section class="card">
      <h2>${of.revisions}</h2>
      ${table(of.revisions, columns, kept, of.noRevisions)}
    </section>
    <section class="card">
      <h2>${of.history}</h2>
      ${pager(now.history, now)} ${historyTable(now)}
    </section>`
}

/** What may be decided now: each with a reason. */
function decisions({ words, visitor, name, flow, kept }: ReleaseNow): Markup {
  const of = words.releases
  const at = `/desk/releases/${name}`
  const pick = (label: string, rows: readonly KeptRevision[]) =>
    html`<label class="field"
      >${label}
      <select name="revision">
        ${rows.map(({ revision }) => html`<option>${revision}</option>`)}
      </select></label
    >`
  const others = kept.filter(({ is }) => is !== 'active' && is !== 'recalled')
  const served = others.filter(({ servedMs }) => servedMs !== null)
  const open = kept.filter(({ is }) => is === '' || is === 'canary')
  const common = { secret: visitor.secret, reason: true }
  const share = html`<label class="field"
    >${of.share} <input type="number" name="share" min="0.01" max="100" step="any" value="5" required
  /></label>`
  const back = { ...common, action: `${at}/rollback`, name: of.rollBack, what: of.rollBackWhat, danger: true }
  const trial = { ...common, action: `${at}/canary`, name: of.tryOut, what: of.tryOutWhat }
  const end = { ...common, action: `${at}/canary-end`, name: of.endTrial, what: of.endTrialWhat }
  const recall = { ...common, action: `${at}/recall`, name: of.recall, what: of.recallWhat, danger: true }
  return html`${served.length > 0 ? act({ ...back, fields: pick(of.revision, served) }, words) : ''}
  ${others.length > 0 ? act({ ...trial, fields: [pick(of.revision, others), share] }, words) : ''}
  ${flow?.canary ? act(end, words) : ''}
  ${open.length > 0 ? act({ ...recall, fields: pick(of.revision, open) }, words) : ''}`
}

export interface DiffNow extends Saying {
  name: string
  from: string
  to: string
  /** Each with its first sign: plus, minus, at, or a blank. */
  lines: readonly string[]
}

export function diffBody({ words, name, from, to, lines }: DiffNow): Markup {
  const is = (line: string) => ({ '+': 'plus', '-': 'minus', '@': 'at' })[line[0] ?? ''] ?? ''
  return html`<p>${code(from)} → ${code(to)} · <a href="/desk/releases/${name}">${name}</a></p>
    ${lines.length === 0 ? html`<p class="quiet">${words.releases.same}</p>` : ''}
    <pre class="diff" tabindex="0">${lines.map((line) => html`<span class="${is(line)}">${line} </span>`)}</pre>`
}
