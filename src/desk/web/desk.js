/** Puts the parts of a page anew as the daemon sends them. Without this script the pages work, and are loaded again. */
const stream = document.documentElement.dataset.stream
const stale = document.getElementById('stale')

function put(name, text) {
  const part = document.querySelector(`[data-live="${CSS.escape(name)}"]`)
  if (!part) return
  const focused = part.contains(document.activeElement) ? document.activeElement.id : ''
  // Our own server escaped what came from outside.
  part.innerHTML = text
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true })
}

function follow() {
  const source = new EventSource(stream)
  source.addEventListener('parts', ({ data }) => {
    stale.hidden = true
    for (const [name, text] of Object.entries(JSON.parse(data))) put(name, text)
  })
  source.addEventListener('left', () => {
    source.close()
    stale.textContent = stale.dataset.left
    stale.hidden = false
  })
  source.addEventListener('error', () => {
    stale.hidden = false
    // A refusal ends the stream for good: the browser does not try again by itself.
    if (source.readyState === EventSource.CLOSED) setTimeout(follow, 3000)
  })
}

function tick() {
  const [local, utc] = [document.getElementById('clock'), document.getElementById('utc')]
  const said = (timeZone) => new Date().toLocaleTimeString('en-GB', { timeZone })
  local.textContent = said(local.dataset.zone)
  utc.textContent = `${said('UTC')}Z`
}

if (stream) follow()
if (document.getElementById('clock')) setInterval(tick, 1000)

// A link to copy into a ticket, whole. Browsers let pages copy behind TLS and on this machine only.
for (const button of navigator.clipboard ? document.querySelectorAll('[data-copies]') : []) {
  button.hidden = false
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).href)
    button.textContent = button.dataset.done
  })
}

// Escape closes what is open.
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape') return
  const open = document.activeElement?.closest('details[open]')
  if (!open) return
  open.open = false
  open.querySelector('summary').focus()
})
