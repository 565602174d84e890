/** A text in which the expression of a profile finds a code: the code, with an example of what surrounds the group. */

/** One character of an expression, or a class, and how often it is repeated. */
const TOKEN = /(?:\\(.)|\[(?:\\.|[^\]])+\]|([\s\S]))([*+?]|\{\d+(?:,\d*)?\})?/gu
const CLASSES: Readonly<Record<string, string>> = { d: '1', w: 'a', s: ' ', D: 'a', W: ' ', S: 'a', b: '', B: '' }

/**
 * For `^.*code=([*0-9#]+);`: `code=` and `;`, with `code` between them. An expression without a group matches the code
 * alone.
 */
export function regexSample(expression: string, code: string): string {
  const open = groupAt(expression)
  if (open < 0) return code
  const close = expression.indexOf(')', open)
  return example(expression.slice(0, open)) + code + example(expression.slice(close + 1))
}

/** Where the first group begins. -1: there is none. */
function groupAt(expression: string): number {
  for (const { 0: token, 2: plain, index } of expression.matchAll(TOKEN)) {
    if (plain === '(' && !token.endsWith('?')) return index
  }
  return -1
}

function example(pattern: string): string {
  return [...pattern.matchAll(TOKEN)]
    .map(([token, escaped, plain, often = '']) => {
      const times = often === '*' || often === '?' ? 0 : Number(/\d+/.exec(often)?.[0] ?? 1)
      return characterOf(token, escaped, plain).repeat(times)
    })
    .join('')
}

function characterOf(token: string, escaped: string | undefined, plain: string | undefined): string {
  if (escaped !== undefined) return CLASSES[escaped] ?? escaped
  if (plain === undefined) return token.startsWith('[^') ? ' ' : token.charAt(1)
  return plain === '^' || plain === '$' ? '' : plain === '.' ? 'a' : plain
}
