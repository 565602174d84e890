/**
 * Rows as one text for a statement: a line a row, a field a column. Postgres splits it in half of the time that it
 * needs for JSON or for an array a column (docs/WHY.md, "What a record costs").
 */

/** A field of a line. Null and '' are the same. */
export type LineField = string | number | null

/** The separators of ASCII. Nothing that a subscriber, a flow or an operator writes has them. */
const [BETWEEN_ROWS, BETWEEN_FIELDS] = [30, 31] as const
const separator = (code: number) => String.fromCharCode(code)
/** They would move the fields behind them; and no text of Postgres has a zero octet. */
const UNFIT = /[\0\x1e\x1f]/
const UNFITS = /[\0\x1e\x1f]/g

/** For a parameter of `fieldsIn`. */
export function sqlLines(rows: readonly (readonly LineField[])[]): string {
  return rows.map(lineOf).join(separator(BETWEEN_ROWS))
}

function lineOf(fields: readonly LineField[]): string {
  const fit = fields.some(isUnfit) ? fields.map((field) => String(field ?? '').replace(UNFITS, '?')) : fields
  return fit.join(separator(BETWEEN_FIELDS))
}

function isUnfit(field: LineField): boolean {
  return typeof field === 'string' && UNFIT.test(field)
}

/** FROM: the lines of a parameter, each as an array `f`. OFFSET 0: a line is split once, and not for each column. */
export function fieldsIn(parameter: string): string {
  return `(
    SELECT string_to_array(line, chr(${BETWEEN_FIELDS})) AS f
    FROM unnest(string_to_array(CAST(:${parameter} AS text), chr(${BETWEEN_ROWS}))) AS line OFFSET 0) AS split`
}

/** Columns by name, in the order of the fields. Of one with `?` is '' null; a `timestamptz` is in milliseconds. */
export type LineColumns = Readonly<Record<string, string>>

/** SELECT: the fields as these columns. */
export function columnsOf(columns: LineColumns): string {
  return Object.entries(columns)
    .map(([name, type], n) => `${asType(`f[${n + 1}]`, type)} AS ${name}`)
    .join(', ')
}

function asType(field: string, type: string): string {
  if (type.endsWith('?')) return asType(`NULLIF(${field}, '')`, type.slice(0, -1))
  if (type === 'timestamptz') return `to_timestamp(CAST(${field} AS float8) / 1000)`
  return type === 'text' ? field : `CAST(${field} AS ${type})`
}
