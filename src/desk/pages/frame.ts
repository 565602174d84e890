/** What stands around each page: its head, the way to other pages, and who is signed in. */
import { findingsOf, type FleetFinding, type Judged } from '../../fleet/index.ts'
import { DESK_LANGUAGES, type Words } from '../words/index.ts'
import { type DeskRole, may, type Visitor } from '../visitor.ts'
import { ageSaid, clockOfZone, html, type Markup, raw, type Saying } from './kit.ts'

export interface Framed extends Saying {
  visitor: Visitor
  /** The name of the daemon that answers. */
  daemon: string
  version: string
}

const NAV: readonly [key: keyof Words['nav'], path: string, role: DeskRole][] = [
  ['overview', '/desk', 'read'],
  ['lines', '/desk/lines', 'read'],
  ['number', '/desk/number', 'support'],
  ['services', '/desk/services', 'read'],
  ['sms', '/desk/sms', 'read'],
  ['releases', '/desk/releases', 'read'],
  ['trace', '/desk/trace', 'trace'],
  ['alarms', '/desk/alarms', 'read'],
  ['settings', '/desk/settings', 'operate'],
]

/** A page of somebody who is in. `live`: its path for the stream; absent: it stands still. */
export interface PageText {
  title: string
  nav: keyof Words['nav']
  live?: string
  /** Of the whole fleet. */
  instances: readonly Judged[]
  body: Markup | Markup[]
}

export function page(framed: Framed, { title, nav, live, instances, body }: PageText): Markup {
  const { words, visitor, nowMs, zone, daemon, version } = framed
  const link = ([key, path]: (typeof NAV)[number]) =>
    html`<a href="${path}" ${key === nav ? raw('aria-current="page"') : ''}>${words.nav[key]}</a>`
  return document_(
    framed,
    title,
    live,
    html` <a class="skip" href="#main">${words.frame.skip}</a>
      <header class="bar">
        <a class="brand" href="/desk">ussd-connector</a>
        <div data-live="verdict" role="status">${verdict(framed, instances)}</div>
        <p class="clock" title="${zone}">
          <span id="clock" data-zone="${zone}">${clockOfZone(nowMs, zone)}</span>
          <span class="utc" id="utc">${clockOfZone(nowMs, 'UTC')}Z</span>
        </p>
        <p class="who" title="${visitor.roles.join(', ')} · ${daemon} ${version}">
          ${visitor.by === 'machine' ? words.frame.here : visitor.name}
        </p>
        ${languages(words)}
        <form method="post" action="/desk/leave">
          <input type="hidden" name="form" value="${visitor.secret}" /><button type="submit">
            ${words.frame.signOut}
          </button>
        </form>
      </header>
      <p id="stale" class="stale" role="status" data-left="${words.frame.left}" hidden>${words.frame.stale}</p>
      <div class="columns">
        <nav aria-label="${words.frame.pages}">${NAV.filter(([, , role]) => may(visitor, role)).map(link)}</nav>
        <main id="main" tabindex="-1">
          <h1>${title}</h1>
          ${body}
        </main>
      </div>`,
  )
}

/** A page of somebody who is not in, or for whom something went wrong. */
export function plainPage(saying: Saying, title: string, body: Markup | Markup[]): Markup {
  return document_(
    saying,
    title,
    undefined,
    html` <header class="bar"><a class="brand" href="/desk">ussd-connector</a>${languages(saying.words)}</header>
      <main id="main" class="plain">
        <div class="card">
          <h1>${title}</h1>
          ${body}
        </div>
      </main>`,
  )
}

function document_({ words }: Saying, title: string, live: string | undefined, body: Markup): Markup {
  return html`<!doctype html>
    <html lang="${words.language}" ${live === undefined ? '' : html`data-stream="${live}"`}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} · ussd-connector</title>
        <link rel="icon" href="/desk/files/desk.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="/desk/files/look.css" />
        <link rel="stylesheet" href="/desk/files/desk.css" />
        <script type="module" src="/desk/files/desk.js"></script>
        ${live === undefined ? '' : raw('<noscript><meta http-equiv="refresh" content="30"></noscript>')}
      </head>
      <body>
        ${body}
      </body>
    </html>`
}

function languages(words: Words): Markup {
  const one = ([code, name]: (typeof DESK_LANGUAGES)[number]) =>
    html`<a
      href="?lang=${code}"
      lang="${code}"
      hreflang="${code}"
      title="${name}"
      ${code === words.language ? raw('aria-current="true"') : ''}
      >${code.toUpperCase()}</a
    >`
  return html`<p class="languages" role="group" aria-label="${words.frame.language}">${DESK_LANGUAGES.map(one)}</p>`
}

export function verdict({ words }: Saying, instances: readonly Judged[]): Markup {
  const found = findingsOf(instances)
  const is = found.length === 0 ? 'well' : found[0]!.severity
  const tone = { well: 'good', warning: 'warn', critical: 'bad' }[is]
  const more = found.length > 1 ? ` · +${found.length - 1}` : ''
  const first = found[0] ? `: ${findingSaid(found[0], words)}${more}` : ''
  return html`<a class="chip ${tone}" href="/desk#wrong">${words.verdict[is]}<span class="first">${first}</span></a>`
}

export function findingSaid(found: FleetFinding, { finding: words }: Words): string {
  switch (found.is) {
    case 'nobody-ready':
      return words.nobodyReady
    case 'line-down':
      return words.lineDown(found.line)
    case 'alarm':
      return words.alarm(found.alarm, found.subject, found.daemon)
    case 'gone':
      return words.gone(found.daemon, ageSaid(found.ageMs))
    case 'not-ready':
      return words.notReady(found.daemon)
    case 'bind-down':
      return words.bindDown(found.bind, found.daemon)
    case 'flow-file':
      return words.flowFile(found.flow, found.daemon)
    case 'line-held':
      return words.lineHeld(found.line, found.daemon)
    case 'versions-differ':
      return words.versions(found.versions.join(', '))
  }
}
