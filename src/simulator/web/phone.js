/** The page of the simulated phone: what is pressed goes to the simulator, what happens there is shown here. */
import { make } from './dom.js'
import { call, enter, events } from './link.js'
import { showTrace, startTrace } from './trace.js'
import { showFaults, startFaults } from './faults.js'

const PEOPLE = [
  { name: 'John', msisdn: '67570000001' },
  { name: 'Mary', msisdn: '67570000002' },
]

const at = (id) => document.getElementById(id)
const state = { msisdn: '', dialled: '', mode: 'home', seenSms: new Map(), view: null, attempt: 0 }

/** @param {string} msisdn */
async function use(msisdn) {
  state.msisdn = msisdn
  state.dialled = ''
  state.mode = 'home'
  history.replaceState(null, '', `#${msisdn}`)
  const person = PEOPLE.find((one) => one.msisdn === msisdn)
  at('talk').href = phonePath('/talk')
  at('whose').textContent = person ? `${person.name} · ${msisdn}` : msisdn
  for (const button of at('people').children) {
    const isNew = button.dataset.msisdn === 'new' && !person
    button.setAttribute('aria-pressed', String(button.dataset.msisdn === msisdn || isNew))
  }
  render()
  show(await call('GET', phonePath('')))
}

const phonePath = (rest) => `/api/phones/${encodeURIComponent(state.msisdn)}${rest}`

/** Takes the simulator's view of a phone, unless a later one is shown: the answer to a press may come after what followed it. */
function show(view) {
  if (!view || view.msisdn !== state.msisdn) return
  const before = state.view
  if (before?.msisdn === view.msisdn && view.serial < before.serial) return
  state.view = view
  if (view.failed) state.mode = 'failed'
  else if (view.waiting) state.mode = 'busy'
  else if (view.screen) state.mode = 'screen'
  else if (state.mode !== 'home') state.mode = 'home'
  showInbox(view, before)
  render()
}

function render() {
  const { mode, view } = state
  const isOpen = mode === 'screen' && view.screen.open
  at('dialled').textContent = state.dialled
  at('hint').hidden = state.dialled !== ''
  at('popup').hidden = mode === 'home'
  at('busy').hidden = mode !== 'busy'
  at('text').hidden = mode === 'busy'
  at('answer-form').hidden = mode === 'busy'
  at('answer').hidden = !isOpen
  at('send').hidden = !isOpen
  at('cancel').textContent = isOpen ? 'Cancel' : 'OK'
  at('text').classList.toggle('failed', mode === 'failed')
  if (mode === 'screen') at('text').textContent = view.screen.text
  if (mode === 'failed') at('text').textContent = `Connection problem or invalid MMI code.\n\n${view.failed}`
  showMeasure(mode === 'screen' ? view.screen : null)
  if (isOpen && document.activeElement !== at('answer') && !matchMedia('(pointer: coarse)').matches)
    at('answer').focus()
  if (mode !== 'screen') at('answer').value = ''
}

function showMeasure(screen) {
  const unit = screen?.alphabet === 'ucs2' ? 'UCS-2 units of 80' : 'septets of 182'
  at('measure').textContent = screen
    ? `${screen.units} ${unit} · ${screen.open ? 'answer awaited' : 'dialogue ended'}`
    : ''
  at('measure').classList.toggle('over', Boolean(screen?.over))
  if (screen?.over) at('measure').textContent += ' · too long for one USSD string'
}

function showInbox(view, before) {
  const isNews = before?.msisdn === view.msisdn && view.inbox.length > before.inbox.length
  const seen = state.seenSms.get(view.msisdn) ?? view.inbox.length
  if (!state.seenSms.has(view.msisdn)) state.seenSms.set(view.msisdn, view.inbox.length)
  at('inbox-empty').hidden = view.inbox.length > 0
  at('inbox').replaceChildren(...view.inbox.map((sms, i) => smsRow(sms, i >= seen)).toReversed())
  const unread = view.inbox.length - seen
  at('unread').hidden = unread <= 0
  at('unread').textContent = `${unread} SMS`
  if (isNews) toast(`${view.inbox.at(-1).from}: ${view.inbox.at(-1).text}`)
}

function smsRow(sms, isNew) {
  const row = make('li', isNew ? 'new' : '')
  const meta = make('div', 'meta')
  meta.append(make('span', '', sms.from), make('time', '', new Date(sms.atMs).toLocaleTimeString()))
  row.append(meta, make('div', 'body', sms.text))
  if (sms.parts > 1) row.append(make('div', 'meta', `${sms.parts} parts`))
  return row
}

let toastTimer
function toast(text) {
  at('toast').textContent = `✉ ${text}`
  at('toast').hidden = state.mode !== 'home'
  clearTimeout(toastTimer)
  toastTimer = setTimeout(() => (at('toast').hidden = true), 6000)
}

async function dial(code) {
  if (!code) return
  at('toast').hidden = true
  state.seenSms.set(state.msisdn, state.view?.inbox.length ?? 0)
  state.dialled = ''
  await tell('/dial', { code })
}

