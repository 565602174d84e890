/** One subscriber: what is open, what was, and SMS. The number is masked until somebody says why it has to be seen. */
import type { DialogueSummary, StoryTold } from '../../admin/index.ts'
import type { Visitor } from '../visitor.ts'
import { dialogueAddress, endSaid, type ToldDialogue } from './dialogue.ts'
import { act, ageSaid, html, type Column, type Markup, moment, type Saying, table } from './kit.ts'
import { pager } from './paging.ts'
import { smsActs, smsState } from './sms.ts'

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
  /** What the store of dialogues has: open ones, and those that ended a short time ago. */
  stored: readonly DialogueSummary[]
  /** Undefined: Postgres is unreachable. */
  story: Pick<StoryTold, 'dialogues' | 'sms' | 'isCut'> | undefined
  fromMs: number
  untilMs: number
}

type ToldSms = StoryTold['sms'][number]

/** One row: of its record, or of the store while its record is not written. */
interface DialogueSeen extends Pick<
  ToldDialogue,
  'epoch' | 'openedAt' | 'line' | 'code' | 'flow' | 'turns' | 'isOpen' | 'reason' | 'kind' | 'why'
> {
  lastedMs: number
  /** Of an open one. */
  group: string | undefined
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
  const { words, visitor, shown, isMasked, sealed, story, fromMs, untilMs } = now
  const of = words.number
  const uncover = {
    action: '/desk/number',
    secret: visitor.secret,
    name: of.uncover,
    what: of.uncoverWhat,
    reason: true,
  }
  const who = html`<input type="hidden" name="who" value="${sealed}" />`
  const paged = { path: '/desk/number', also: { who: sealed }, fromMs, untilMs, isLater: false, rows: [], next: null }
  return html`${numberForm(now)}
    <section class="card">
      <h2>${of.number}</h2>
      <p class="number">
        <code>${shown}</code> <a href="/desk/number?who=${sealed}" id="ticket">${of.link}</a>
        <button type="button" data-copies="ticket" data-done="${words.dialogue.copied}" hidden>
          ${words.dialogue.copy}
        </button>
      </p>
      <div class="acts">${isMasked ? act({ ...uncover, fields: who }, words) : ''} ${erasing(now)}</div>
    </section>
    <section class="card">
      <h2>${of.dialogues}</h2>
      ${pager(paged, now)} ${story ? '' : html`<p class="problem">${of.noPostgres}</p>`} ${older(now)}
      ${dialogueTable(now)}
    </section>
    <section class="card">
      <h2>SMS</h2>
      ${story ? smsTable(story.sms, now) : html`<p class="problem">${of.noPostgres}</p>`}
    </section>`
}

/** Who erases types the number: a wrong click, or a wrong ticket, erases nobody. */
function erasing({ words, visitor, sealed }: Pick<NumberFound, 'words' | 'visitor' | 'sealed'>): Markup {
  const of = words.number
  const fields = html`<input type="hidden" name="who" value="${sealed}" />
    <label class="field"
      >${of.eraseType} <input type="text" name="number" inputmode="numeric" maxlength="20" autocomplete="off" required
    /></label>
    <label class="field check"><input type="checkbox" name="keep" value="yes" /> ${of.eraseKeep}</label>`
  const how = { action: '/desk/number/erase', secret: visitor.secret, fields, reason: true, danger: true }
  return act({ ...how, name: of.erase, what: of.eraseWhat }, words)
}

/** More than one answer has: the page before ends where this one begins. */
function older({ words, sealed, story, fromMs }: NumberFound): Markup | string {
  if (!story?.isCut) return ''
  const oldest = [
    ...story.dialogues.map(({ openedAt }) => openedAt),
    ...story.sms.map(({ askedAt }) => askedAt),
  ].toSorted()[0]!
  const range = `from=${new Date(fromMs).toISOString().slice(0, 16)}&until=${oldest.slice(0, 16)}`
  return html`<p class="quiet">
    ${words.number.more} <a class="button" rel="next" href="/desk/number?who=${sealed}&${range}">${words.time.older}</a>
  </p>`
}

