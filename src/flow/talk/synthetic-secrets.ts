/**
 * Secrets made up in place of those that were typed: alike in shape, the same one for the same, and never the one
 * typed.
 */

/** One that is `taken` as the one typed was; undefined: none could be found. */
export type SyntheticSecrets = (typed: string, taken: (made: string) => boolean) => string | undefined

/** A check digit takes one in ten. */
const TRIES_MAX = 200

export function syntheticSecrets(): SyntheticSecrets {
  const given = new Map<string, string>()
  return (typed, taken) => {
    const known = given.get(typed)
    if (known !== undefined && taken(known)) return known
    for (let n = 1; n <= TRIES_MAX; n++) {
      const made = shapedAs(typed, n)
      if (given.has(made) || made === typed || [...given.values()].includes(made) || !taken(made)) continue
      given.set(typed, made)
      return made
    }
    return undefined
  }
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz'
const CLASSES: [RegExp, string][] = [
  [/\d/, '0123456789'],
  [/\p{Lu}/u, LETTERS.toUpperCase()],
  [/\p{L}/u, LETTERS],
]

/** A digit for a digit, a letter for a letter; it does not depend on which they were. */
function shapedAs(typed: string, n: number): string {
  return Array.from(typed, (sign, i) => {
    const among = CLASSES.find(([one]) => one.test(sign))?.[1] ?? (/\s/.test(sign) ? sign : '.-_!?')
    return among[(7 * n + 4 * i + ((n * i) % 3)) % among.length]!
  }).join('')
}
