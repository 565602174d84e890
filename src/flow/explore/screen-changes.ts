/** Compares two revisions: what changes for a subscriber, screen by screen and language by language. */
import type { Compilation } from '../load/index.ts'
import { explore } from './explorer.ts'

/** One screen whose text differs, or that only one revision has. Its pages are in the order of exploration. */
export interface ScreenChange {
  screen: string
  language: string
  /** Empty: the screen did not exist. */
  before: string[]
  /** Empty: the screen no longer exists. */
  after: string[]
}

export function screenChanges(before: Compilation, after: Compilation): ScreenChange[] {
  const languages = [...new Set([...after.definition.languages, ...before.definition.languages])]
  return languages.flatMap((language) => {
    const [old, now] = [pagesOf(before, language), pagesOf(after, language)]
    return [...new Set([...now.keys(), ...old.keys()])].flatMap((screen): ScreenChange[] => {
      const [was, is] = [old.get(screen) ?? [], now.get(screen) ?? []]
      if (was.length === is.length && was.every((text, i) => text === is[i])) return []
      // Pages that both revisions have are not a change. If one has additional pages, only those are shown.
      const change = {
        screen,
        language,
        before: was.filter((text) => !is.includes(text)),
        after: is.filter((text) => !was.includes(text)),
      }
      return change.before.length + change.after.length > 0 ? [change] : []
    })
  })
}

function pagesOf(compilation: Compilation, language: string): Map<string, string[]> {
  if (!compilation.definition.languages.includes(language)) return new Map()
  const pages = new Map<string, string[]>()
  for (const { screen, want } of explore(compilation, { language }).pages) {
    const known = pages.get(screen) ?? []
    if (!known.includes(want.text)) pages.set(screen, [...known, want.text])
  }
  return pages
}
