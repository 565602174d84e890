/** Talks to the simulator: JSON requests, and one stream of events. */

/** The answer's JSON; throws with the simulator's own words. */
export async function call(method, path, body) {
  const response = await fetch(path, {
    method,
    headers: body === undefined ? {} : { 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  })
  const answer = await response.json().catch(() => ({}))
  if (!response.ok) throw new Error(answer.error ?? `HTTP ${response.status}`)
  return answer
}

/** Calls the handler named by each event; the browser connects again by itself, and then says hello again. */
export function events(handlers) {
  const source = new EventSource('/api/events')
  for (const name of ['hello', 'binds', 'phone', 'pdu', 'faults']) {
    source.addEventListener(name, (event) => handlers[name](JSON.parse(event.data)))
  }
  source.addEventListener('error', () => handlers.lost())
}
