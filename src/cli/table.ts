/** Tables for people: a header, columns as wide as what is in them. And colours, on terminals only. */

/** What would break a row, or speak to the terminal: reasons and notes come from people and from other systems. */
const CONTROLS = /[\p{Cc}\u2028\u2029]+/gu

/** Lines of a table; the first is the header. No table without rows. */
export function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return []
  const all = [head, ...rows.map((row) => row.map((cell) => cell.replaceAll(CONTROLS, ' ')))]
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)))
  return all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  )
}

const CODES = { red: 31, yellow: 33, green: 32, bold: 1 } as const

/** Plain where the output is not a terminal, or where NO_COLOR is set (no-color.org). */
export function coloured(text: string, colour: keyof typeof CODES, { isTTY = process.stdout.isTTY } = {}): string {
  const isPlain = !isTTY || (process.env.NO_COLOR ?? '') !== '' || process.env.TERM === 'dumb'
  return isPlain ? text : `\u001B[${CODES[colour]}m${text}\u001B[0m`
}
