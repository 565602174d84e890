/**
 * A text of a flow without its values: each stands there as a mark, `{balance.amount}`. Of a plural or a choice, the
 * clause `other` stands there. Pure.
 */

/** A value in a text: its path, and what follows it up to the brace or the comma. */
const VALUE = /\{\s*([a-z][A-Za-z0-9_.-]*)\s*(\}|,\s*(\w+)\s*)/y
/** Marks of marks: an operator's text is as deep as he likes, and nobody waits for that. */
const DEPTH_MAX = 10

export function markedText(text: string): string {
  return markedUpTo({ text, at: 0 }, 0)
}

interface Reading {
  text: string
  at: number
}

function markedUpTo(reading: Reading, depth: number): string {
  let out = ''
  while (reading.at < reading.text.length) {
    const sign = reading.text.charAt(reading.at)
    if (depth > 0 && sign === '}') break
    out += sign === '{' ? value(reading, depth) : sign === "'" ? quoted(reading) : ((reading.at += 1), sign)
  }
  return out
}

/** Two apostrophes are one; one before a brace quotes up to the next. (ICU MessageFormat) */
function quoted(reading: Reading): string {
  const { text, at } = reading
  if (text.startsWith("''", at)) return ((reading.at += 2), "'")
  const closes = /^'[{}#|]/.test(text.slice(at, at + 2)) ? text.indexOf("'", at + 1) : -1
  if (closes < 0) return ((reading.at += 1), "'")
  reading.at = closes + 1
  return text.slice(at + 1, closes)
}

function value(reading: Reading, depth: number): string {
  VALUE.lastIndex = reading.at
  const [whole, path = '', end, kind] = VALUE.exec(reading.text) ?? []
  if (whole === undefined) return ((reading.at += 1), '{')
  reading.at += whole.length
  if (end === '}') return markOf(path)
  const clauses = clausesOf(reading, depth)
  const isCount = kind === 'plural' || kind === 'selectordinal'
  if (!isCount && kind !== 'select') return markOf(path)
  return (clauses.get('other') ?? markOf(path)).replaceAll('#', isCount ? markOf(path) : '#')
}

/** Up to the brace that closes the value. */
function clausesOf(reading: Reading, depth: number): Map<string, string> {
  const clauses = new Map<string, string>()
  let word = ''
  while (reading.at < reading.text.length) {
    const sign = reading.text.charAt(reading.at++)
    if (sign === '}') break
    if (sign !== '{') word += sign
    else {
      const name =
        word
          .replace(/^[\s,]+|\s+$/g, '')
          .split(/\s+/)
          .at(-1) ?? ''
      clauses.set(name, depth < DEPTH_MAX ? markedUpTo(reading, depth + 1) : '')
      reading.at++
      word = ''
    }
  }
  return clauses
}

/** `{data.balance.amount}` is `{balance.amount}`: where a flow keeps a value is of no use to a subscriber. */
function markOf(path: string): string {
  const [root, ...rest] = path.split('.')
  return `{${rest.length > 0 ? rest.join('.') : root}}`
}
