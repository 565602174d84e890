/** The page of the simulated phone: what is pressed goes to the simulator, what happens there is shown here. */
import { make } from './dom.js'
import { startHandset } from './handset.js'
import { showInbox } from './inbox.js'
import { call, enter, events } from './link.js'
import { showTrace, startTrace } from './trace.js'
import { showFaults, startFaults } from './faults.js'

const PEOPLE = [
  { name: 'John', msisdn: '67570000001' },
  { name: 'Mary', msisdn: '67570000002' },
  { name: 'Kila', msisdn: '67570000003', note: 'in Tok Pisin' },
]

const at = (id) => document.getElementById(id)
const state = { msisdn: '', seenSms: new Map(), view: null, attempt: 0 }
const handset = startHandset({ dial: (code) => void dial(code), answer, cancel: (isOpen) => void cancel(isOpen) })

/** @param {string} msisdn */
async function use(msisdn) {
  state.msisdn = msisdn
  history.replaceState(null, '', `#${msisdn}`)
  const person = PEOPLE.find((one) => one.msisdn === msisdn)
  at('talk').href = phonePath('/talk')
  at('whose').textContent = person ? `${person.name} · ${msisdn}` : msisdn
  for (const button of at('people').children) {
    const isNew = button.dataset.msisdn === 'new' && !person
    button.setAttribute('aria-pressed', String(button.dataset.msisdn === msisdn || isNew))
  }
  handset.put('home', '')
  show(await call('GET', phonePath('')))
}

const phonePath = (rest) => `/api/phones/${encodeURIComponent(state.msisdn)}${rest}`

/** Takes the simulator's view of a phone, unless a later one is shown: the answer to a press may come after what followed it. */
function show(view) {
  if (!view || view.msisdn !== state.msisdn) return
  const before = state.view
  if (before?.msisdn === view.msisdn && view.serial < before.serial) return
  state.view = view
  handset.show(view)
  showMessages(view, before)
}

function showMessages({ msisdn, inbox }, before) {
  const isNews = before?.msisdn === msisdn && inbox.length > before.inbox.length
  if (!state.seenSms.has(msisdn)) state.seenSms.set(msisdn, inbox.length)
  showInbox(inbox, state.seenSms.get(msisdn))
  if (isNews) handset.toast(`${inbox.at(-1).from}: ${inbox.at(-1).text}`)
}

async function dial(code) {
  state.seenSms.set(state.msisdn, state.view?.inbox.length ?? 0)
  handset.put('home', '')
  await tell('/dial', { code })
}

function answer(text) {
  void tell('/answer', { text })
}

async function tell(path, body) {
  const attempt = ++state.attempt
  handset.put('busy')
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

async function cancel(isOpen) {
  handset.put('home')
  state.attempt++
  show(await call('POST', phonePath(isOpen || state.view?.waiting ? '/hang-up' : '/dismiss'), {}))
  document.activeElement?.blur?.()
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

function startPeople() {
  const fresh = () => `6757${String(Math.floor(Math.random() * 1e7)).padStart(7, '0')}`
  for (const person of [...PEOPLE, { name: 'New number', msisdn: 'new' }]) {
    const button = make('button', '', person.name)
    button.type = 'button'
    button.dataset.msisdn = person.msisdn
    button.append(make('small', '', person.msisdn === 'new' ? 'nobody knows it' : (person.note ?? person.msisdn)))
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
  for (const button of document.querySelectorAll('[data-dial]'))
    button.addEventListener('click', () => void dial(button.dataset.dial))
  document.querySelector('[data-network]').addEventListener('click', async () => {
    handset.put('home')
    state.attempt++
    show(await call('POST', phonePath('/time-out'), {}))
  })
  const handlers = {
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
  }
  events(handlers, '/api/binds')
}

void enter()
  .catch(() => undefined)
  .then(start)
