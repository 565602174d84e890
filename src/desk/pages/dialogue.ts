/**
 * One dialogue as it was on the handset: its screens one after the other, what was pressed, how long that took, what
 * was called, and why it ended. What nobody kept is marked.
 */
import type { StoryTold } from '../../admin/index.ts'
import type { Visitor } from '../visitor.ts'
import { badge, html, type Markup, moment, type Saying, type Tone } from './kit.ts'

export type ToldDialogue = StoryTold['dialogues'][number]
type ToldStep = ToldDialogue['steps'][number]
type ToldCall = ToldDialogue['calls'][number]

export interface DialogueNow extends Saying {
  visitor: Visitor
  /** Masked. */
  shown: string
  /** For the address. Undefined: the subscriber was erased. */
  sealed: string | undefined
  /** Of one epoch: the dialogue, and its deferred answer if there was one. */
  told: readonly ToldDialogue[]
}

/** A value that is gone. */
const MARK = /(\{[a-z][\w.-]*\})/i
const FOR_GOOD = new Set(['completed', 'exit'])

export function dialogueAddress(epoch: string, sealed: string | undefined): string {
  return `/desk/number/dialogue/${epoch}${sealed === undefined ? '' : `?who=${sealed}`}`
}

function endTone({ isOpen, reason, kind }: Pick<ToldDialogue, 'isOpen' | 'reason' | 'kind'>): Tone {
  if (isOpen || FOR_GOOD.has(reason)) return 'good'
  return kind === 'refused' || reason === 'backend-failed' || reason === 'failed' ? 'bad' : 'quiet'
}

export function dialogueBody(now: DialogueNow): Markup {
  const { words, sealed, shown, told } = now
  const of = words.dialogue
  const [{ epoch }] = told as [ToldDialogue]
  const address = dialogueAddress(epoch, sealed)
  return html`<p class="ticket">
      ${sealed === undefined ? shown : html`<a href="/desk/number?who=${sealed}"><code>${shown}</code></a>`} ·
      <a href="${address}" id="ticket">${words.number.link}</a>
      <button type="button" data-copies="ticket" data-done="${of.copied}" hidden>${of.copy}</button>
    </p>
    ${told.map((one) => dialogue(one, now))}
    <p class="quiet">
      ${told.some(({ last, steps }) => [last, ...steps].some(({ isExact }) => isExact)) ? of.exact : of.marks}
    </p>`
}

function dialogue(one: ToldDialogue, now: DialogueNow): Markup {
  const { words } = now
  const of = words.dialogue
  const { kind, steps, isOpen, isCut } = one
  const seen = steps.map((step, n) => html`<li>${calls(one, n + 1, now)}${screen(step, now)}${did(step, now)}</li>`)
  const rest = one.calls.filter(({ turn }) => turn > steps.length).map((call) => callSaid(call, one, now))
  const more = isCut ? html`<li class="quiet">${of.cut}</li>` : ''
  const texts = one.texts === undefined ? '' : html`<p class="quiet">${of.texts[one.texts]}</p>`
  const last =
    one.last.screen === ''
      ? html`<li>
          ${rest}
          <p class="end">${endSaid(one, now)}</p>
        </li>`
      : html`<li>
          ${rest}${screen(one.last, now)}
          <p class="did quiet">${isOpen ? of.rests : of.lastShown}</p>
          <p class="end">${endSaid(one, now)}</p>
        </li>`
  return html`<section class="card">
    <h2>${of.kinds[kind]}</h2>
    ${facts(one, now)}
    <ol class="screens">
      ${seen}${more}${last}
    </ol>
    ${texts}
  </section>`
}

