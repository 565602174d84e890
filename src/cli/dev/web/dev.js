/** The page of a flow's designer: one state of the server, shown; what is pressed goes to the server. */
import { make } from './dom.js'
import { startHandset } from './handset.js'
import { showInbox } from './inbox.js'
import { call, events } from './link.js'
import { showPicture } from './picture.js'

const at = (id) => document.getElementById(id)
const page = { serial: 0, state: undefined, seenSms: 0, parts: new Map() }
const handset = startHandset({
  dial: (code) => void dial(code),
  answer: (text) => void tell('/api/answer', { text }, 'busy'),
  cancel: (isOpen) => void tell(isOpen || page.state?.phone.waiting ? '/api/hang-up' : '/api/dismiss', {}),
})

function dial(code) {
  page.seenSms = page.state?.phone.inbox.length ?? 0
  handset.put('home', '')
  return tell('/api/dial', { code }, 'busy')
}

async function tell(path, body, mode = 'home') {
  handset.put(mode)
  try {
    show(await call('POST', path, body))
  } catch (error) {
    if (page.state) handset.show({ ...page.state.phone, screen: null, waiting: false, failed: error.message })
  }
}

/** The answer to a press may come after what followed it. */
function show(state) {
  if (state.serial < page.serial) return
  const before = page.state
  Object.assign(page, { serial: state.serial, state })
  const { phone, dialogue } = state
  handset.show(phone)
  showInbox(phone.inbox, page.seenSms)
  if (before && phone.inbox.length > before.phone.inbox.length) handset.toast(phone.inbox.at(-1).text)
  const flow = state.flows.find(({ name }) => name === state.current)
  showBar(state)
  anew('flows', [state.flows, state.current, state.folderProblem], () => showFlows(state))
  anew('phone', [phone.msisdn, phone.language, phone.hasDialled, flow?.languages], () => showNumber(phone, flow))
  anew('screen', [phone.screen, phone.said, phone.waiting, dialogue], () => showScreen(phone, dialogue))
  anew('problems', [state.settings, state.flows], () => showProblems(state, flow))
  anew('operations', [state.current, state.operations], () => showOperations(state))
  anew('calls', state.calls, () => showCalls(state.calls))
  void showPicture({
    flow: state.current,
    revision: flow?.revision,
    screen: dialogue?.screen,
    visited: dialogue?.visited ?? [],
  })
}

/** Only what is different is made again: a list that is being read keeps its place, a choice stays open. */
function anew(part, of, make) {
  const text = JSON.stringify(of)
  if (page.parts.get(part) === text) return
  page.parts.set(part, text)
  make()
}

const counted = (n, thing) => `${n} ${thing}${n === 1 ? '' : 's'}`

function showBar({ flows, folder, folderProblem, backends, settings }) {
  const errors = flows.reduce((sum, one) => sum + one.errors, settings.length)
  const warnings = flows.reduce((sum, one) => sum + one.warnings, 0)
  const isChecking = flows.some((one) => one.isChecking)
  const said = [errors && counted(errors, 'error'), warnings && counted(warnings, 'warning')].filter(Boolean).join(', ')
  at('state').className = `chip ${errors || folderProblem ? 'bad' : isChecking ? 'busy' : 'good'}`
  at('state').textContent = (said || (isChecking ? 'checking …' : 'good')) + (said && isChecking ? ', checking …' : '')
  at('folder').textContent = folder
  at('backends').textContent = backends.text
  document.querySelector('.signal').classList.toggle('on', flows.length > 0)
  at('network').textContent = 'Designer'
}

function showFlows({ flows, current, folder, folderProblem }) {
  at('flows').replaceChildren(...flows.map((one) => flowButton(one, one.name === current)))
  at('flows-empty').hidden = flows.length > 0
  at('flows-empty').textContent =
    folderProblem ?? `There is no flow in ${folder} yet. Make one: ussd-connector flow new NAME --dir ${folder}`
}

function flowButton({ name, code, is, errors, warnings, isChecking }, isCurrent) {
  const button = make('button')
  button.type = 'button'
  button.setAttribute('aria-current', String(isCurrent))
  const count = errors ? counted(errors, 'error') : warnings ? counted(warnings, 'warning') : isChecking ? '…' : 'good'
  const said = is === 'gone' ? 'file is gone' : count
  button.append(make('span', 'code', code), make('span', '', name), make('span', `count${errors ? ' bad' : ''}`, said))
  button.addEventListener('click', () => void dial(code))
  return button
}

function showNumber({ msisdn, language, hasDialled }, flow) {
  at('whose').textContent = msisdn
  at('talk').hidden = !hasDialled
  if (document.activeElement !== at('number')) at('number').value = msisdn
  const options = ['', ...(flow?.languages ?? [])].map((code) => {
    const option = make('option', '', code || 'first of the flow')
    option.value = code
    return option
  })
  at('language').replaceChildren(...options)
  at('language').value = (flow?.languages ?? []).includes(language) ? language : ''
}

