/** What is dialled: services and how their dialogues end, and the picture of a flow. */
import type { EndedCount } from '../../admin/index.ts'
import type { Sample } from '../sample.ts'
import { html, type Column, type Markup, raw, type Saying, table } from './kit.ts'

export interface ServiceSetting {
  code: string
  /** The name of its flow or application. */
  serves: string
  isFlow: boolean
  lines: readonly string[] | undefined
}

export interface ServicesNow extends Saying {
  sample: Sample
  services: readonly ServiceSetting[]
}

interface ServiceRow extends ServiceSetting {
  ended: number
  reasons: [reason: string, count: number][]
}

const REASONS_SHOWN = 4
const [PART_WIDTH, PART_HEIGHT] = [200, 10]
/** Reasons that are as they should be; of the others somebody may want to know. */
const WELL = new Set(['completed', 'exit'])

function rowsOf({ sample, services }: ServicesNow): ServiceRow[] {
  const ends = sample.instances.filter(({ isGone }) => !isGone).flatMap(({ state }) => state.ends ?? [])
  return services.map((service) => {
    const own = ends.filter((one) => one.service === service.code)
    return { ...service, ended: total(own), reasons: byReason(own) }
  })
}

function total(ends: readonly EndedCount[]): number {
  return ends.reduce((sum, { count }) => sum + count, 0)
}

function byReason(ends: readonly EndedCount[]): [string, number][] {
  const sums = new Map<string, number>()
  for (const { reason, count } of ends) sums.set(reason, (sums.get(reason) ?? 0) + count)
  return [...sums].toSorted(([, a], [, b]) => b - a)
}

export function servicesPart(now: ServicesNow): Markup {
  const of = now.words.services
  const columns: Column<ServiceRow>[] = [
    { head: of.code, of: ({ code }) => html`<code>${code}</code>` },
    {
      head: of.serves,
      of: ({ serves, isFlow }) =>
        isFlow
          ? html`<a href="/desk/services/${serves}">${serves}</a>`
          : html`${serves} <span class="age">${of.app}</span>`,
    },
    { head: now.words.nav.lines, of: ({ lines }) => lines?.join(', ') ?? of.allLines },
    { head: of.ended, of: ({ ended }) => ended, num: true },
    { head: of.reasons, of: (row) => html`${bar(row)} ${reasonsSaid(row, now)}` },
  ]
  return table(now.words.nav.services, columns, rowsOf(now), of.none)
}

function bar({ ended, reasons }: ServiceRow): Markup | string {
  if (ended === 0) return ''
  let x = 0
  const parts = reasons.map(([reason, count], n) => {
    const width = (count / ended) * PART_WIDTH
    const part = html`<rect
      class="${WELL.has(reason) ? 'well' : `part-${Math.min(n, 4)}`}"
      x="${x.toFixed(1)}"
      width="${width.toFixed(1)}"
      height="${PART_HEIGHT}"
    />`
    x += width
    return part
  })
  return html`<svg
    class="parts"
    viewBox="0 0 ${PART_WIDTH} ${PART_HEIGHT}"
    preserveAspectRatio="none"
    aria-hidden="true"
  >
    ${parts}
  </svg>`
}

function reasonsSaid({ ended, reasons }: ServiceRow, { words }: Saying): string {
  const shown = reasons
    .slice(0, REASONS_SHOWN)
    .map(([reason, count]) => `${reason} ${Math.round((count / ended) * 100)} %`)
  const more = reasons.length > REASONS_SHOWN ? [words.overview.more(reasons.length - REASONS_SHOWN)] : []
  return [...shown, ...more].join(' · ')
}

export function servicesBody(now: ServicesNow): Markup {
  return html`<p class="quiet">${now.words.services.sinceStart}</p>
    <div data-live="services">${servicesPart(now)}</div>`
}

export interface PictureNow extends Saying {
  name: string
  revision: string
  /** Complete markup of our own. Undefined: it takes too long, or screens of a plug-in are in it. */
  svg: string | undefined
}

export function pictureBody({ words, name, revision, svg }: PictureNow): Markup {
  const of = words.services
  return html`<p><code>${revision}</code> · <a href="/desk/releases/${name}">${words.nav.releases}</a></p>
    ${svg === undefined ? html`<p class="problem">${of.noPicture}</p>` : html`<div class="picture" tabindex="0" role="region" aria-label="${of.picture}">${raw(svg)}</div>`}`
}
