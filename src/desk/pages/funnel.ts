/** A flow as its own picture, with how many dialogues came to each screen and left there; revisions side by side. */
import type { FunnelTold } from '../../admin/index.ts'
import { besideRest, OTHER_KEYS } from '../../records/index.ts'
import { byCount, ENDED_WELL, endsBar, endsSaid, percentSaid } from './ends.ts'
import { badge, html, type Column, type Markup, raw, type Saying, table } from './kit.ts'
import { pager } from './paging.ts'

export interface FunnelNow extends Saying {
  name: string
  /** Of the picture. */
  revision: string
  /** Complete markup of our own. Undefined: it takes too long, or screens of a plug-in are in it. */
  svg: string | undefined
  /** Undefined: Postgres is unreachable. */
  told: FunnelTold | undefined
  fromMs: number
  untilMs: number
  /** Revisions that may be looked at. */
  revisions: readonly string[]
}

type ToldRevision = FunnelTold['revisions'][number]
type ToldScreen = ToldRevision['screens'][number]

interface Side {
  head: string
  of: ToldRevision
}

const CHOICES_SHOWN = 6
/** One state of the picture that shows something, as `svgOf` writes it: a line. */
const STATE =
  /<g class="state (?:menu|list|input|notify|end|exit)(?: final)?" data-screen="([^"]*)"><title>[^<]*<\/title><rect x="([\d.-]+)" y="([\d.-]+)" width="([\d.]+)" height="([\d.]+)" rx="8"\/>.*(?=<\/g>)/g
/** Of a sign of the font of the picture, and of what is around a text. */
const [SIGN, PAD, HIGH] = [6.6, 10, 16]

export function funnelBody(now: FunnelNow): Markup {
  const { words, name, revision, svg, told, revisions, fromMs, untilMs } = now
  const of = words.services
  const sides = told ? sidesOf(now, told) : []
  const [first] = sides
  const isSame = first !== undefined && first.of.revision === revision
  const option = (one: string) =>
    html`<a
      class="button"
      href="/desk/services/${name}?revision=${one}"
      ${one === revision ? raw('aria-current="true"') : ''}
      ><code>${one}</code></a
    >`
  const paged = { path: `/desk/services/${name}`, fromMs, untilMs, isLater: false, rows: [], next: null }
  return html`<nav class="tabs" aria-label="${words.releases.revisions}">
      ${revisions.map(option)} <a class="button" href="/desk/releases/${name}">${words.nav.releases}</a>
    </nav>
    ${pager({ ...paged, also: { revision } }, now)} ${told ? '' : html`<p class="problem">${words.services.noSums}</p>`}
    ${told && !first ? html`<p class="quiet">${of.nobody}</p>` : ''}
    <div class="sides">${sides.map((side) => sideCard(side, now))}</div>
    ${svg === undefined ? html`<p class="problem">${of.noPicture}</p>` : html`<div class="picture" tabindex="0" role="region" aria-label="${of.picture}">${raw(isSame ? withFunnel(svg, first.of, now) : svg)}</div>`}
    ${isSame ? html`<p class="quiet">${of.legend}</p>` : ''} ${first ? screensTable(sides, now) : ''}`
}

/** The revision of the picture, and the rest beside it. */
function sidesOf({ words, revision }: FunnelNow, { revisions }: FunnelTold): Side[] {
  if (revisions.length === 0) return []
  const { first, rest } = besideRest(revisions, [revision], words.services.others)
  return rest
    ? [
        { head: 'A', of: first },
        { head: 'B', of: rest },
      ]
    : [{ head: '', of: first }]
}

function sideCard({ head, of }: Side, now: FunnelNow): Markup {
  const { words, told } = now
  const ends = byCount(of.ended)
  const is =
    of.revision === told?.canary ? words.releases.trial : of.revision === told?.active ? words.releases.inForce : ''
  return html`<section class="card">
    <h2>${head} <code>${of.revision}</code> ${is === '' ? '' : badge('quiet', is)}</h2>
    <p class="figure">${of.dialogues} <small>${words.number.dialogues}</small></p>
    ${endsBar(ends)}
    <p class="quiet">${endsSaid(ends, now)}</p>
    ${of.cut > 0 ? html`<p class="quiet">${words.services.cut(of.cut)}</p>` : ''}
  </section>`
}

