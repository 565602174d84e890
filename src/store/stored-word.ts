/** Strings as words of a stored line: equal strings are equal words. */

/** As it is, or as JSON without spaces where it could be taken for something else. */
export function word(text: string): string {
  if (PLAIN.test(text)) return text
  const json = JSON.stringify(text)
  return json.includes(' ') ? json.replaceAll(' ', '\\u0020') : json
}

/** Printable ASCII that does not begin like JSON, like nothing, or like sealed text. */
const PLAIN = /^[!#-,.-~][!-~]*$/
