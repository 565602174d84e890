/** One screen for a wall: is all well, and how much goes through. */
import type { FlowRow, InstanceRow } from '../../admin/index.ts'
import { findingsOf, isStandby } from '../../fleet/index.ts'
import { ratesOf, type Sample } from '../sample.ts'
import { byCount, endsBar, endsSaid } from './ends.ts'
import { findingSaid } from './frame.ts'
import { ageSaid, badge, html, type Markup, rate, type Saying, sparkline, table } from './kit.ts'
import { dayStrip } from './strips.ts'

const FOUND_MAX = 8
const SERVICES_MAX = 6

export interface OverviewNow extends Saying {
  sample: Sample
  flows: readonly FlowRow[]
}

/** By their places in the page. */
export function overviewParts(now: OverviewNow): Record<string, Markup> {
  return {
    tiles: tiles(now),
    wrong: wrong(now),
    strips: lineStrips(now),
    daemons: daemons(now),
    ends: serviceEnds(now),
    trials: trials(now),
  }
}

export function overviewBody(now: OverviewNow): Markup {
  const { words } = now
  const part = overviewParts(now)
  return html`<div class="tiles" data-live="tiles">${part.tiles}</div>
    <div class="wall">
      <section class="card" id="wrong">
        <h2>${words.overview.wrong}</h2>
        <div data-live="wrong">${part.wrong}</div>
      </section>
      <section class="card">
        <h2>${words.nav.lines} · ${words.time.last24h}</h2>
        <div data-live="strips">${part.strips}</div>
      </section>
      <section class="card wide">
        <h2>${words.overview.daemons}</h2>
        <div data-live="daemons">${part.daemons}</div>
      </section>
      <section class="card">
        <h2><a href="/desk/services">${words.nav.services}</a></h2>
        <div data-live="ends">${part.ends}</div>
      </section>
      <section class="card">
        <h2>${words.overview.trials}</h2>
        <div data-live="trials">${part.trials}</div>
      </section>
    </div>`
}

function tiles({ sample, words }: OverviewNow): Markup {
  const live = sample.instances.filter(({ isGone }) => !isGone)
  const now = ratesOf(sample.instances)
  const binds = live.flatMap(({ state }) => state.lines.flatMap(({ binds: all }) => all))
  const bound = binds.filter(({ state }) => state === 'bound').length
  const ready = live.filter(({ state }) => state.ready).length
  const over = (of: keyof typeof now) => sample.rates.map((one) => one[of])
  const figure = (name: string, value: string, of: keyof typeof now) =>
    html`<div class="card tile">
      <h2>${name}</h2>
      <p class="figure">${value}</p>
      ${sparkline(over(of), `${name}, ${words.overview.lastMinutes}`)}
    </div>`
  const count = (name: string, n: number, all: number, href: string) =>
    html`<a class="card tile" href="${href}"
      ><h2>${name}</h2>
      <p class="figure ${n < all ? 'short' : ''}">${n}<small>/${all}</small></p></a
    >`
  return html`${figure(words.overview.dials, rate(now.dials), 'dials')}
  ${figure(words.overview.turns, rate(now.turns), 'turns')} ${figure(words.overview.sms, rate(now.sms), 'sms')}
  ${count(words.overview.bound, bound, binds.length, '/desk/lines')}
  ${count(words.overview.daemons, ready, sample.instances.length, '/desk#daemons')}`
}

function wrong({ sample, words }: OverviewNow): Markup {
  const found = findingsOf(sample.instances)
  if (found.length === 0) return html`<p class="well">${words.overview.nothing}</p>`
  const more =
    found.length > FOUND_MAX ? html`<li class="quiet">${words.overview.more(found.length - FOUND_MAX)}</li>` : ''
  const one = (it: (typeof found)[number]) =>
    html`<li>
      ${badge(it.severity === 'critical' ? 'bad' : 'warn', words.verdict[it.severity])} ${findingSaid(it, words)}
    </li>`
  return html`<ul class="findings">
    ${found.slice(0, FOUND_MAX).map(one)}${more}
  </ul>`
}

function lineStrips(now: OverviewNow): Markup {
  const names = [...new Set(now.sample.instances.flatMap(({ state }) => state.lines.map(({ name }) => name)))]
  if (names.length === 0) return html`<p class="quiet">${now.words.lines.none}</p>`
  const strip = (name: string) =>
    dayStrip(
      now.sample.outages.list.filter(({ line }) => line === name),
      now,
    )
  return html`<dl class="strips">
    ${names.map(
      (name) =>
        html`<dt><a href="/desk/lines/${name}">${name}</a></dt>
          <dd>${strip(name)}</dd>`,
    )}
  </dl>`
}

function daemons({ sample, words, nowMs }: OverviewNow): Markup {
  const of = words.daemon
  return table<InstanceRow>(
    words.overview.daemons,
    [
      { head: of.name, of: ({ name }) => name },
      { head: of.state, of: (one) => daemonState(one, words) },
      { head: of.version, of: ({ version }) => version },
      {
        head: of.up,
        of: ({ startedAt, isGone }) => (isGone ? '–' : ageSaid(nowMs - Date.parse(startedAt))),
        num: true,
      },
      { head: of.seen, of: ({ ageMs }) => (ageMs === 0 ? of.asked : ageSaid(ageMs)), num: true },
      { head: words.overview.dials, of: ({ state }) => rate(state.rates.dials), num: true },
      { head: words.overview.turns, of: ({ state }) => rate(state.rates.turns), num: true },
      { head: words.overview.sms, of: ({ state }) => rate(state.rates.sms), num: true },
    ],
    sample.instances,
    '',
  )
}

function daemonState({ isGone, state }: InstanceRow, { daemon }: Saying['words']): Markup {
  if (isGone) return badge('bad', daemon.gone)
  if (state.ready) return badge('good', daemon.ready)
  return isStandby(state) ? badge('quiet', daemon.standby) : badge('bad', daemon.notReady)
}

/** Of all daemons, each since its start: the busiest services. */
function serviceEnds(now: OverviewNow): Markup {
  const { words, sample } = now
  const sums = new Map<string, Record<string, number>>()
  for (const { service, reason, count } of sample.instances.flatMap(({ isGone, state }) =>
    isGone ? [] : (state.ends ?? []),
  ))
    sums.set(service, { ...sums.get(service), [reason]: (sums.get(service)?.[reason] ?? 0) + count })
  const rows = [...sums].map(([code, ends]) => ({ code, reasons: byCount(ends) }))
  const all = rows.map((row) => ({ ...row, ended: row.reasons.reduce((sum, [, n]) => sum + n, 0) }))
  const busiest = all.toSorted((a, b) => b.ended - a.ended).slice(0, SERVICES_MAX)
  return table(
    words.services.reasons,
    [
      { head: words.services.code, of: ({ code }) => html`<code>${code}</code>` },
      { head: words.number.dialogues, of: ({ ended }) => ended, num: true },
      { head: words.services.reasons, of: ({ reasons }) => html`${endsBar(reasons)} ${endsSaid(reasons, now)}` },
    ],
    busiest,
    words.overview.noEnds,
  )
}

function trials({ flows, words }: OverviewNow): Markup {
  const on = flows.flatMap(({ name, canary }) => (canary ? [{ name, ...canary }] : []))
  if (on.length === 0) return html`<p class="quiet">${words.overview.noTrials}</p>`
  return html`<ul class="findings">
    ${on.map(({ revision, share }) => html`<li><code>${revision}</code> ${words.overview.share(share)}</li>`)}
  </ul>`
}
