/** Begins the traffic, and says how long it goes on. */
const [button, left] = [document.getElementById('traffic'), document.getElementById('left')]
let until = 0

function tell() {
  const seconds = Math.max(0, Math.round((until - Date.now()) / 1000))
  left.textContent = seconds > 0 ? `40 phones dial: ${seconds} s` : ''
  button.disabled = seconds > 0
}

button.addEventListener('click', async () => {
  const answer = await fetch('/demo/traffic', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  })
  until = (await answer.json()).trafficUntilMs
  tell()
})
setInterval(tell, 1000)
const state = await (await fetch('/demo/state')).json()
until = state.trafficUntilMs
tell()
// The daemon was still starting when this page was made.
if (document.querySelector('iframe[title=Desk]').src === 'about:blank') setTimeout(() => location.reload(), 1500)
