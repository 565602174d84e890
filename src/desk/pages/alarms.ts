/** What somebody should be woken for, what nobody is to be woken for, and who did what lately. */
import type { InstanceRow } from '../../admin/index.ts'
import type { AuditRow } from '../../audit/index.ts'
import type { SilenceRow } from '../../watch/index.ts'
import type { Sample } from '../sample.ts'
import { may, type Visitor } from '../visitor.ts'
import { act, badge, html, type Column, type Markup, moment, type Saying, since, table } from './kit.ts'
import { pager, type Paged } from './paging.ts'

export interface AlarmsNow extends Saying {
  sample: Sample
  visitor: Visitor
  silences: readonly SilenceRow[]
  audit: Paged<AuditRow>
}

type Alarm = InstanceRow['state']['alarms'][number] & { daemon: string }

export function alarmsBody(now: AlarmsNow): Markup {
  const { words, visitor, sample } = now
  const of = words.alarms
  const lines = [...new Set(sample.instances.flatMap(({ state }) => state.lines.map(({ name }) => name)))]
  const line = html`<label class="field"
    >${words.lines.line}
    <select name="line">
      <option value="">${of.everything}</option>
      ${lines.map((name) => html`<option>${name}</option>`)}
    </select></label
  >`
  const lasts = html`<label class="field"
    >${of.lasts}
    <select name="for">
      ${['30m', '1h', '2h', '8h', '1d', '7d'].map((one) => html`<option>${one}</option>`)}
    </select></label
  >`
  const silence = {
    action: '/desk/alarms/silence',
    secret: visitor.secret,
    name: of.silence,
    what: of.silenceWhat,
    fields: [line, lasts],
    reason: true,
  }
  const acts = may(visitor, 'operate')
    ? [
        act(silence, words),
        act(
          { ...silence, action: '/desk/alarms/test', name: of.test, what: of.testWhat, fields: [], reason: false },
          words,
        ),
      ]
    : []
  return html`<div data-live="alarms">${alarmsPart(now)}</div>
    <div class="acts">${acts}</div>
    <section class="card">
      <h2>${of.silences}</h2>
      ${silenceTable(now)}
    </section>
    <section class="card">
      <h2>${of.audit}</h2>
      <p class="quiet">${of.auditWhat}</p>
      ${auditTable(now)}
    </section>`
}

export function alarmsPart(now: Saying & { sample: Sample }): Markup {
  const of = now.words.alarms
  const columns: Column<Alarm>[] = [
    { head: of.alarm, of: ({ alarm }) => alarm },
    { head: of.subject, of: ({ subject }) => html`<code>${subject}</code>` },
    {
      head: of.severity,
      of: ({ severity, silenced }) =>
        silenced
          ? badge('quiet', of.silenced)
          : badge(severity === 'critical' ? 'bad' : 'warn', now.words.verdict[severity]),
    },
    { head: now.words.daemon.name, of: ({ daemon }) => daemon },
    { head: now.words.lines.since, of: ({ since: from }) => since(from, now) },
    { head: now.words.lines.why, of: (one) => whySaid(one, now) },
  ]
  const rows = now.sample.instances.flatMap(({ name, isGone, state }) =>
    isGone ? [] : state.alarms.map((one) => ({ ...one, daemon: name })),
  )
  return table(of.alarm, columns, rows, of.none)
}

/** Of a line: `10.0.0.1:2775: connection-refused: ECONNREFUSED`, which is the same in every language. */
function whySaid({ why, remedy }: Alarm, { words }: Saying): Markup {
  return html`${words.said(why)} <span class="age wrap">${words.said(remedy)}</span>`
}

function silenceTable(now: AlarmsNow): Markup {
  const of = now.words.alarms
  const { visitor, silences } = now
  const end = ({ id }: SilenceRow) =>
    html`<form method="post" action="/desk/alarms/silence/${id}/end">
      <input type="hidden" name="form" value="${visitor.secret}" /><button type="submit">${of.end}</button>
    </form>`
  const columns: Column<SilenceRow>[] = [
    { head: now.words.lines.line, of: ({ line }) => line ?? of.everything },
    { head: now.words.time.until, of: ({ until }) => moment(until, now) },
    { head: now.words.releases.by, of: ({ asked_by: by }) => by },
    { head: now.words.act.reason, of: ({ note }) => note },
    ...(may(visitor, 'operate') ? [{ head: of.end, of: end }] : []),
  ]
  return table(of.silences, columns, silences, of.noSilences)
}

function auditTable({ audit, ...now }: AlarmsNow): Markup {
  const of = now.words.alarms
  const columns: Column<AuditRow>[] = [
    { head: now.words.releases.when, of: ({ at }) => moment(at, now) },
    { head: of.who, of: ({ who }) => who },
    { head: of.what, of: ({ what }) => what },
    {
      head: of.subscriber,
      of: ({ subscriber }) => (subscriber === null ? '' : html`<code class="wrap">${subscriber}</code>`),
    },
    {
      head: now.words.lines.detail,
      of: ({ detail }) => html`<span class="wrap">${detail === '{}' ? '' : detail}</span>`,
    },
    { head: now.words.daemon.name, of: ({ instance }) => instance },
  ]
  return html`${pager(audit, now)}${table(of.audit, columns, audit.rows, of.noAudit)}`
}
