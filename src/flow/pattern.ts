/**
 * Patterns for typed answers, kept to what matches in a time that no answer can stretch: no repeated groups, no
 * look-around, no back references, few open-ended repetitions. (An answer has at most 160 characters.)
 */

/** `*`, `+` and `{n,}` in one pattern: with k of them a match may take length^k steps. */
const OPEN_ENDED_MAX = 2
/** The largest `{n}` or `{n,m}`. */
const REPEAT_MAX = 160

/** The pattern, held against the whole answer; or a sentence about what is wrong with it. */
export function compilePattern(source: string): RegExp | string {
  const unsafe = complaint(source)
  if (unsafe !== undefined) return unsafe
  try {
    return new RegExp(`^(?:${source})$`, 'u')
  } catch (error) {
    return `is no pattern: ${(error as Error).message.replace(/^.*: /, '').toLowerCase()}`
  }
}

function complaint(source: string): string | undefined {
  // Escapes and classes are one character each, so that brackets and signs in them do not count.
  const bare = source
    .replace(/\\k<[^>]*>|\\[1-9]/g, '\u0000')
    .replace(/\\./g, 'a')
    .replace(/\[[^\]]*\]/g, 'a')
  if (bare.includes('\u0000')) return 'has a back reference, which can take for ever'
  if (/\(\?(?!:)/.test(bare)) return 'has a (?…), which is more than a pattern here may have'
  if (/\)(?:[*+]|\{)/.test(bare)) return 'repeats a group, which can take for ever'
  const openEnded = [...bare.matchAll(/[*+]|\{\d+,\}/g)].length
  const ranges = [...bare.matchAll(/\{(\d+)(?:,(\d+))?\}/g)]
  if (ranges.some(([, from, to]) => Number(to ?? from) > REPEAT_MAX))
    return `repeats over ${REPEAT_MAX} times`
  const wide = ranges.filter(([, from, to]) => to !== undefined && Number(to) - Number(from) > 10).length
  if (openEnded + wide > OPEN_ENDED_MAX)
    return `has over ${OPEN_ENDED_MAX} open-ended repetitions, which can take for ever`
  return undefined
}

/** The most characters that an answer has which the pattern takes. For one that compiles. */
export function longestOf(source: string): number {
  const scan = { source, at: 0 }
  return longestBranch(scan)
}

interface Scan {
  source: string
  at: number
}

/** The longest of the branches up to the end, or to the bracket that closes them. */
function longestBranch(scan: Scan): number {
  let [most, here] = [0, 0]
  while (scan.at < scan.source.length && scan.source.charAt(scan.at) !== ')') {
    if (scan.source.charAt(scan.at) === '|') {
      scan.at++
      ;[most, here] = [Math.max(most, here), 0]
      continue
    }
    const one = longestAtom(scan)
    const repeated = repeatsAt(scan)
    here += one === 0 ? 0 : one * repeated
  }
  scan.at++
  return Math.max(most, here)
}

const CLASS_OR_ESCAPE = /\[(?:\\.|[^\]])*\]|\\[pP]\{[^}]*\}|\\./suy

function longestAtom(scan: Scan): number {
  CLASS_OR_ESCAPE.lastIndex = scan.at
  const found = CLASS_OR_ESCAPE.exec(scan.source)?.[0]
  if (found !== undefined) {
    scan.at += found.length
    return /^\\b$/i.test(found) ? 0 : 1
  }
  const sign = scan.source.charAt(scan.at++)
  if (sign !== '(') return sign === '^' || sign === '$' ? 0 : 1
  if (scan.source.startsWith('?:', scan.at)) scan.at += 2
  return longestBranch(scan)
}

const REPEATED = /(?:([*+])|(\?)|\{(\d+)(?:(,)(\d+)?)?\})\??/y

function repeatsAt(scan: Scan): number {
  REPEATED.lastIndex = scan.at
  const found = REPEATED.exec(scan.source)
  if (!found) return 1
  scan.at += found[0].length
  const [, open, once, from, comma, to] = found
  if (once !== undefined) return 1
  return open !== undefined || (comma !== undefined && to === undefined) ? Infinity : Number(to ?? from)
}
