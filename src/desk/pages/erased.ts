/** What became of an erasure: what is gone, what stays and why, and what is not reached from here. */
import { type Erased, isWhollyErased } from '../../privacy/index.ts'
import { html, type Markup, type Saying, table } from './kit.ts'

export interface ErasedShown extends Saying {
  /** Masked. */
  shown: string
  sealed: string
  erased: Erased
}

interface Counted {
  what: string
  rows: number
}

const COUNTED = ['dialogues', 'sms', 'modules', 'deferred', 'texts', 'pin', 'language'] as const

export function erasedBody(now: ErasedShown): Markup {
  const { words, shown, sealed, erased } = now
  const of = words.erased
  const gone = COUNTED.map((name): Counted => ({ what: of[name], rows: erased[name] })).concat(
    erased.optOut === 'removed' ? { what: of.optOut, rows: 1 } : [],
  )
  const kept = [
    { what: of.records, rows: erased.records },
    ...(erased.optOut === 'kept' ? [{ what: of.optOut, rows: 1 }] : []),
  ].filter(({ rows }) => rows > 0)
  const found = gone.filter(({ rows }) => rows > 0)
  const isWhole = isWhollyErased(erased)
  const rows = (title: string, all: readonly Counted[]) =>
    table(
      title,
      [
        { head: of.what, of: ({ what }) => html`<span class="wrap">${what}</span>` },
        { head: of.rows, of: ({ rows: n }) => n, num: true },
      ],
      all,
      of.none,
    )
  return html`<p class="number"><code>${shown}</code></p>
    <p class="${isWhole ? 'quiet' : 'problem'}" role="${isWhole ? 'status' : 'alert'}">
      ${isWhole ? of.whole : of.partly}
    </p>
    <section class="card">
      <h2>${of.gone}</h2>
      ${rows(of.gone, found)}
    </section>
    ${
      kept.length === 0
        ? ''
        : html`<section class="card">
            <h2>${of.kept}</h2>
            ${rows(of.kept, kept)}
          </section>`
    }
    <section class="card">
      <h2>${of.notReached}</h2>
      <ul>
        ${leftOf(now).map((one) => html`<li class="wrap">${one}</li>`)}
      </ul>
    </section>
    <p class="acts"><a class="button" href="/desk/number?who=${sealed}">${isWhole ? of.back : of.again}</a></p>`
}

/** The worst first. */
function leftOf({ words: { erased: of }, erased: { failed, daemons, files, isInFiles } }: ErasedShown): string[] {
  return [
    ...failed.map(({ backend, why }) => of.module(backend, why)),
    ...daemons.map(of.daemon),
    ...(files.length > 0 ? [of.files(files.join(', '))] : []),
    ...(isInFiles ? [of.inFiles] : []),
    of.others,
  ]
}
