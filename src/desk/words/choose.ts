/** Which language a visitor gets. */
import { en, type Words } from './en.ts'
import { fr } from './fr.ts'

const ALL: Readonly<Record<string, Words>> = { en, fr }

export const DESK_LANGUAGES: readonly [code: string, name: string][] = [
  ['en', 'English'],
  ['fr', 'Français'],
]

/** The first that was chosen and that we have, else the first that the browser wants, else English. */
export function chosenWords(chosen: readonly (string | undefined)[], accepted: string | undefined): Words {
  const wanted = (accepted ?? '').split(',').map((one) => one.split(/[-;]/)[0]!.trim().toLowerCase())
  const code = [...chosen, ...wanted].find((one) => one !== undefined && Object.hasOwn(ALL, one))
  return ALL[code ?? 'en']!
}
