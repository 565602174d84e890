/** Regular expressions that a profile may use: short, and with no way to make them slow. */

export const REGEX_LENGTH_MAX = 100
/** Each one multiplies the steps of a match by the length of the text (at most `REGEX_TEXT_MAX`). */
export const REGEX_REPEATS_MAX = 2
/** Texts are matched up to here. */
export const REGEX_TEXT_MAX = 256

/**
 * What is wrong with the expression, or null. Nested repetition, look-around and back-references are refused.
 */
export function regexFault(source: string): string | null {
  if (source.length > REGEX_LENGTH_MAX) return `is longer than ${REGEX_LENGTH_MAX} characters`
  try {
    RegExp(source, 'u')
  } catch (error) {
    return `is no regular expression: ${(error as Error).message}`
  }
  const plain = source.replace(/\\[^1-9k]/g, 'x').replace(/\[[^\]]*\]/g, 'x')
  if (/\\[1-9k]/.test(plain)) return 'has a back-reference, which can take for ever'
  if (/\(\?[=!<]/.test(plain)) return 'looks around, which can take for ever'
  if (/\)(?:[*+{])/.test(plain)) return 'repeats a group, which can take for ever'
  const repeats = plain.match(/[*+]|\{\d*,\d*\}/g)?.length ?? 0
  return repeats > REGEX_REPEATS_MAX ? `repeats more than ${REGEX_REPEATS_MAX} times, which can take for ever` : null
}

/**
 * A compiled expression that looks at the first `REGEX_TEXT_MAX` units only. Gives what its group matched, or all that
 * it matched where it has none.
 */
export function matcher(source: string): (text: string) => string | null {
  const regex = new RegExp(source, 'u')
  return (text) => {
    const match = regex.exec(text.slice(0, REGEX_TEXT_MAX))
    return match && (match[1] ?? match[0])
  }
}
