/** What the generated pages share. */

const NOTICE = '<!-- written by `npm run docs`: edit the source, not this page -->'

export function generated(head: string, ...sections: string[]): string {
  return [NOTICE, '', head.trim(), '', sections.join('\n').trimEnd(), ''].join('\n')
}

export function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`
  return [line(columns), `|${columns.map(() => '---|').join('')}`, ...rows.map(line), ''].join('\n')
}

/** A text as one table cell: one line, without characters that end the cell. */
function cell(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ').replaceAll(/(?<!\\)\|/g, '\\|')
}

export const code = (text: string): string => `\`${text}\``
