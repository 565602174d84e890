/** What is dialled: services, and how their dialogues end. */
import type { EndedCount } from '../../admin/index.ts'
import type { Sample } from '../sample.ts'
import { endsBar, endsSaid } from './ends.ts'
import { html, type Column, type Markup, type Saying, table } from './kit.ts'

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
    { head: of.reasons, of: (row: ServiceRow) => html`${endsBar(row.reasons)} ${endsSaid(row.reasons, now)}` },
  ]
  return table(now.words.nav.services, columns, rowsOf(now), of.none)
}

export function servicesBody(now: ServicesNow): Markup {
  return html`<p class="quiet">${now.words.services.sinceStart}</p>
    <div data-live="services">${servicesPart(now)}</div>`
}
