/**
 * The handset that every page with a phone shows: its display, its keypad, and the computer's keyboard. What is pressed
 * goes to `on`; what the display shows is given to it.
 */
const at = (id) => document.getElementById(id)

/** How long the same key gives the next letter. */
const SAME_KEY_MS = 1000
const SIGNS = {
  1: ".,?!1'-",
  2: 'abc2',
  3: 'def3',
  4: 'ghi4',
  5: 'jkl5',
  6: 'mno6',
  7: 'pqrs7',
  8: 'tuv8',
  9: 'wxyz9',
  0: ' 0+',
}
const WAYS = { 123: 'abc', abc: 'ABC', ABC: '123' }

const state = {
  mode: 'home',
  dialled: '',
  view: null,
  way: '123',
  last: { key: '', at: 0, sign: 0 },
  toasting: 0,
  shown: '',
}
const on = { dial() {}, answer() {}, cancel() {} }
const isAnswering = () => state.mode === 'screen' && state.view.screen.open

/** @param handlers {dial(code), answer(text), cancel(isOpen)} */
export function startHandset(handlers) {
  Object.assign(on, handlers)
  for (const key of document.querySelectorAll('.key')) {
    key.addEventListener('click', () => press(key.dataset.key, true))
  }
  at('way').addEventListener('click', () => {
    state.way = WAYS[state.way]
    at('way').textContent = state.way
    at('way').setAttribute('aria-label', `Keypad types ${state.way}`)
    at('answer').focus()
  })
  at('answer-form').addEventListener('submit', (event) => {
    event.preventDefault()
    if (!isAnswering()) return on.cancel(false)
    const text = at('answer').value
    at('answer').value = ''
    on.answer(text)
  })
  at('cancel').addEventListener('click', () => on.cancel(isAnswering()))
  document.addEventListener('keydown', onKeyboard)
  tick()
  setInterval(tick, 5000)
  return { show, put, toast }
}

/** Takes the view of a phone: its screen, whether it waits, and why it failed. */
function show(view) {
  state.view = view
  state.mode = view.failed ? 'failed' : view.waiting ? 'busy' : view.screen ? 'screen' : 'home'
  render()
}

/** Before anybody answered: nothing is shown, or that an answer is awaited. */
function put(mode, dialled = state.dialled) {
  Object.assign(state, { mode, dialled })
  render()
}

/** A message, while the display shows no screen. */
function toast(text) {
  at('toast').textContent = `✉ ${text}`
  at('toast').hidden = state.mode !== 'home'
  clearTimeout(state.toasting)
  state.toasting = setTimeout(() => (at('toast').hidden = true), 6000)
}

function render() {
  const { mode, view } = state
  const isOpen = isAnswering()
  at('dialled').textContent = state.dialled
  at('hint').hidden = state.dialled !== ''
  at('popup').hidden = mode === 'home'
  at('busy').hidden = mode !== 'busy'
  at('text').hidden = mode === 'busy'
  at('answer-form').hidden = mode === 'busy'
  at('typed').hidden = !isOpen
  at('send').hidden = !isOpen
  at('cancel').textContent = isOpen ? 'Cancel' : 'OK'
  at('text').classList.toggle('failed', mode === 'failed')
  if (mode === 'screen') at('text').textContent = view.screen.text
  if (mode === 'failed') at('text').textContent = `Connection problem or invalid MMI code.\n\n${view.failed}`
  showMeasure(mode === 'screen' ? view.screen : null)
  // What comes after a press takes the focus. A screen that changes by itself does not: something else may be read.
  if (isOpen && state.shown !== 'screen' && !matchMedia('(pointer: coarse)').matches) at('answer').focus()
  state.shown = mode
  if (mode !== 'screen') at('answer').value = ''
  if (mode !== 'home') at('toast').hidden = true
}

function press(key, isTapped = false) {
  const field = at('answer')
  if (key === 'end') return state.mode === 'home' ? put('home', '') : on.cancel(isAnswering())
  if (key === 'call') {
    if (isAnswering()) return at('answer-form').requestSubmit()
    if (state.mode !== 'home') return on.cancel(false)
    return state.dialled ? on.dial(state.dialled) : undefined
  }
  if (isAnswering()) field.value = key === 'clear' ? field.value.slice(0, -1) : typed(field.value, key, isTapped)
  else if (state.mode === 'home')
    put('home', key === 'clear' ? state.dialled.slice(0, -1) : (state.dialled + key).slice(0, 60))
}

/** With letters, a key that is tapped again within a second gives its next sign, as on a phone with keys. */
function typed(before, key, isTapped) {
  const signs = SIGNS[key]
  if (!isTapped || state.way === '123' || !signs) return before + key
  const now = performance.now()
  const isAgain = state.last.key === key && now - state.last.at < SAME_KEY_MS
  const sign = isAgain ? (state.last.sign + 1) % signs.length : 0
  state.last = { key, at: now, sign }
  const letter = state.way === 'ABC' ? signs[sign].toUpperCase() : signs[sign]
  return (isAgain ? before.slice(0, -1) : before) + letter
}

function onKeyboard(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return
  const { target } = event
  if (target instanceof HTMLSelectElement) return
  if (event.key === 'Escape') return press('end')
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

function showMeasure(screen) {
  const unit = screen?.alphabet === 'ucs2' ? 'UCS-2 units of 80' : 'septets of 182'
  at('measure').textContent = screen
    ? `${screen.units} ${unit} · ${screen.open ? 'answer awaited' : 'dialogue ended'}`
    : ''
  at('measure').classList.toggle('over', Boolean(screen?.over))
  if (screen?.over) at('measure').textContent += ' · too long for one USSD string'
}

function tick() {
  const time = new Date().toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })
  at('clock').textContent = time
  at('big-clock').textContent = time
}
