/** SMS that wait, are being sent, or were given up: how many, why, and which. Numbers are masked. */
import type { AdminService, ReasonCount, SmsSummary } from '../../admin/index.ts'
import { maskMsisdn } from '../../base/index.ts'
import { LISTED_STATES, REASONS_OF_MAX, type ListedState } from '../../sms/operator/index.ts'
import { may, type Visitor } from '../visitor.ts'
import {
  act,
  ageSaid,
  badge,
  html,
  type Column,
  type Markup,
  moment,
  raw,
  type Saying,
  table,
  type Tone,
} from './kit.ts'
import { pager, type Paged } from './paging.ts'

export type OutboxNow = ReturnType<AdminService['smsDepth']>

export interface SmsNow extends Saying {
  visitor: Visitor
  depth: OutboxNow
  state: ListedState
  list: Paged<SmsSummary>
  /** Of failed ones. */
  reasons: readonly ReasonCount[]
  /** For an address. */
  sealed(msisdn: string): string
}

const HERE = '/desk/sms'

function smsTone(state: string): Tone {
  if (state === 'delivered') return 'good'
  if (state === 'failed' || state === 'expired') return 'bad'
  return state === 'ambiguous' ? 'warn' : 'quiet'
}

export function smsBody(now: SmsNow): Markup {
  const { words, state, list, reasons } = now
  const of = words.sms
  const tab = (one: ListedState) =>
    html`<a class="button" href="${HERE}?state=${one}" ${one === state ? raw('aria-current="true"') : ''}
      >${of.is[one]}</a
    >`
  return html`<div data-live="depth">${depthPart(now)}</div>
    <section class="card">
      <h2>${of.lists}</h2>
      <nav class="tabs" aria-label="${of.lists}">${LISTED_STATES.map(tab)}</nav>
      <p class="quiet">${of.what[state]}</p>
      ${reasons.length > 0 ? reasonTable(now) : ''}
      ${pager(list, now, state === 'failed' || state === 'expired' ? words.time : of.order)} ${smsRows(now)}
    </section>`
}

/** How deep the outbox is. */
export function depthPart({ words, nowMs, depth }: Saying & { depth: OutboxNow }): Markup {
  const of = words.sms
  if (depth === null) return html`<p class="quiet">${of.notLooked}</p>`
  const { lines, ambiguous, submitting, atMs } = depth
  const sum = (key: 'due' | 'later') => lines.reduce((all, line) => all + line[key], 0)
  const oldest = Math.min(...lines.map(({ oldestMs }) => oldestMs ?? Infinity))
  const waits = Number.isFinite(oldest) ? ageSaid(Math.max(0, nowMs - oldest)) : '–'
  const tile = (name: string, figure: number | string, state: ListedState) =>
    html`<a class="card tile" href="${HERE}?state=${state}"
      ><h2>${name}</h2>
      <p class="figure">${figure}</p></a
    >`
  const columns: Column<(typeof lines)[number]>[] = [
    { head: words.lines.line, of: ({ line }) => line || of.anyLine },
    { head: of.due, of: ({ due }) => due, num: true },
    {
      head: of.oldest,
      of: ({ oldestMs }) => (oldestMs === null ? '–' : ageSaid(Math.max(0, nowMs - oldestMs))),
      num: true,
    },
    { head: of.later, of: ({ later }) => later, num: true },
  ]
  return html`<div class="tiles">
      ${tile(of.due, sum('due'), 'due')} ${tile(of.oldest, waits, 'due')}
      ${tile(of.is.submitting, submitting, 'submitting')} ${tile(of.is.ambiguous, ambiguous, 'ambiguous')}
      ${tile(of.later, sum('later'), 'due')}
    </div>
    <p class="quiet">${of.looked(ageSaid(Math.max(0, nowMs - atMs)))}</p>
    ${lines.length > 0 ? table(of.byLine, columns, lines, '') : ''}`
}