function screensTable(sides: readonly Side[], { words }: FunnelNow): Markup {
  const of = words.services
  const maps = sides.map(({ head, of: one }) => ({
    head,
    one,
    screens: new Map(one.screens.map((it) => [it.screen, it])),
  }))
  const cells: [string, (screen: ToldScreen, one: ToldRevision) => unknown][] = [
    [of.reached, ({ reached }, { dialogues }) => `${reached} · ${percentSaid(reached, dialogues)}`],
    [of.left, leftCell],
    [of.took, (screen) => timeCell(screen, of.over)],
    [of.chosen, (screen) => chosenCell(screen, of.keys)],
  ]
  const columns: Column<string>[] = [
    { head: of.screen, of: (name) => html`<code>${name}</code>` },
    ...cells.flatMap(([title, cell]) =>
      maps.map(({ head, one, screens }) => ({
        head: head === '' ? title : `${head}: ${title}`,
        of: (name: string) => (screens.has(name) ? cell(screens.get(name)!, one) : html`<span class="none">–</span>`),
      })),
    ),
  ]
  const names = [...new Set(sides.flatMap(({ of: one }) => one.screens.map(({ screen }) => screen)))]
  return html`<section class="card">
    <h2>${of.screens}</h2>
    ${table(of.screens, columns, names, of.nobody)}
  </section>`
}

function leftCell({ left, reached }: ToldScreen): Markup | string {
  const all = sumOf(Object.values(left))
  if (all === 0) return '–'
  const reasons = byCount(left).map(([reason, n]) => `${reason} ${n}`)
  return html`${all} · ${percentSaid(all, reached)} <span class="age wrap">${reasons.join(', ')}</span>`
}

function timeCell({ times, halfS, mostS }: ToldScreen, over: string): string {
  if (sumOf(times) === 0) return '–'
  return [halfS, mostS].map((seconds) => (seconds === null ? over : `${seconds} s`)).join(' / ')
}

function chosenCell({ chosen, answered }: ToldScreen, words: Readonly<Record<string, string>>): Markup | string {
  if (answered === 0) return '–'
  const all = byCount(chosen)
  const more = sumOf(all.slice(CHOICES_SHOWN).map(([, n]) => n))
  const name = (key: string) =>
    key === OTHER_KEYS ? words.long : key === '*' ? words.typed : key === 'ack' ? words.ack : key
  const shown = all.slice(0, CHOICES_SHOWN).map(([key, n]) => `${name(key)} ${percentSaid(n, answered)}`)
  return html`<span class="wrap"
    >${[...shown, ...(more > 0 ? [`${words.others} ${percentSaid(more, answered)}`] : [])].join(', ')}</span
  >`
}

/** Each state gets a bar for who reached it, how many that were, and how many left there who should not. */
function withFunnel(svg: string, { dialogues, screens }: ToldRevision, { words }: Saying): string {
  const by = new Map(screens.map((screen) => [screen.screen, screen]))
  return svg.replaceAll(STATE, (state: string, name: string, ...box: string[]) => {
    const screen = by.get(name)
    const [x, y, width, height] = box.slice(0, 4).map(Number) as [number, number, number, number]
    if (!screen) return `${state}<rect class="dry" x="${x}" y="${y}" width="${width}" height="${height}" rx="8"/>`
    const { reached, left } = screen
    const lost = sumOf(Object.entries(left).map(([reason, n]) => (ENDED_WELL.has(reason) ? 0 : n)))
    const share = Math.min(1, reached / Math.max(1, dialogues))
    const bar = `<rect class="reach" x="${x}" y="${y + height - 5}" width="${(width * share).toFixed(1)}" height="5"/>`
    const many = pill('reached', { x: x + width + 8, y: y - 8 }, `${reached} · ${percentSaid(reached, dialogues)}`)
    const out =
      lost === 0
        ? ''
        : pill(
            'lost',
            { x: x + width + 8, y: y + height - 8 },
            `${words.services.leave} ${lost} · ${percentSaid(lost, reached)}`,
          )
    return state + bar + many + out
  })
}

/** Its right end is at `x`. Figures and words of ours alone: nothing is to be escaped. */
function pill(is: string, { x, y }: { x: number; y: number }, text: string): string {
  const width = text.length * SIGN + PAD
  const at = `x="${(x - width).toFixed(1)}" y="${y.toFixed(1)}" width="${width.toFixed(1)}" height="${HIGH}" rx="8"`
  const middle = `x="${(x - width / 2).toFixed(1)}" y="${(y + 12).toFixed(1)}"`
  return `<g class="pill ${is}"><rect ${at}/><text ${middle}>${text}</text></g>`
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, n) => sum + n, 0)
}
