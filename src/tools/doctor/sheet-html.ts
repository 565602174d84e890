/** The acceptance sheet for paper: one file without scripts that loads nothing; for reading, ticking and signing. */
import { html } from 'hono/html'
import type { CheckVerdict } from './finding.ts'
import { SHEET_CSS } from './sheet-css.ts'
import { countsText, markOf, type Row, type AcceptanceSheet, type ShownPdu } from './sheet.ts'

export function sheetHtml(sheet: AcceptanceSheet): string {
  const groups = [...new Set(sheet.rows.map((it) => it.group))]
  const handset = sheet.rows.filter((it) => it.handset !== '')
  const proven = sheet.rows.filter((it) => it.evidence.length > 0)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>Link acceptance: ${escape(sheet.line)}</title>
<style>${SHEET_CSS}</style>
</head>
<body>
<header>
<h1>Link acceptance sheet</h1>
<p class="counts">${escape(countsText(sheet))}</p>
</header>
<dl class="facts">${sheet.facts.map(([name, value]) => `<div><dt>${escape(name)}</dt><dd>${escape(value)}</dd></div>`).join('')}</dl>
<table class="checks">
<colgroup><col class="what"><col class="verdict"><col></colgroup>
${groups
  .map((group) =>
    groupRows(
      group,
      sheet.rows.filter((it) => it.group === group),
    ),
  )
  .join('\n')}
</table>
${handset.length ? handsetTable(handset) : ''}
<section>
<h2>For the settings</h2>
<p>Under <code>lines:</code>, with the password in a file of mode 600.</p>
<pre>${escape(sheet.settings)}</pre>
${sheet.profile ? `<p><code>dialects/${escape(sheet.line)}.yaml</code>:</p><pre>${escape(sheet.profile)}</pre>` : ''}
</section>
<section class="sign">
<h2>Accepted</h2>
<div class="lines">${['For the operator', 'For the service'].map(signature).join('')}</div>
</section>
<section class="evidence">
<h2>Evidence</h2>
<p>&lt; from the SMSC, &gt; to it. Times are UTC. Passwords are written over.</p>
${proven.map(proof).join('\n')}
</section>
</body>
</html>
`
}

function signature(who: string): string {
  return `<div><p>${who}</p>${['Name', 'Date', 'Signature'].map((it) => `<p class="line"><span>${it}</span></p>`).join('')}</div>`
}

function proof({ check, title, evidence }: Row): string {
  return `<div id="${check}"><h3>${escape(title)}</h3>${evidence.map(pdu).join('')}</div>`
}

function groupRows(group: string, rows: readonly Row[]): string {
  const title = (row: Row) =>
    row.evidence.length ? `<a href="#${row.check}">${escape(row.title)}</a>` : escape(row.title)
  const body = rows.map(
    (row) =>
      `<tr class="${row.verdict}"><td>${title(row)}</td>` +
      `<td>${badge(row.verdict)}</td><td>${escape(row.said)}${row.advice ? `<p class="advice">${escape(row.advice)}</p>` : ''}</td></tr>`,
  )
  return `<tbody><tr class="group"><th colspan="3" scope="rowgroup">${escape(group)}</th></tr>${body.join('\n')}</tbody>`
}

function badge(verdict: CheckVerdict): string {
  return `<span class="badge ${verdict}">${markOf(verdict)}</span>`
}

function handsetTable(rows: readonly Row[]): string {
  const box = (word: string) => `<td><span class="box"></span> ${word}</td>`
  const lines = rows.map(
    (row) => `<tr><td>${escape(row.title)}</td><td>${escape(row.handset)}</td>${box('yes')}${box('no')}</tr>`,
  )
  return `<section><h2>On the handset</h2><p>Only a person can see this: tick what it shows.</p><table class="handset">
<colgroup><col class="what"><col><col class="tick"><col class="tick"></colgroup>
<tbody>${lines.join('\n')}</tbody></table></section>`
}

function pdu({ at, words, hex }: ShownPdu): string {
  return (
    `<div class="pdu"><p><time>${at}</time> <b>${escape(words[0] ?? '')}</b></p>` +
    `${words
      .slice(1)
      .map((it) => `<p>${escape(it)}</p>`)
      .join('')}<code>${hex.replace(/(.{8})/g, '$1 ')}</code></div>`
  )
}

/** Also removes control characters, which a peer may have sent. */
function escape(text: string): string {
  return String(html`${text.replace(/[\0-\x08\x0b-\x1f\x7f-\x9f]/g, '\u{fffd}')}`)
}
