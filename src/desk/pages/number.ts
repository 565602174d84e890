/** One subscriber: what is open, what was, and SMS. The number is masked until somebody says why it has to be seen. */
import type { DialogueSummary, SmsSummary } from '../../admin/index.ts'
import type { Visitor } from '../visitor.ts'
import { act, badge, html, type Column, type Markup, moment, type Saying, table, type Tone } from './kit.ts'

export interface NumberForm extends Saying {
  visitor: Visitor
  problem?: string
}

export interface NumberFound extends NumberForm {
  /** Masked, or not. */
  shown: string
  isMasked: boolean
  /** For the address. */
  sealed: string
  dialogues: readonly DialogueSummary[]
  /** Undefined: Postgres is unreachable. */
  sms: readonly SmsSummary[] | undefined
}

export function numberForm({ words, visitor, problem }: NumberForm): Markup {
  const of = words.number
  return html`<p class="quiet">${of.what}</p>
    ${problem === undefined ? '' : html`<p class="problem" role="alert">${problem}</p>`}
    <form method="post" action="/desk/number" class="range">
      <input type="hidden" name="form" value="${visitor.secret}" />
      <label class="field"
        ><span>${of.number}</span>
        <input
          type="text"
          name="number"
          inputmode="numeric"
          maxlength="20"
          placeholder="67570000001"
          autocomplete="off"
          required
      /></label>
      <label class="field"
        ><span>${words.act.reason}</span> <input type="text" name="note" maxlength="200" required
      /></label>
      <button type="submit" class="primary">${of.find}</button>
    </form>`
}

export function numberBody(now: NumberFound): Markup {
  const { words, visitor, shown, isMasked, sealed, sms } = now
  const of = words.number
  const uncover = {
    action: '/desk/number',
    secret: visitor.secret,
    name: of.uncover,
    what: of.uncoverWhat,
    reason: true,
  }
  const who = html`<input type="hidden" name="who" value="${sealed}" />`
  return html`${numberForm(now)}
    <section class="card">
      <h2>${of.number}</h2>
      <p class="number"><code>${shown}</code> <a href="/desk/number?who=${sealed}">${of.link}</a></p>
      ${isMasked ? html`<div class="acts">${act({ ...uncover, fields: who }, words)}</div>` : ''}
    </section>
    <section class="card">
      <h2>${of.dialogues}</h2>
      ${dialogueTable(now)}
    </section>
    <section class="card">
      <h2>SMS</h2>
      ${sms ? smsTable(sms, now) : html`<p class="problem">${of.noPostgres}</p>`}
    </section>`
}

function dialogueTable(now: NumberFound): Markup {
  const { words, visitor, sealed, dialogues } = now
  const of = words.number
  const end = (one: DialogueSummary) =>
    one.status === 'ended'
      ? ''
      : act(
          {
            action: '/desk/number/end',
            secret: visitor.secret,
            name: of.end,
            what: of.endWhat,
            fields: html`<input type="hidden" name="who" value="${sealed}" /><input
                type="hidden"
                name="group"
                value="${one.group}"
              />`,
            reason: true,
            danger: true,
          },
          words,
        )
  const columns: Column<DialogueSummary>[] = [
    { head: of.opened, of: ({ openedMs }) => moment(openedMs, now) },
    { head: words.lines.state, of: (one) => badge(one.status === 'ended' ? 'quiet' : 'good', one.status) },
    { head: words.lines.line, of: ({ line }) => line },
    { head: words.releases.revision, of: ({ flow }) => html`<code>${flow}</code>` },
    { head: of.turns, of: ({ turn }) => turn, num: true },
    { head: of.last, of: ({ touchedMs }) => moment(touchedMs, now) },
    { head: of.why, of: ({ ended }) => ended ?? '–' },
    { head: of.epoch, of: ({ epoch }) => html`<code class="wrap">${epoch}</code>` },
    { head: of.end, of: end },
  ]
  return table(of.dialogues, columns, dialogues, of.noDialogues)
}

function smsTable(sms: readonly SmsSummary[], now: NumberFound): Markup {
  const { words } = now
  const of = words.number
  const tone = (state: string): Tone =>
    state === 'delivered' ? 'good' : state === 'failed' || state === 'expired' ? 'bad' : 'quiet'
  const columns: Column<SmsSummary>[] = [
    { head: 'SMS', of: ({ id }) => html`<code>${id}</code>` },
    { head: words.lines.state, of: ({ state }) => badge(tone(state), state) },
    { head: of.kind, of: ({ kind }) => kind },
    { head: of.due, of: ({ dueAt }) => moment(dueAt, now) },
    { head: of.leaves, of: ({ wakeAt }) => moment(wakeAt, now) },
    { head: of.sent, of: ({ submittedAt }) => moment(submittedAt, now) },
  ]
  return table('SMS', columns, sms, of.noSms)
}
