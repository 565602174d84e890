/** The misbehaviour panel: faults that are on, links to spoil. */
import { call } from './link.js'
import { make } from './dom.js'

const PRESETS = [
  { label: 'Throttle 20 %', fault: { on: 'submit_sm', chance: 0.2, act: { is: 'refuse', status: 0x58 } } },
  { label: 'Double 30 %', fault: { on: 'deliver_sm', lane: 'ussd', chance: 0.3, act: { is: 'double', on: 'other' } } },
  { label: 'Late begin 3 s', fault: { on: 'deliver_sm', event: 'begin', act: { is: 'late', ms: 3000 } } },
  { label: 'Lose responses 10 %', fault: { on: 'submit_sm', chance: 0.1, act: { is: 'drop-response' } } },
  { label: 'Slow responses 2 s', fault: { on: 'submit_sm', act: { is: 'delay', ms: 2000 } } },
  { label: 'Cut next PDU', fault: { on: 'deliver_sm', times: 1, act: { is: 'cut', at: 20 } } },
  { label: 'Refuse binds', fault: { on: 'bind', act: { is: 'refuse', status: 0x0d } } },
]
const at = (id) => document.getElementById(id)

export function startFaults() {
  for (const { label, fault } of PRESETS) {
    const button = make('button', '', label)
    button.type = 'button'
    button.addEventListener('click', () => call('POST', '/api/faults', fault))
    at('presets').append(button)
  }
}

export function showFaults({ faults, binds }) {
  if (faults) at('faults').replaceChildren(...faults.map(faultRow))
  if (binds) at('binds').replaceChildren(...binds.map(bindRow))
}

function faultRow(fault) {
  const row = make('li')
  const often = fault.chance === undefined ? '' : ` ${Math.round(fault.chance * 100)} %`
  const act = Object.values(fault.act).map((value) =>
    typeof value === 'number' && fault.act.status === value ? `0x${value.toString(16)}` : value,
  )
  row.append(
    make(
      'span',
      '',
      `${fault.on}${fault.event ? ` ${fault.event}` : ''}: ${act.join(' ')}${often} · struck ${fault.struck}`,
    ),
  )
  row.append(action('Stop', () => call('DELETE', `/api/faults/${fault.id}`)))
  return row
}

function bindRow(bind) {
  const row = make('li')
  row.append(make('span', '', `${bind.systemId || 'not bound'} · ${bind.mode} · ${bind.state}`))
  const buttons = make('span', 'row tight')
  for (const [label, act] of [
    ['Unbind', 'unbind'],
    ['Kill', 'close'],
    ['Half-open', 'half-open'],
  ]) {
    buttons.append(action(label, () => call('POST', `/api/binds/${encodeURIComponent(bind.id)}/${act}`, {})))
  }
  row.append(buttons)
  return row
}

function action(label, run) {
  const button = make('button', '', label)
  button.type = 'button'
  button.addEventListener('click', () => void run())
  return button
}
