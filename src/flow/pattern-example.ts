/** An answer that a pattern takes, for walking a flow without anybody who answers. */
import { compilePattern } from './pattern.ts'

/** An example; undefined if none was found that keeps the length as well. */
export function exampleOf(pattern: string, length?: { min: number; max: number }): string | undefined {
  const compiled = compilePattern(pattern)
  if (typeof compiled === 'string') return undefined
  const fits = (word: string) =>
    compiled.test(word) && (!length || (word.length >= length.min && word.length <= length.max))
  // An open end is as long as it must be: longer ones are tried until the length is kept.
  for (let more = 0; more <= 40; more++) {
    const word = written({ pattern, at: 0 }, more)
    if (fits(word)) return word
  }
  return undefined
}

interface Scan {
  pattern: string
  at: number
}

/** One branch of the pattern up to its end or the bracket that closes it. */
function written(scan: Scan, more: number): string {
  let out = ''
  while (scan.at < scan.pattern.length) {
    const character = scan.pattern.charAt(scan.at)
    if (character === ')') break
    if (character === '|') {
      skipBranch(scan)
      break
    }
    out += times(scan, atom(scan, more), more)
  }
  return out
}

function skipBranch(scan: Scan): void {
  for (let depth = 0; scan.at < scan.pattern.length; scan.at++) {
    const character = scan.pattern.charAt(scan.at)
    if (character === '\\') scan.at++
    else if (character === '(') depth++
    else if (character === ')' && depth-- === 0) return
  }
}

const CLASSES: Record<string, string> = { d: '1', w: 'a', s: ' ', D: 'a', W: ' ', S: 'a', b: '', B: '' }

function atom(scan: Scan, more: number): string {
  const character = scan.pattern.charAt(scan.at++)
  if (character === '^' || character === '$') return ''
  if (character === '.') return 'a'
  if (character === '[') return ofClass(scan)
  if (character === '(') {
    if (scan.pattern.startsWith('?:', scan.at)) scan.at += 2
    const inner = written(scan, more)
    scan.at++
    return inner
  }
  if (character !== '\\') return character
  const escaped = scan.pattern.charAt(scan.at++)
  if (escaped === 'p') {
    scan.at = scan.pattern.indexOf('}', scan.at) + 1
    return 'a'
  }
  return CLASSES[escaped] ?? escaped
}

function ofClass(scan: Scan): string {
  const end = scan.pattern.indexOf(']', scan.at + 1)
  const members = scan.pattern.slice(scan.at, end)
  scan.at = end + 1
  const one = new RegExp(`[${members}]`, 'u')
  return ['1', 'a', 'A', ' ', '-', '.', members.charAt(0), ...'023456789bcXYZ*#@'].find((sign) => one.test(sign)) ?? ''
}

function times(scan: Scan, what: string, more: number): string {
  const found = /^(?:[*+?]|\{(\d+)(,)?(\d+)?\})\??/.exec(scan.pattern.slice(scan.at))
  if (!found) return what
  scan.at += found[0].length
  const [whole, from, open, to] = found
  const least = from === undefined ? (whole.startsWith('+') ? 1 : 0) : Number(from)
  const most = to === undefined ? (open === undefined && from !== undefined ? least : least + more) : Number(to)
  return what.repeat(whole.startsWith('?') ? 0 : Math.min(least + more, most))
}
