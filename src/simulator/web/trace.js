/** The PDU trace: newest first, each one opens to all its fields. */
import { make } from './dom.js'

const ROWS_MAX = 200
const list = () => document.getElementById('trace')
const isQuiet = () => document.getElementById('quiet-links').checked
const seen = new Set()

export function startTrace() {
  document.getElementById('clear-trace').addEventListener('click', () => list().replaceChildren())
  document.getElementById('quiet-links').addEventListener('change', hide)
}

export function showTrace(pdu) {
  if (seen.has(pdu.serial)) return
  seen.add(pdu.serial)
  if (seen.size > 5000) seen.clear()
  document.getElementById('trace-empty').hidden = true
  list().prepend(row(pdu))
  while (list().children.length > ROWS_MAX) list().lastElementChild.remove()
  hide()
}

function hide() {
  for (const one of list().children) one.hidden = isQuiet() && one.dataset.command.startsWith('enquire_link')
}

function row(pdu) {
  const item = make('li')
  item.dataset.command = pdu.command
  const details = make('details', pdu.direction)
  const summary = make('summary')
  const isError = pdu.status !== '' && !pdu.status.startsWith('0x00')
  const arrow = make('span', 'arrow', pdu.direction === 'in' ? '→' : '←')
  arrow.title = pdu.direction === 'in' ? 'from the ESME' : 'to the ESME'
  const time = new Date(pdu.atMs)
  summary.append(
    make(
      'span',
      'at',
      `${time.toLocaleTimeString([], { hour12: false })}.${String(time.getMilliseconds()).padStart(3, '0')}`,
    ),
    arrow,
    make('span', 'command', pdu.command),
    make('span', isError ? 'summary error' : 'summary', isError ? `${pdu.status} ${pdu.summary}` : pdu.summary),
  )
  details.append(summary)
  details.addEventListener('toggle', () => {
    if (details.open && details.children.length === 1) details.append(fields(pdu), make('pre', 'dump', dump(pdu.hex)))
  })
  item.append(details)
  return item
}

function fields(pdu) {
  const table = make('dl')
  const rows = [['link', pdu.peer], ['sequence', String(pdu.sequence)], ['status', pdu.status], ...pdu.fields]
  for (const [name, value] of rows) table.append(make('dt', '', name), make('dd', '', value === '' ? '·' : value))
  return table
}

/** Eight octets a line: where they begin, what they are, and what of them is ASCII. It fits a narrow page. */
function dump(hex) {
  const octets = hex.match(/../g) ?? []
  const lines = []
  for (let at = 0; at < octets.length; at += 8) {
    const line = octets.slice(at, at + 8)
    const signs = line.map((octet) => {
      const code = Number.parseInt(octet, 16)
      return code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : '.'
    })
    lines.push(`${at.toString(16).padStart(4, '0')}  ${line.join(' ').padEnd(23)}  ${signs.join('')}`)
  }
  return lines.join('\n')
}
