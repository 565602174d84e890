/** The last PDUs of a line, in words. */
import { may, type Visitor } from '../visitor.ts'
import { act, html, type Markup, type Saying } from './kit.ts'

export interface TraceNow extends Saying {
  visitor: Visitor
  lines: readonly string[]
  line: string
  last: number
  /** Undefined: nothing was asked for. Null: there is no such line. */
  text: string | null | undefined
  /** Not masked. */
  isClear: boolean
}

export const TRACE_LASTS = [20, 100, 500] as const

export function traceBody(now: TraceNow): Markup {
  const { words, lines, line, last, text, isClear } = now
  const of = words.trace
  const chosen = (is: boolean) => (is ? html`selected` : '')
  const form = html`<form class="range" method="get" action="/desk/trace">
    <label class="field"
      ><span>${words.lines.line}</span>
      <select name="line">
        ${lines.map((name) => html`<option ${chosen(name === line)}>${name}</option>`)}
      </select></label
    >
    <label class="field"
      ><span>${of.last}</span>
      <select name="last">
        ${TRACE_LASTS.map((n) => html`<option ${chosen(n === last)}>${n}</option>`)}
      </select></label
    >
    <button type="submit">${words.time.show}</button>
    ${text ? html`<a class="button" href="/desk/trace/pcap?line=${line}&last=${last}" download="${line}.pcap">pcap</a>` : ''}
  </form>`
  const shown =
    text === undefined
      ? ''
      : text === null
        ? html`<p class="problem">${words.lines.noneSuch(line)}</p>`
        : text === ''
          ? html`<p class="quiet">${of.none}</p>`
          : html`<pre class="listing" tabindex="0">${text}</pre>`
  return html`<p class="quiet">${of.what}</p>
    ${form}${isClear ? html`<p class="remedy">${of.isClear}</p>` : clearForm(now)}${shown}`
}

/** For who may see numbers, with a reason. */
function clearForm({ words, visitor, line, last, text }: TraceNow): Markup | string {
  if (!text || !may(visitor, 'support')) return ''
  const of = words.trace
  const fields = html`<input type="hidden" name="line" value="${line}" /><input
      type="hidden"
      name="last"
      value="${last}"
    />`
  const { clear: name, clearWhat: what } = of
  const form = { action: '/desk/trace/clear', secret: visitor.secret, name, what, fields, reason: true, danger: true }
  return html`<div class="acts">${act(form, words)}</div>`
}
