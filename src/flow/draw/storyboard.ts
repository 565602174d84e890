/** A flow as pictures: every page as a handset shows it, in each language, with where each key leads. One HTML file. */
import { alphabetOf, count, USSD_PAGE } from '../../ussd/index.ts'
import type { Compilation } from '../load/index.ts'
import { escapeMarkup as escape } from './markup.ts'
import { type Exploration, explore, type ExploredPage, pagesFrom } from '../explore/index.ts'

/** HTML that is complete in itself: it loads no script, font or image. */
export function storyboard(compilation: Compilation): string {
  const { definition, flow } = compilation
  const boards = definition.languages.map((language) => explore(compilation, { language }))
  const pages = boards.flatMap(toScreens)
  const seen = [...new Set(pages.map((page) => page.screen))]
  const screens = [...seen.filter((screen) => !isBuiltIn(screen)), ...seen.filter(isBuiltIn)]
  const sections = screens.map((screen) => {
    // Grouped by the language of each page: a subscriber may change the language on the way.
    const phones = definition.languages.map((language) =>
      distinct(pages.filter((page) => page.screen === screen && page.context.language === language)),
    )
    const row = phones.some(({ length }) => length > 1) ? 'row wide' : 'row'
    const rows = definition.languages.map(
      (language, i) =>
        `<div class="${row}" lang="${escape(language)}">${phones[i]!.map((page) => phone(page, language)).join('\n')}</div>`,
    )
    return `<section id="${escape(screen)}"><h2>${escape(screen)}</h2>\n${rows.join('\n')}</section>`
  })
  const index = screens.map((screen) => `<a href="#${escape(screen)}">${escape(screen)}</a>`).join(' ')
  const languages = definition.languages.map(escape).join(', ')
  const cut = boards.some((board) => board.isCut) ? '<p class="over">There are more pages than are shown.</p>' : ''
  return [
    `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>${escape(definition.flow)}</title>`,
    `<meta name="viewport" content="width=device-width"><style>${STYLE}</style></head><body>`,
    `<h1>${escape(definition.flow)} <small>${escape(flow.revision)} · ${languages}</small></h1>`,
    `<p>Drawn with synthetic data. A key leads to the screen next to it. The count is that of one page.</p>${cut}`,
    `<nav>${index}</nav>`,
    ...sections,
    '</body></html>\n',
  ].join('\n')
}

/** A built-in screen such as `_busy`. */
const isBuiltIn = (screen: string) => screen.startsWith('_')

interface Shown extends ExploredPage {
  /** What is pressed → the screens that it leads to. */
  leads: Map<string, Set<string>>
}

function toScreens({ pages }: Exploration): Shown[] {
  return pages.map((page) => {
    const led = page.edges.filter(({ isRefused, isFault }) => !isRefused && !isFault)
    const leads = led.map((edge): [string, Set<string>] => [
      edge.told,
      new Set(pagesFrom(edge).map(({ screen }) => screen)),
    ])
    return { ...page, leads: new Map(leads) }
  })
}

/** Pages with the same text become one picture, with the ways of all of them. */
function distinct(pages: readonly Shown[]): Shown[] {
  const found = new Map<string, Shown>()
  for (const page of pages) {
    const known = found.get(page.want.text)
    if (!known) found.set(page.want.text, page)
    else
      for (const [answer, to] of page.leads)
        known.leads.set(answer, new Set([...(known.leads.get(answer) ?? []), ...to]))
  }
  return [...found.values()]
}

function phone(page: Shown, language: string): string {
  const { text } = page.want
  const alphabet = alphabetOf(text)
  const max = alphabet === 'gsm7' ? USSD_PAGE.septets : USSD_PAGE.ucs2
  const units = count(text, alphabet)
  const name = alphabet === 'gsm7' ? 'septets' : 'UCS-2 characters'
  const much = units > max ? ' class="over"' : ''
  const kinds = { ask: '', notify: ' · told', end: ' · end' }
  return [
    `<figure><pre>${escape(text)}</pre>`,
    `<figcaption><b${much}>${units} of ${max} ${name}</b> · ${escape(language)}${kinds[page.want.do]}`,
    `<span class="way">${escape(page.trail.join(' › '))}</span>`,
    `<ul>${ways(page)}</ul></figcaption></figure>`,
  ].join('\n')
}

/** Consecutive numbers that lead to the same screens become one line. */
function ways({ leads }: Shown): string {
  const rows: { from: string; until: string; to: string }[] = []
  for (const [answer, screens] of [...leads].toSorted(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))) {
    const to = [...screens].map(link).join(', ')
    const last = rows.at(-1)
    if (last?.to === to && /^[1-9]\d*$/.test(answer) && Number(last.until) + 1 === Number(answer)) last.until = answer
    else rows.push({ from: answer, until: answer, to })
  }
  const key = (answer: string) => `<kbd>${escape(answer)}</kbd>`
  return rows.map(({ from, until, to }) => `<li>${[...new Set([from, until])].map(key).join('–')} ${to}</li>`).join('')
}

function link(screen: string): string {
  return `<a href="#${escape(screen)}">${escape(screen)}</a>`
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1d2433; --paper: #fff; --soft: #eef1f6; --line: #c9d1de; --key: #0b5fa5; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9f0; --paper: #14181f; --soft: #1f2530; --line: #3a4353; --key: #7db8ee; } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem; }
h1 small { font-weight: normal; font-size: .55em; opacity: .7; } h2 { font-size: 1.1rem; margin: 2rem 0 -.5rem; }
nav { line-height: 1.9; } nav a { white-space: nowrap; } a { color: var(--key); } :target h2 { text-decoration: underline; }
section { display: flex; flex-wrap: wrap; gap: 1rem; align-items: flex-start; } h2 { width: 100%; } .row { display: contents; }
.wide { display: flex; flex-wrap: wrap; gap: 1rem; width: 100%; align-items: flex-start; }
figure { margin: 0; width: 17rem; border: 1px solid var(--line); border-radius: 1.2rem; padding: .8rem; background: var(--soft); }
pre { font: 14px/1.35 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; min-height: 8rem; margin: 0 0 .6rem;
  padding: .7rem; border-radius: .6rem; background: #d7e3c7; color: #1b2412; }
figcaption { font-size: .8rem; } .way { display: block; opacity: .7; overflow-wrap: anywhere; }
ul { list-style: none; padding: 0; margin: .4rem 0 0; } kbd { border: 1px solid var(--line); border-radius: .25rem; padding: 0 .3rem; }
.over { color: #c0281c; font-weight: bold; }
@media print { figure { break-inside: avoid; } }`
