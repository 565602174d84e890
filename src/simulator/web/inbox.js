/** The SMS that a phone has, the latest first. */
import { make } from './dom.js'

const at = (id) => document.getElementById(id)

/** `seen`: how many of them are not new. */
export function showInbox(inbox, seen) {
  at('inbox-empty').hidden = inbox.length > 0
  at('inbox').replaceChildren(...inbox.map((sms, i) => smsRow(sms, i >= seen)).toReversed())
  const unread = inbox.length - seen
  at('unread').hidden = unread <= 0
  at('unread').textContent = `${unread} SMS`
}

function smsRow(sms, isNew) {
  const row = make('li', isNew ? 'new' : '')
  const meta = make('div', 'meta')
  meta.append(make('span', '', sms.from), make('time', '', sms.when ?? new Date(sms.atMs).toLocaleTimeString()))
  const body = make('div', 'body', sms.text)
  body.dir = 'auto'
  row.append(meta, body)
  if (sms.length) row.append(make('div', 'meta', sms.length))
  else if (sms.parts > 1) row.append(make('div', 'meta', `${sms.parts} parts`))
  return row
}
