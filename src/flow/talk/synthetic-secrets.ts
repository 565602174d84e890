/**
 * Synthetic secrets in place of typed ones: they have the same shape, the same secret always gets the same replacement,
 * and the replacement is never the typed secret.
 */

/** A synthetic secret for which `taken` holds as for the typed one. Undefined: none was found. */
export type SyntheticSecrets = (typed: string, taken: (made: string) => boolean) => string | undefined

/** A check digit accepts one in ten. */
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

/** A digit for each digit, a letter for each letter. The result does not depend on the typed characters. */
function shapedAs(typed: string, n: number): string {
  return Array.from(typed, (sign, i) => {
    const among = CLASSES.find(([one]) => one.test(sign))?.[1] ?? (/\s/.test(sign) ? sign : '.-_!?')
    return among[(7 * n + 4 * i + ((n * i) % 3)) % among.length]!
  }).join('')
}
