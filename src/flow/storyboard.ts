/** A flow as pictures: every page as a handset shows it, in each language, with where each key leads. One HTML file. */
import { alphabetOf, count } from '../ussd/text.ts'
import { USSD_PAGE } from '../ussd/types.ts'
import type { Compilation } from './compile.ts'
import { escapeMarkup as escape } from './markup.ts'
import { walkFlow, type WalkedPage } from './walk.ts'

/** HTML that needs nothing else: no script, no font, no picture from anywhere. */
export function storyboard(compilation: Compilation): string {
  const { definition, flow } = compilation
  const boards = definition.languages.map((language) => ({ language, ...walkFlow(compilation, language) }))
  const screens = [...new Set(boards.flatMap(({ pages }) => pages.map((page) => page.screen)))]
  const sections = screens.map((screen) => {
    const rows = boards.map(({ language, pages }) => {
      const phones = distinct(pages.filter((page) => page.screen === screen))
      const pictures = phones.map((page) => phone(page, language, pages)).join('\n')
      return `<div class="row" lang="${escape(language)}">${pictures}</div>`
    })
    return `<section id="${escape(screen)}"><h2>${escape(screen)}</h2>\n${rows.join('\n')}</section>`
  })
  const index = screens.map((screen) => `<a href="#${escape(screen)}">${escape(screen)}</a>`).join(' ')
  const languages = definition.languages.map(escape).join(', ')
  const cut = boards.some((board) => board.cut) ? '<p class="over">There are more pages than are shown.</p>' : ''
  return [
    `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>${escape(definition.flow)}</title>`,
    `<meta name="viewport" content="width=device-width"><style>${STYLE}</style></head><body>`,
    `<h1>${escape(definition.flow)} <small>${escape(flow.revision)} · ${languages}</small></h1>`,
    `<p>Walked with made-up data. A key leads to the screen beside it; the count is that of one page.</p>${cut}`,
    `<nav>${index}</nav>`,
    ...sections,
    '</body></html>\n',
  ].join('\n')
}

/** Pages that read alike are one picture, with the ways of all of them. */
function distinct(pages: readonly WalkedPage[]): WalkedPage[] {
  const found = new Map<string, WalkedPage>()
  for (const page of pages) {
    const known = found.get(page.want.text)
    found.set(page.want.text, known ? { ...known, leads: [...known.leads, ...page.leads] } : page)
  }
  return [...found.values()]
}

function phone(page: WalkedPage, language: string, pages: readonly WalkedPage[]): string {
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
    `<ul>${ways(page, pages)}</ul></figcaption></figure>`,
  ].join('\n')
}

function ways({ leads }: WalkedPage, pages: readonly WalkedPage[]): string {
  const screenOf = new Map(pages.map((page) => [page.id, page.screen]))
  const by = new Map<string, Set<string>>()
  for (const { answer, to } of leads) {
    const screens = by.get(answer) ?? new Set<string>()
    by.set(answer, screens.add(screenOf.get(to) ?? to))
  }
  const sorted = [...by].toSorted(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))
  const way = (answer: string, to: ReadonlySet<string>) =>
    `<li><kbd>${escape(answer)}</kbd> ${[...to].map(link).join(', ')}</li>`
  return sorted.map(([answer, to]) => way(answer, to)).join('')
}

function link(screen: string): string {
  return `<a href="#${escape(screen)}">${escape(screen)}</a>`
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1d2433; --paper: #fff; --soft: #eef1f6; --line: #c9d1de; --key: #0b5fa5; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9f0; --paper: #14181f; --soft: #1f2530; --line: #3a4353; --key: #7db8ee; } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem; }
h1 small { font-weight: normal; font-size: .55em; opacity: .7; } h2 { font-size: 1.1rem; margin: 2rem 0 -.5rem; }
nav { line-height: 1.9; } a { color: var(--key); } :target h2 { text-decoration: underline; }
section { display: flex; flex-wrap: wrap; gap: 1rem; align-items: flex-start; } h2 { width: 100%; } .row { display: contents; }
figure { margin: 0; width: 17rem; border: 1px solid var(--line); border-radius: 1.2rem; padding: .8rem; background: var(--soft); }
pre { font: 14px/1.35 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; min-height: 8rem; margin: 0 0 .6rem;
  padding: .7rem; border-radius: .6rem; background: #d7e3c7; color: #1b2412; }
figcaption { font-size: .8rem; } .way { display: block; opacity: .7; overflow-wrap: anywhere; }
ul { list-style: none; padding: 0; margin: .4rem 0 0; } kbd { border: 1px solid var(--line); border-radius: .25rem; padding: 0 .3rem; }
.over { color: #c0281c; font-weight: bold; }
@media print { figure { break-inside: avoid; } }`
