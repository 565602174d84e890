/** Talks to the simulator: JSON requests, and one stream of events. */

/** The answer's JSON; throws with the simulator's own words, and the answer beside them. */
export async function call(method, path, body) {
  const response = await fetch(path, {
    method,
    headers: body === undefined ? {} : { 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  })
  const answer = await response.json().catch(() => ({}))
  if (!response.ok) throw Object.assign(new Error(answer.error ?? `HTTP ${response.status}`), { answer })
  return answer
}

/** Where the address has a token behind the #: given for a cookie, and taken out of the address. */
export async function enter() {
  const token = /^#token=([\w-]+)$/.exec(location.hash)?.[1]
  if (token === undefined) return
  history.replaceState(null, '', location.pathname)
  await call('POST', '/enter', { token })
}

/**
 * Calls the handler named by each event; the browser connects again by itself, and then says hello again. `lost`: the
 * stream broke, and why, if `probe` says it.
 */
export function events({ lost, ...handlers }, probe) {
  const source = new EventSource('/api/events')
  for (const [name, handle] of Object.entries(handlers)) {
    source.addEventListener(name, (event) => handle(JSON.parse(event.data)))
  }
  source.addEventListener('error', async () => {
    const why = await call('GET', probe).then(
      () => undefined,
      (error) => error.message,
    )
    lost(why)
  })
}