function reasonTable({ words, reasons }: SmsNow): Markup {
  const of = words.sms
  const all = reasons.reduce((sum, { n }) => sum + n, 0)
  const columns: Column<ReasonCount>[] = [
    { head: words.lines.why, of: ({ reason }) => words.said(reason) },
    { head: of.count, of: ({ n }) => n, num: true },
    { head: '%', of: ({ n }) => Math.round((n / all) * 100), num: true },
  ]
  return html`<h2>${of.byReason(REASONS_OF_MAX)}</h2>
    ${table(of.byReason(REASONS_OF_MAX), columns, reasons, '')}`
}

function smsRows(now: SmsNow): Markup {
  const { words, visitor, list, state, sealed } = now
  const of = words.sms
  const isSupport = may(visitor, 'support')
  const who = ({ msisdn }: SmsSummary) =>
    isSupport
      ? html`<a href="/desk/number?who=${sealed(msisdn)}"><code>${maskMsisdn(msisdn)}</code></a>`
      : html`<code>${maskMsisdn(msisdn)}</code>`
  const columns: Column<SmsSummary>[] = [
    { head: 'SMS', of: ({ id }) => html`<code>${id}</code>` },
    { head: words.number.number, of: who },
    { head: words.number.kind, of: ({ kind, owner }) => html`${kind} <span class="age">${owner}</span>` },
    { head: words.lines.line, of: ({ line }) => line || of.anyLine },
    { head: of.tries, of: ({ attempts }) => attempts, num: true },
    { head: words.number.due, of: ({ dueAt }) => moment(dueAt, now) },
    state === 'due'
      ? { head: words.number.leaves, of: ({ wakeAt }) => moment(wakeAt, now) }
      : { head: words.number.sent, of: ({ submittedAt }) => moment(submittedAt, now) },
    ...(state === 'failed' || state === 'expired'
      ? [{ head: of.givenUp, of: ({ settledAt }: SmsSummary) => moment(settledAt, now) }]
      : []),
    { head: words.lines.why, of: ({ reason }) => html`<span class="wrap">${words.said(reason)}</span>` },
    ...(isSupport ? [{ head: of.acts, of: (one: SmsSummary) => smsActs(one, now, { state }) }] : []),
  ]
  return table(of.is[state], columns, list.rows, of.none)
}

/** What support does with one. `back`: where the answer leads, a state of the list or a subscriber. */
export function smsActs(
  { id, state }: Pick<SmsSummary, 'id' | 'state'>,
  { words, visitor }: Saying & { visitor: Visitor },
  back: Readonly<Record<string, string>>,
): Markup | string {
  const of = words.sms
  const hidden = Object.entries(back).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`,
  )
  const common = { secret: visitor.secret, reason: true }
  const twice = html`<label class="field check"
    ><input type="checkbox" name="twice" value="yes" /> <span>${of.twice}</span></label
  >`
  const lasts = html`<label class="field"
    >${of.useFor} <input type="text" name="for" maxlength="10" placeholder="2h"
  /></label>`
  const retry = {
    ...common,
    action: `${HERE}/${id}/retry`,
    name: of.retry,
    what: of.retryWhat,
    fields: [...hidden, lasts, ...(state === 'expired' ? [] : [twice])],
  }
  const cancel = {
    ...common,
    action: `${HERE}/${id}/cancel`,
    name: of.cancel,
    what: of.cancelWhat,
    fields: hidden,
    danger: true,
  }
  const mayRetry = state === 'failed' || state === 'expired' || state === 'ambiguous'
  const mayCancel = state === 'due' || state === 'accepted'
  return html`${mayRetry ? act(retry, words) : ''}${mayCancel ? act(cancel, words) : ''}`
}

export function smsState(state: string, { words }: Saying): Markup {
  return badge(smsTone(state), (words.sms.is as Record<string, string>)[state] ?? state)
}