/** The newest first. */
function seen({ story, stored, untilMs }: NumberFound): DialogueSeen[] {
  const told = (story?.dialogues ?? []).map((one) => ({
    ...one,
    lastedMs: one.totalMs,
    group: one.isOpen
      ? stored.find(({ epoch, status }) => epoch === one.epoch && status !== 'ended')?.group
      : undefined,
  }))
  const known = new Set(told.map(({ epoch }) => epoch))
  const others = stored.filter(({ epoch, openedMs }) => !known.has(epoch) && openedMs < untilMs)
  return [...told, ...others.map(ofStore)].toSorted((a, b) => b.openedAt.localeCompare(a.openedAt))
}

function ofStore(one: DialogueSummary): DialogueSeen {
  const { epoch, line, flow, turn, openedMs, touchedMs, ended, group } = one
  const isOpen = one.status !== 'ended'
  return {
    epoch,
    line,
    flow,
    isOpen,
    kind: 'dialogue',
    openedAt: new Date(openedMs).toISOString(),
    lastedMs: touchedMs - openedMs,
    code: '',
    turns: turn,
    reason: ended ?? '',
    why: '',
    group: isOpen ? group : undefined,
  }
}

function dialogueTable(now: NumberFound): Markup {
  const { words, sealed } = now
  const of = words.number
  const columns: Column<DialogueSeen>[] = [
    {
      head: of.opened,
      of: ({ openedAt, epoch }) => html`<a href="${dialogueAddress(epoch, sealed)}">${moment(openedAt, now)}</a>`,
    },
    { head: of.kind, of: ({ kind }) => words.dialogue.kinds[kind] },
    { head: words.services.code, of: ({ code }) => html`<code>${code || '–'}</code>` },
    { head: words.lines.line, of: ({ line }) => line },
    { head: words.releases.revision, of: ({ flow }) => html`<code>${flow || '–'}</code>` },
    { head: of.turns, of: ({ turns }) => turns, num: true },
    { head: words.lines.lasted, of: ({ lastedMs }) => ageSaid(lastedMs), num: true },
    { head: of.why, of: (one) => endSaid(one, now) },
    { head: of.end, of: (one) => ending(one, now) },
  ]
  return table(of.dialogues, columns, seen(now), of.noDialogues)
}

function ending({ group }: DialogueSeen, { words, visitor, sealed }: NumberFound): Markup | string {
  if (group === undefined) return ''
  const fields = html`<input type="hidden" name="who" value="${sealed}" /><input
      type="hidden"
      name="group"
      value="${group}"
    />`
  const { end: name, endWhat: what } = words.number
  const action = '/desk/number/end'
  return act({ action, secret: visitor.secret, name, what, fields, reason: true, danger: true }, words)
}

function smsTable(sms: readonly ToldSms[], now: NumberFound): Markup {
  const { words, sealed } = now
  const of = words.number
  const receipts = ({ receipts: all }: ToldSms) =>
    all.map(
      ({ part, state, id }) => html`<span class="age wrap">${part}: ${state} <code class="wrap">${id}</code></span> `,
    )
  const columns: Column<ToldSms>[] = [
    { head: 'SMS', of: ({ id }) => html`<code>${id}</code>` },
    { head: words.lines.state, of: ({ state }) => smsState(state, now) },
    { head: of.kind, of: ({ kind, owner }) => html`${kind} <span class="age wrap">${owner}</span>` },
    { head: words.lines.line, of: ({ line }) => line || words.sms.anyLine },
    { head: of.asked, of: ({ askedAt }) => moment(askedAt, now) },
    {
      head: of.sent,
      of: ({ sentAt, leavesAt }) =>
        leavesAt === null ? moment(sentAt, now) : html`<span class="age">${of.leaves}</span> ${moment(leavesAt, now)}`,
    },
    { head: of.settled, of: ({ settledAt }) => moment(settledAt, now) },
    {
      head: words.lines.why,
      of: (one) => html`<span class="wrap">${words.said(one.reason)}</span> ${receipts(one)}`,
    },
    { head: words.sms.acts, of: (one) => smsActs(one, now, { who: sealed }) },
  ]
  return table('SMS', columns, sms.toReversed(), of.noSms)
}
