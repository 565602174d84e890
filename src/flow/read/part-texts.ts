/**
 * A call that hands a part texts in several languages: one call per language, and a branch that leads to the right one.
 */
import type { BranchScreen, FlowScreen, Scalar } from '../language/index.ts'

type Said = Scalar | Readonly<Record<string, string>>

/** The call, in each language. */
export type LanguageCalls = readonly { language: string; screen: FlowScreen }[]

const isSaid = (value: Said | undefined): value is Readonly<Record<string, string>> =>
  value !== null && typeof value === 'object'

/**
 * The call in each of the flow's languages, the flow's first language first. Undefined: it hands over no text in
 * several languages.
 */
export function spoken(screen: FlowScreen, languages: readonly string[]): LanguageCalls | undefined {
  const handed = Object.entries((screen.with ?? {}) as Record<string, Said>)
  if (!handed.some(([, value]) => isSaid(value))) return undefined
  const said = (value: Said, language: string): Scalar =>
    isSaid(value) ? (value[language] ?? value[languages[0] as string] ?? Object.values(value)[0] ?? '') : value
  return languages.map((language) => ({
    language,
    screen: { ...screen, with: Object.fromEntries(handed.map(([key, value]) => [key, said(value, language)])) },
  }))
}

/** The languages that each of those texts lacks. */
export function unspoken(screen: FlowScreen, languages: readonly string[]): { key: string; language: string }[] {
  return Object.entries((screen.with ?? {}) as Record<string, Said>).flatMap(([key, value]) =>
    isSaid(value)
      ? languages.filter((language) => value[language] === undefined).map((language) => ({ key, language }))
      : [],
  )
}

/** A branch to the call in the language of the dialogue. `to`: the screen of a language. */
export function bySpoken(languages: readonly string[], to: (language: string) => string): BranchScreen {
  const [first = '', ...others] = languages
  return {
    kind: 'branch',
    branch: others.map((language) => ({ if: `language == '${language}'`, to: to(language) })),
    else: to(first),
  }
}