function showScreen({ screen, said, waiting }, dialogue) {
  at('said').hidden = said === ''
  at('said').textContent = said
  const where = at('where')
  where.replaceChildren()
  if (dialogue) where.append(make('b', '', dialogue.screen), ` of ${dialogue.revision}`)
  else where.append(waiting ? 'A back end is asked.' : 'Nothing is dialled.')
  if (screen?.ended) where.append(`, ended: ${screen.ended}`)
  if (screen?.isSecret) where.append(make('span', 'tag', 'secret'))
  at('length').hidden = at('meter').hidden = !screen
  if (screen) showLength(screen)
  const rows = dialogue?.values ?? []
  at('values').replaceChildren(...rows.flatMap(({ name, value }) => [make('dt', '', name), make('dd', '', value)]))
}

function showLength({ units, most, alphabet, forcedBy, over }) {
  const unit = alphabet === 'gsm7' ? 'septets' : 'UCS-2 units'
  const why = forcedBy === '' ? '' : `; UCS-2 because of “${forcedBy}”`
  at('length').textContent = `${units} of ${most} ${unit}${why}${over ? ': too long for one USSD string' : ''}`
  at('length').classList.toggle('over', over)
  Object.assign(at('meter'), { max: most, high: most * 0.9, optimum: 0, value: units })
}

function showProblems({ flows, settings }, current) {
  // Those of the flow that is played come first.
  const order = flows.toSorted((a, b) => Number(b === current) - Number(a === current))
  const all = [...settings, ...order.flatMap(({ problems }) => problems)]
  const left = flows.reduce((sum, one) => sum + one.errors + one.warnings - one.problems.length, 0)
  const rows = all.toSorted((a, b) => Number(b.severity === 'error') - Number(a.severity === 'error')).map(problemRow)
  if (left > 0) rows.push(make('li', '', `and ${left} more: ussd-connector check lists them`))
  at('problems').replaceChildren(...rows)
  at('problems-empty').hidden = rows.length > 0
  at('walked').textContent = current?.isChecking ? 'checking …' : (current?.walked ?? '')
}

function problemRow({ severity, rule, place, what, remedy, excerpt, shown }) {
  const row = make('li', severity)
  const head = make('div', 'place')
  head.append(make('b', '', severity), ` ${place}${rule ? ` [${rule}]` : ''}`)
  row.append(head, make('div', '', what))
  if (remedy) row.append(make('div', 'remedy', `→ ${remedy}`))
  if (shown) row.append(make('div', 'keys', shown))
  if (excerpt) row.append(make('pre', '', excerpt))
  return row
}

function showOperations({ operations, current }) {
  at('operations-empty').hidden = operations.length > 0
  at('operations').replaceChildren(
    ...operations.map(({ operation, changes, chosen, options }) => {
      const label = make('label')
      const name = make('span', 'name', operation)
      if (changes) name.append(make('span', 'tag changes', 'changes'))
      const select = make('select')
      for (const { id, shown } of options) {
        const option = make('option', '', shown)
        option.value = id
        select.append(option)
      }
      select.value = chosen
      select.addEventListener('change', () =>
        call('POST', '/api/choose', { flow: current, operation, id: select.value }).then(show),
      )
      label.append(name, select)
      return label
    }),
  )
}

function showCalls(calls) {
  at('calls-empty').hidden = calls.length > 0
  at('calls').replaceChildren(
    ...calls.map(({ operation, args, changes, by, outcome, ms, note }) => {
      const row = make('li')
      const head = make('div')
      head.append(make('code', '', `${operation} ${args}`), make('span', `tag ${by}`, by))
      if (changes) head.append(make('span', 'tag changes', 'changes'))
      row.append(head, make('code', '', `→ ${outcome}${by === 'real' ? `  ${ms} ms` : ''}`))
      if (note) row.append(make('div', 'note', note))
      return row
    }),
  )
}

function usePhone() {
  if (!at('number-form').reportValidity()) return
  void call('POST', '/api/phone', { msisdn: at('number').value.trim(), language: at('language').value }).then(show)
}

at('number-form').addEventListener('submit', (event) => {
  event.preventDefault()
  usePhone()
})
at('number').addEventListener('change', usePhone)
at('language').addEventListener('change', usePhone)
at('lose').addEventListener('click', () => void tell('/api/lose', {}))
events(
  {
    // It may be another server, which counts its states again.
    state: (state) => {
      if (page.isLost) page.serial = 0
      page.isLost = false
      show(state)
    },
    lost: () => {
      page.isLost = true
      at('state').className = 'chip bad'
      at('state').textContent = 'ussd-connector dev does not answer'
    },
  },
  '/api/state',
)
