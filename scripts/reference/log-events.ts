/** docs/reference/LOG-EVENTS.md: every log event, found in the calls of the source. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../src/base/package-root.ts'
import { LOG_MEANINGS } from './log-meanings.ts'
import { code, generated, table } from './page.ts'
import { sourceFiles } from './sources.ts'

const HEAD = `# Log events

Every line that the daemon may write to its log. The log is JSON, one object a line: \`level\`, \`time\`, \`pid\`, \`msg\` (the message
below, always the same words), and the fields named here. Numbers of subscribers are masked; \`subscriber\` is a keyed hash to
follow one of them by. \`err\` has \`type\`, \`message\`, \`code\` and \`stack\`. A field \`remedy\` says what to do.

An \`error\` needs a person. A \`warn\` needs one if it comes again. An \`info\` is for the record. \`log.level\` sets what is written.
`

export const LEVELS = ['error', 'warn', 'info', 'debug'] as const

export interface LogEvent {
  level: (typeof LEVELS)[number]
  message: string
  fields: string[]
  file: string
}

/** `log.warn(`, and `log[level](` with an expression that chooses the level. */
const CALL = /\blog(?:\??\.(debug|info|warn|error)|\[([^\]]+)\])\(/g
const STRING = /'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`/g

/**
 * All events, sorted by level and message. A call that passes a message on (`log.warn(fields, message)`) is not an
 * event.
 */
export function logEvents(): LogEvent[] {
  const all = sourceFiles().flatMap((file) => eventsIn(readFileSync(join(packageRoot, file), 'utf8'), file))
  const unique = new Map(all.map((event) => [`${event.level} ${event.message} ${event.file}`, event]))
  const rank = (event: LogEvent) => `${LEVELS.indexOf(event.level)} ${event.message} ${event.file}`
  return [...unique.values()].toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1))
}

/** The events that one file writes. */
export function eventsIn(source: string, file: string): LogEvent[] {
  return [...source.matchAll(CALL)].flatMap((call) => {
    const [fields = '', ...more] = argumentsFrom(source, call.index + call[0].length)
    const message = more.at(-1)
    if (message === undefined) return []
    const messages = messagesOf(message, source)
    return levelsOf(call[1] ?? call[2]!, source).flatMap((level) =>
      messages.map((one) => ({ level, message: one, fields: fieldsOf(fields), file })),
    )
  })
}

/** One level, or those among which an expression (or the constant that it names) chooses. */
function levelsOf(expression: string, source: string): LogEvent['level'][] {
  const chosen = new RegExp(`const ${/\w+/.exec(expression)![0]} = (.*)`).exec(source)?.[1] ?? ''
  return LEVELS.filter((level) => expression === level || new RegExp(`[?:] '${level}'`).test(`${expression} ${chosen}`))
}

/** The arguments of a call, split at its own commas. */
function argumentsFrom(source: string, from: number): string[] {
  const found: string[] = []
  let depth = 0
  let begin = from
  for (let at = from; at < source.length; at++) {
    const sign = source[at]!
    if (`'"\``.includes(sign)) {
      at = endOfString(source, at)
      continue
    }
    if ('([{'.includes(sign)) depth++
    if (depth === 0 && (sign === ',' || sign === ')')) {
      found.push(source.slice(begin, at).trim())
      begin = at + 1
      if (sign === ')') return found.filter((argument) => argument !== '')
    }
    if (')]}'.includes(sign)) depth--
  }
  return found
}

function endOfString(source: string, from: number): number {
  for (let at = from + 1; at < source.length; at++) {
    if (source[at] === '\\') at++
    else if (source[at] === source[from]) return at
  }
  return source.length
}

/** A message is a string, one of several by a condition, or a constant of the file. */
function messagesOf(expression: string, source: string): string[] {
  const own = stringsOf(expression)
  if (own.length > 0) return expression.includes('?') ? own : [own.join('')]
  const constant = new RegExp(`const ${expression}\\b[^=]*=\\s*((?:${STRING.source}|[\\s+?:\\w.=]|\\n)+)`).exec(source)
  return constant ? [stringsOf(constant[1]!).join('')].filter(Boolean) : []
}

function stringsOf(expression: string): string[] {
  return [...expression.matchAll(STRING)].map(([, one, two, three]) =>
    (one ?? two ?? three ?? '').replaceAll(/\$\{[^}]*\}/g, '…').replaceAll(/\\(['"`])/g, '$1'),
  )
}

/** The names of the fields in an object literal of the call; '…' for what is spread into it or created elsewhere. */
function fieldsOf(argument: string): string[] {
  if (!argument.startsWith('{')) return ['…']
  const inner = argumentsFrom(`${argument.slice(1, -1)})`, 0)
  return inner.map((field) => (field.startsWith('...') ? '…' : /^\w+/.exec(field)![0]))
}

export function logEventsPage(): string {
  const events = logEvents()
  const sections = LEVELS.flatMap((level) => [
    `## ${level}\n`,
    table(
      ['message', 'means', 'fields', 'from'],
      events
        .filter((event) => event.level === level)
        .map(({ message, fields, file }) => [
          code(message),
          LOG_MEANINGS[message] ?? '',
          fields.map((field) => (field === '…' ? field : code(field))).join(', '),
          file.replace(/^src\//, ''),
        ]),
    ),
  ])
  return generated(HEAD, ...sections)
}

/** Events without an explanation, and explanations without an event. */
export function unexplained(): { events: string[]; meanings: string[] } {
  const messages = new Set(logEvents().map(({ message }) => message))
  return {
    events: [...messages].filter((message) => !(message in LOG_MEANINGS)),
    meanings: Object.keys(LOG_MEANINGS).filter((message) => !messages.has(message)),
  }
}
