/** Shows a reader where a talk went another way: what was expected beside what came, line by line. */
import { diffArrays } from 'diff'
import type { TalkFailure } from './player.ts'

/** Columns for what was expected. Longer lines overflow. */
const COLUMNS = { min: 10, max: 60 }

/**
 * Equal lines stand beside each other. `!` marks lines that differ, `-` lines that did not come, `+` additional lines.
 */
export function describeFailure({ where, what, expected, got }: TalkFailure): string {
  if (expected === undefined || got === undefined) return `${where}: ${what}`
  const rows = rowsOf(expected.split('\n'), got.split('\n'))
  const width = Math.min(COLUMNS.max, Math.max(COLUMNS.min, ...rows.map(({ left }) => left.length)))
  const line = (mark: string, left: string, right: string) => `  ${mark} ${left.padEnd(width)} | ${right}`.trimEnd()
  return [
    `${where}: ${what}`,
    line(' ', 'expected', 'got'),
    ...rows.map(({ mark, left, right }) => line(mark, left, right)),
  ].join('\n')
}

interface Row {
  mark: ' ' | '!' | '-' | '+'
  left: string
  right: string
}

function rowsOf(expected: string[], got: string[]): Row[] {
  const rows: Row[] = []
  let gone: string[] = []
  const settle = (came: readonly string[]) => {
    for (let i = 0; i < Math.max(gone.length, came.length); i++) {
      const [left, right] = [gone[i], came[i]]
      rows.push({
        mark: left === undefined ? '+' : right === undefined ? '-' : '!',
        left: left ?? '',
        right: right ?? '',
      })
    }
    gone = []
  }
  for (const { added, removed, value } of diffArrays(expected, got)) {
    if (removed) gone = value
    else if (added) settle(value)
    else {
      settle([])
      for (const line of value) rows.push({ mark: ' ', left: line, right: line })
    }
  }
  settle([])
  return rows
}