function facts(one: ToldDialogue, now: DialogueNow): Markup {
  const { words } = now
  const of = words.dialogue
  const { flow, epoch, totalMs, waitMs, backendMs, turns, isOpen } = one
  const name = flow.split('@')[0]!
  const rows: [string, unknown][] = [
    [words.number.opened, moment(one.openedAt, now)],
    [isOpen ? words.number.last : of.ended, moment(one.endedAt, now)],
    [words.lines.line, one.line],
    [words.services.code, html`<code>${one.code}</code>`],
    [words.releases.revision, flow === '' ? '' : html`<a href="/desk/services/${name}"><code>${flow}</code></a>`],
    [words.frame.language, one.language],
    [words.number.turns, turns],
    [of.lasted, isOpen ? '' : of.parts(seconds(totalMs), seconds(waitMs), seconds(backendMs))],
    [words.daemon.name, one.instance],
    [words.number.epoch, html`<code class="wrap">${epoch}</code>`],
  ]
  return html`<dl class="facts">
    ${rows
      .filter(([, value]) => value !== '')
      .map(
        ([name, value]) =>
          html`<div>
            <dt>${name}</dt>
            <dd>${value}</dd>
          </div>`,
      )}
  </dl>`
}

/** Where the text is kept word for word, what looks like a mark is text. */
function screen({ screen: name, lines, isExact }: ToldDialogue['last'], { words }: Saying): Markup {
  const of = words.dialogue
  const line = (text: string, n: number) =>
    html`${n > 0 ? '\n' : ''}${isExact ? text : text.split(MARK).map((part) => (MARK.test(part) ? html`<mark title="${of.gone}">${part}</mark>` : part))}`
  return html`<figure class="shown">
    <figcaption>${name}</figcaption>
    ${lines.length === 0 ? html`<p class="quiet">${of.notKept}</p>` : html`<pre>${lines.map(line)}</pre>`}
  </figure>`
}

function did(step: ToldStep, now: Saying): Markup {
  const of = now.words.dialogue
  const about = step.isAbout ? html`<span title="${of.about}">≈</span> ` : ''
  return html`<p class="did">
    ${doneWith(step, now)} <span class="age">${about}${moment(step.at, now)}, ${of.after(step.seconds)}</span>
  </p>`
}

function doneWith({ key, typed, chose, isUnsure, isAck, isSecret, isPending }: ToldStep, { words }: Saying): Markup {
  const of = words.dialogue
  if (isPending) return html`<em>${of.pending}</em>`
  if (isAck) return html`${of.acknowledged}`
  if (typed !== undefined) return html`${of.wrote} <kbd>${typed}</kbd>`
  if (key === null) return html`<em>${isSecret ? of.typedSecret : of.typed}</em>`
  return html`<kbd>${key}</kbd> ${chose ?? ''}${isUnsure ? html` <em>${of.probably}</em>` : ''}`
}

function calls(one: ToldDialogue, turn: number, now: Saying): Markup[] {
  return one.calls.filter((call) => call.turn === turn).map((call) => callSaid(call, one, now))
}

function callSaid(call: ToldCall, { openedAt }: ToldDialogue, now: Saying): Markup {
  const { words } = now
  const { atMs, backend, operation, words: said, ms, changes, key } = call
  const isWell = call.said === 'data'
  return html`<div class="called ${isWell ? '' : 'bad'}">
    ${badge(isWell ? 'good' : 'bad', words.said(said))} <code>${backend}.${operation}</code>
    <span class="age">${moment(Date.parse(openedAt) + atMs, now)}, ${ms} ms</span>
    ${changes ? html`<span class="age">${words.dialogue.changes} <code class="wrap">${key}</code></span>` : ''}
  </div>`
}

/** Why it ended, or that it is open. */
export function endSaid(one: Pick<ToldDialogue, 'isOpen' | 'reason' | 'kind' | 'why'>, { words }: Saying): Markup {
  const why = one.why.replace(/^open: /, '').split('; ')
  return html`${badge(endTone(one), one.isOpen ? words.dialogue.open : one.reason)}
    <span class="quiet wrap">${why.map((part) => words.said(part)).join(' ; ')}</span>`
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`
}
