/** A browser without a window: it keeps cookies, does not follow redirects, and fills in the forms of pages. */

/** All pages that need no other address than that of the sample. */
export const DESK_PAGES = [
  '/desk',
  '/desk/lines',
  '/desk/lines/test',
  '/desk/number',
  '/desk/services',
  '/desk/services/dental',
  '/desk/sms',
  '/desk/sms?state=due',
  '/desk/releases',
  '/desk/releases/dental',
  '/desk/trace?line=test&last=20',
  '/desk/alarms',
  '/desk/settings',
]

export interface DeskBrowser {
  get(path: string): Promise<Response>
  text(path: string): Promise<string>
  post(path: string, fields: Record<string, string>, headers?: Record<string, string>): Promise<Response>
  /** Sends the form of a page, with its hidden secret. */
  submit(page: string, action: string, fields: Record<string, string>): Promise<Response>
  enter(token: string): Promise<DeskBrowser>
  /** The cookies of another one. */
  with(other: DeskBrowser): DeskBrowser
  cookies: Map<string, string>
  stream(path: string): Promise<{ next(): Promise<{ event: string; data: string }>; stop(): void }>
}

export function browserOf(url: string, own: Record<string, string> = {}): DeskBrowser {
  const cookies = new Map<string, string>()

  async function ask(path: string, init: RequestInit = {}): Promise<Response> {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const headers = { accept: 'text/html', ...own, ...(cookie ? { cookie } : {}), ...(init.headers as object) }
    const answer = await fetch(`${url}${path}`, { ...init, headers, redirect: 'manual' })
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!
      if (value === '') cookies.delete(name!)
      else cookies.set(name!, value!)
    }
    return answer
  }

  const browser: DeskBrowser = {
    cookies,
    get: (path) => ask(path),
    text: async (path) => (await ask(path)).text(),
    post: (path, fields, headers = {}) => ask(path, { method: 'POST', body: new URLSearchParams(fields), headers }),
    async submit(page, action, fields) {
      const form = /name="form" value="([\w-]+)"/.exec(await browser.text(page))?.[1] ?? ''
      return browser.post(action, { form, ...fields })
    },
    async enter(token) {
      const done = await browser.post('/desk/enter', { token })
      if (done.status !== 303) throw new Error(`${done.status}: ${await done.text()}`)
      return browser
    },
    with(other) {
      for (const [name, value] of other.cookies) cookies.set(name, value)
      return browser
    },
    async stream(path) {
      const stopping = new AbortController()
      const answer = await ask(path, { signal: stopping.signal })
      const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader()
      let text = ''
      return {
        async next() {
          while (!text.includes('\n\n')) {
            const { value, done } = await reader.read()
            if (done) throw new Error('the stream has ended')
            text += value
          }
          const event = text.slice(0, text.indexOf('\n\n'))
          text = text.slice(event.length + 2)
          const field = (name: string) => new RegExp(`^${name}: ?(.*)$`, 'm').exec(event)?.[1] ?? ''
          return { event: field('event'), data: field('data') }
        },
        stop: () => stopping.abort(),
      }
    },
  }
  return browser
}
