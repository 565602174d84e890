/** Reads the Jinja expressions of a journey into a tree: names, comparisons and filters, nothing more. */

export type JinjaExpression =
  | { is: 'value'; value: unknown }
  | { is: 'name'; parts: readonly string[] }
  | { is: 'list'; items: JinjaExpression[] }
  | { is: 'not'; of: JinjaExpression }
  | { is: 'pair'; operator: string; left: JinjaExpression; right: JinjaExpression }
  | { is: 'filter'; name: string; of: JinjaExpression; args?: JinjaExpression[] }

interface Reading {
  tokens: string[]
  at: number
}

const TOKEN = /\s*(?:('[^']*'|"[^"]*"|\d+(?:\.\d+)?|[A-Za-z_]\w*|==|!=|<=|>=|[<>()[\],.|]))/y

/** The tree. Undefined for an expression that needs more than this reads (arithmetic, calls, most tests of Jinja). */
export function readJinja(source: string): JinjaExpression | undefined {
  const tokens: string[] = []
  TOKEN.lastIndex = 0
  const text = source.trim()
  while (TOKEN.lastIndex < text.length) {
    const found = TOKEN.exec(text)
    if (!found) return undefined
    tokens.push(found[1]!)
  }
  const reading: Reading = { tokens, at: 0 }
  const read = either(reading)
  return reading.at === tokens.length ? read : undefined
}

const take = (reading: Reading, ...words: string[]) =>
  words.includes(reading.tokens[reading.at] ?? '') ? reading.tokens[reading.at++] : undefined

function either(reading: Reading): JinjaExpression | undefined {
  return chain(reading, 'or', (inner) => chain(inner, 'and', negation))
}

function chain(
  reading: Reading,
  operator: string,
  next: (reading: Reading) => JinjaExpression | undefined,
): JinjaExpression | undefined {
  let left = next(reading)
  while (left && take(reading, operator)) {
    const right = next(reading)
    left = right && { is: 'pair', operator, left, right }
  }
  return left
}

function negation(reading: Reading): JinjaExpression | undefined {
  if (!take(reading, 'not')) return comparison(reading)
  const of = negation(reading)
  return of && { is: 'not', of }
}

function comparison(reading: Reading): JinjaExpression | undefined {
  const left = filtered(reading)
  if (!left) return undefined
  if (take(reading, 'is')) {
    const not = take(reading, 'not')
    // `defined` and `none` both ask whether a path leads somewhere.
    const there = take(reading, 'defined') !== undefined
    if (!there && !take(reading, 'none', 'None')) return undefined
    return (not !== undefined) === there ? { is: 'not', of: left } : left
  }
  const not = take(reading, 'not')
  const operator = not ? take(reading, 'in') : take(reading, '==', '!=', '<', '<=', '>', '>=', 'in')
  if (!operator) return not ? undefined : left
  const right = filtered(reading)
  const pair: JinjaExpression | undefined = right && { is: 'pair', operator, left, right }
  return not && pair ? { is: 'not', of: pair } : pair
}

function filtered(reading: Reading): JinjaExpression | undefined {
  let of = operand(reading)
  while (of && take(reading, '|')) {
    const name = reading.tokens[reading.at++] ?? ''
    const args = take(reading, '(') ? items(reading, ')') : undefined
    if (args === undefined && reading.tokens[reading.at - 1] === '(') return undefined
    of = { is: 'filter', name, of, ...(args ? { args } : {}) }
  }
  return of
}

const WORDS: Record<string, unknown> = { True: true, true: true, False: false, false: false, None: null, none: null }

function operand(reading: Reading): JinjaExpression | undefined {
  const token = reading.tokens[reading.at++]
  if (token === undefined) return undefined
  if (token === '(') {
    const inner = either(reading)
    return take(reading, ')') ? inner : undefined
  }
  if (token === '[') return list(reading)
  if (/^['"]/.test(token)) return { is: 'value', value: token.slice(1, -1) }
  if (/^\d/.test(token)) return { is: 'value', value: Number(token) }
  if (Object.hasOwn(WORDS, token)) return { is: 'value', value: WORDS[token] }
  return /^[A-Za-z_]/.test(token) ? named(token, reading) : undefined
}

function list(reading: Reading): JinjaExpression | undefined {
  const found = items(reading, ']')
  return found && { is: 'list', items: found }
}

function items(reading: Reading, end: ')' | ']'): JinjaExpression[] | undefined {
  const found: JinjaExpression[] = []
  while (!take(reading, end)) {
    const item = filtered(reading)
    if (!item) return undefined
    found.push(item)
    if (!take(reading, ',') && reading.tokens[reading.at] !== end) return undefined
  }
  return found
}

/** `a.b`, `a['b']`. An index that is itself looked up is not read. */
function named(first: string, reading: Reading): JinjaExpression | undefined {
  const parts = [first]
  for (;;) {
    if (take(reading, '.')) parts.push(reading.tokens[reading.at++] ?? '')
    else if (take(reading, '[')) {
      const index = /^(?:'(\w+)'|"(\w+)"|(\d+))$/.exec(reading.tokens[reading.at++] ?? '')
      if (!index || !take(reading, ']')) return undefined
      parts.push((index[1] ?? index[2] ?? index[3])!)
    } else break
  }
  return reading.tokens[reading.at] === '(' ? undefined : { is: 'name', parts }
}
