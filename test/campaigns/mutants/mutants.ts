/**
 * Mutants of a source file: one small change each, as a slip of the hand would make it. TypeScript 7 has no parser to
 * ask, so a scanner tells code from comments and texts, and the operators work on tokens; SQL has operators of its own.
 */
export interface Mutant {
  file: string
  line: number
  /** The line as it was. */
  text: string
  /** What was changed into what. */
  what: string
  source: string
}

interface Change {
  at: number
  length: number
  put: string
}

/** Longer ones first: `===` holds `==`. */
const SWAPS: readonly (readonly [token: string, put: string])[] = [
  [' === ', ' !== '],
  [' !== ', ' === '],
  [' <= ', ' < '],
  [' >= ', ' > '],
  [' < ', ' <= '],
  [' < ', ' >= '],
  [' > ', ' >= '],
  [' > ', ' <= '],
  [' && ', ' || '],
  [' || ', ' && '],
  [' ?? ', ' && '],
  [' + ', ' - '],
  [' - ', ' + '],
  [' * ', ' / '],
  [' += ', ' -= '],
  ['++', '--'],
]
/** In a statement of SQL, which is a text between backticks. */
const SQL_SWAPS: readonly (readonly [of: RegExp, put: (found: RegExpMatchArray) => string])[] = [
  [/ AND /g, () => ' OR '],
  [/ OR /g, () => ' AND '],
  [/ NOT IN \(/g, () => ' IN ('],
  [/(?<!NOT) IN \(/g, () => ' NOT IN ('],
  [/ IS NULL/g, () => ' IS NOT NULL'],
  [/ IS NOT NULL/g, () => ' IS NULL'],
  [/ <= /g, () => ' < '],
  [/ <> /g, () => ' = '],
  [/\bWHEN ((?:(?! IN | IS ).)+?) THEN /g, ([, test]) => `WHEN NOT (${test!}) THEN `],
  [/ ELSE [\w:.() ]+? END/g, () => ' END'],
  [/(?<=\b(?:WHERE|AND|ON) [\w.]+) = /g, () => ' <> '],
  [/'[\w-]+'/g, () => `''`],
  [/\n *ON CONFLICT [^\n`]+/g, () => ''],
  [/ [+-] (?=\d)/g, ([sign]) => (sign === ' + ' ? ' - ' : ' + ')],
]
const STATEMENT_OF_SQL = /`[^`]*\b(?:SELECT|INSERT INTO|UPDATE)\b[^`]*`/g
/** Not for these tests: where daemons are killed has a campaign of its own, and what the log says is no promise. */
const LEFT_OUT = /\bfailpoint\(|\blog\.\w+\(/
/** A number this large is a matter of taste, and one more of it no fault. */
const TASTE_FROM = 100
/** Types and imports are gone before anything runs. */
const NOT_RUN = /^\s*(import|export type|type|export interface|interface|\||\w+\??: [\w<>[\]| ]+$)/
/** The texts on it are types. */
const SIGNATURE = /^(export )?(async )?function |^\): /
/** Given back or nothing given back: whoever asks gets no for an answer. */
const NOTHING = new Set(['undefined', 'false'])
const STATEMENT =
  /^( +)(?!return|throw|const|let|if|for|while|case|default|\}|\{|else|try|catch|export|break|continue)((?:await |void )?[\w#.!?]+\(.*\)|[\w#.[\]!]+ (?:[-+]?|\?\?)= .+|[\w#.]+(?:\+\+|--))$/

export function mutantsOf(file: string, source: string): Mutant[] {
  const code = codeOnly(source)
  const lines = source.split('\n')
  const lineAt = (at: number) => source.slice(0, at).split('\n').length
  return [...changesOf(source, code), ...inSql(source)].map(({ at, length, put }) => {
    const was = source.slice(at, at + length)
    const what = `${was.trim().slice(0, 60)} → ${put.trim().slice(0, 60) || 'nothing'}`
    const line = lineAt(at)
    return {
      file,
      line,
      text: lines[line - 1]!.trim(),
      what,
      source: source.slice(0, at) + put + source.slice(at + length),
    }
  })
}

function changesOf(source: string, code: string): Change[] {
  const changes: Change[] = []
  let start = 0
  let isInterface = false
  for (const line of code.split('\n')) {
    const at = start
    start += line.length + 1
    if (/^(export )?(interface|type) .*[{=]$/.test(line)) isInterface = true
    if (isInterface || NOT_RUN.test(line) || LEFT_OUT.test(line)) {
      if (/^\}|^$/.test(line)) isInterface = false
      continue
    }
    changes.push(...onLine(line, at, source.slice(at, at + line.length)))
  }
  return changes
}

function inSql(source: string): Change[] {
  return Array.from(source.matchAll(STATEMENT_OF_SQL)).flatMap(({ 0: sql, index: from }) =>
    SQL_SWAPS.flatMap(([of, put]) =>
      Array.from(sql.matchAll(of), (found) => ({ at: from + found.index, length: found[0].length, put: put(found) })),
    ),
  )
}

function onLine(line: string, at: number, original: string): Change[] {
  const changes: Change[] = []
  for (const [token, put] of SWAPS) {
    for (let i = line.indexOf(token); i >= 0; i = line.indexOf(token, i + 1))
      changes.push({ at: at + i, length: token.length, put })
  }
  for (const found of line.matchAll(/\b(true|false)\b/g)) {
    changes.push({ at: at + found.index, length: found[0].length, put: found[0] === 'true' ? 'false' : 'true' })
  }
  for (const found of line.matchAll(/(?<![\w.$#]|>\[)\d[\d_]*(?![\w.])/g)) {
    if (Number(found[0].replaceAll('_', '')) >= TASTE_FROM) continue
    changes.push({
      at: at + found.index,
      length: found[0].length,
      put: String(Number(found[0].replaceAll('_', '')) + 1),
    })
  }
  for (const found of line.matchAll(/!(?=[\w(#])(?<![\w)\]]!)/g))
    changes.push({ at: at + found.index, length: 1, put: '' })
  for (const found of line.matchAll(/'\0*'/g)) {
    if (SIGNATURE.test(line) || /\b(Extract|Exclude|Pick|Omit)</.test(line)) break
    changes.push({
      at: at + found.index,
      length: found[0].length,
      put: original.slice(found.index, found.index + found[0].length) === "''" ? "'?'" : "''",
    })
  }
  const test = /\b(?:if|while) \(/.exec(line)
  if (test) changes.push(...conditions(line, at, test.index + test[0].length))
  const statement = STATEMENT.exec(line)
  if (statement && isWhole(statement[2]!))
    changes.push({ at: at + statement[1]!.length, length: statement[2]!.length, put: 'void 0' })
  const returned = /\breturn (.+)$/.exec(line)
  if (returned && !NOTHING.has(returned[1]!) && isWhole(returned[1]!))
    changes.push({ at: at + returned.index + 7, length: returned[1]!.length, put: 'undefined as never' })
  return changes
}

/** The condition as a whole: always, and never. */
function conditions(line: string, at: number, from: number): Change[] {
  let depth = 1
  for (let i = from; i < line.length; i++) {
    depth += line[i] === '(' ? 1 : line[i] === ')' ? -1 : 0
    if (depth > 0) continue
    return ['true', 'false'].map((put) => ({ at: at + from, length: i - from, put }))
  }
  return []
}

/** Its brackets close: no part of a statement over several lines. */
function isWhole(text: string): boolean {
  let depth = 0
  for (const char of text) {
    depth += '([{'.includes(char) ? 1 : ')]}'.includes(char) ? -1 : 0
    if (depth < 0) return false
  }
  return depth === 0
}

/** The source with comments blanked and texts filled with NULs; of the same length, the quotes stay. */
function codeOnly(source: string): string {
  return source.replaceAll(
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`|(?<=[(,=:] )\/(?:\\.|\[(?:\\.|[^\]])*\]|[^/\\\n])+\/[gimsuy]*/g,
    (found) => {
      const blank = (text: string, fill: string) => text.replaceAll(/[^\n]/g, fill)
      if (found.startsWith("'")) return `'${blank(found.slice(1, -1), '\0')}'`
      return blank(found, found.startsWith('/*') || found.startsWith('//') ? ' ' : '\u0001')
    },
  )
}