async function tell(path, body) {
  const attempt = ++state.attempt
  state.mode = 'busy'
  render()
  try {
    show(await call('POST', phonePath(path), body))
  } catch (error) {
    // What was given up or tried again meanwhile is no news.
    if (attempt !== state.attempt) return
    // A phone that got nothing says why in a word; its whole story is for whoever asks for it.
    if (error.answer?.msisdn) show(error.answer)
    else if (state.view) show({ ...state.view, screen: null, waiting: false, failed: error.message })
  }
}

async function cancel() {
  const isOpen = state.mode === 'screen' && state.view.screen.open
  state.mode = 'home'
  state.attempt++
  show(await call('POST', phonePath(isOpen || state.view?.waiting ? '/hang-up' : '/dismiss'), {}))
  document.activeElement?.blur?.()
}

function press(key) {
  const field = at('answer')
  const isAnswering = state.mode === 'screen' && state.view.screen.open
  if (key === 'end') return state.mode === 'home' ? ((state.dialled = ''), render()) : void cancel()
  if (key === 'call') {
    if (isAnswering) return at('answer-form').requestSubmit()
    return state.mode === 'home' ? void dial(state.dialled) : void cancel()
  }
  if (isAnswering) field.value = key === 'clear' ? field.value.slice(0, -1) : field.value + key
  else if (state.mode === 'home') {
    state.dialled = key === 'clear' ? state.dialled.slice(0, -1) : (state.dialled + key).slice(0, 60)
    render()
  }
}

function onKeyboard(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return
  if (event.key === 'Escape') return press('end')
  const target = event.target
  if (target instanceof HTMLInputElement && target.id !== 'answer') return
  if (target instanceof HTMLInputElement) return
  if (event.key === 'Enter' && target instanceof HTMLElement && target.closest('button, a, summary')) return
  const key = event.key === 'Backspace' ? 'clear' : event.key === 'Enter' ? 'call' : event.key
  if (!/^(?:[0-9*#]|clear|call)$/.test(key)) return
  event.preventDefault()
  const button = document.querySelector(`.key[data-key="${CSS.escape(key)}"]`)
  button?.classList.add('pressed')
  setTimeout(() => button?.classList.remove('pressed'), 120)
  press(key)
}

function showBinds(binds) {
  const bound = binds.filter((bind) => bind.state === 'bound')
  const chip = at('bind')
  chip.className = `chip ${bound.length ? 'good' : 'bad'}`
  const names = [...new Set(bound.map((bind) => bind.systemId))].join(', ')
  const count = bound.length > 1 ? `${bound.length} binds` : bound[0]?.mode
  chip.textContent = bound.length ? `${names} bound · ${count}` : 'No ESME is bound'
  document.querySelector('.signal').classList.toggle('on', bound.length > 0)
}

function tick() {
  const time = new Date().toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })
  at('clock').textContent = time
  at('big-clock').textContent = time
}

function startPeople() {
  const fresh = () => `6757${String(Math.floor(Math.random() * 1e7)).padStart(7, '0')}`
  for (const person of [...PEOPLE, { name: 'New number', msisdn: 'new' }]) {
    const button = make('button', '', person.name)
    button.type = 'button'
    button.dataset.msisdn = person.msisdn
    button.append(make('small', '', person.msisdn === 'new' ? 'nobody knows it' : person.msisdn))
    button.addEventListener('click', () => use(person.msisdn === 'new' ? fresh() : person.msisdn))
    at('people').append(button)
  }
  at('number-form').addEventListener('submit', (event) => {
    event.preventDefault()
    void use(at('number').value.trim())
  })
}

function start() {
  startPeople()
  startTrace()
  startFaults()
  for (const key of document.querySelectorAll('.key')) key.addEventListener('click', () => press(key.dataset.key))
  for (const button of document.querySelectorAll('[data-dial]'))
    button.addEventListener('click', () => dial(button.dataset.dial))
  document.querySelector('[data-network]').addEventListener('click', async () => {
    state.mode = 'home'
    state.attempt++
    show(await call('POST', phonePath('/time-out'), {}))
  })
  at('answer-form').addEventListener('submit', (event) => {
    event.preventDefault()
    if (state.mode !== 'screen' || !state.view.screen.open) return void cancel()
    void tell('/answer', { text: at('answer').value })
    at('answer').value = ''
  })
  at('cancel').addEventListener('click', () => void cancel())
  document.addEventListener('keydown', onKeyboard)
  events({
    hello: ({ binds, dialect, faults, trace, talks }) => {
      showBinds(binds)
      at('dialect').textContent = `dialect ${dialect}`
      at('talk').hidden = !talks
      showFaults({ faults, binds })
      for (const pdu of trace) showTrace(pdu)
      // It may be another simulator, which counts its views anew.
      if (state.view) state.view.serial = 0
      void use(state.msisdn || /^#(\d{3,15})$/.exec(location.hash)?.[1] || PEOPLE[0].msisdn)
    },
    binds: (binds) => (showBinds(binds), showFaults({ binds })),
    phone: show,
    pdu: showTrace,
    faults: (faults) => showFaults({ faults }),
    lost: (why) => {
      at('bind').className = 'chip bad'
      at('bind').textContent = /token/.test(why)
        ? 'Open the address with the token, as the simulator printed it'
        : 'The simulator does not answer'
    },
  })
  tick()
  setInterval(tick, 5000)
}

void enter()
  .catch(() => undefined)
  .then(start)
