/** The settings in force in this daemon, masked as `ussd-connector config` masks them. */
import { html, type Markup, type Saying, table } from './kit.ts'

export interface SettingsNow extends Saying {
  settings: readonly [key: string, value: string][]
  /** Only names that have this in them. */
  filter: string
}

export function settingsBody({ words, settings, filter }: SettingsNow): Markup {
  const of = words.settings
  const shown = settings.filter(([key]) => key.toLowerCase().includes(filter.toLowerCase()))
  const columns = [
    { head: of.name, of: ([key]: readonly [string, string]) => html`<code>${key}</code>` },
    { head: of.value, of: ([, value]: readonly [string, string]) => html`<code class="wrap">${value}</code>` },
  ]
  return html`<p class="quiet">${of.what}</p>
    <form class="range" method="get" action="/desk/settings">
      <label class="field"
        ><span>${of.filter}</span> <input type="search" name="q" value="${filter}" maxlength="100"
      /></label>
      <button type="submit">${words.time.show}</button>
    </form>
    ${table(words.nav.settings, columns, shown, of.none)}`
}
