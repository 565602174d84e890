/** Reads the reply of an application by its contract: the text of the screen, and whether it waits for an answer. */
import type { AppSaid } from '../../flow/engine/index.ts'
import type { Json, JsonObject } from '../../ussd/index.ts'
import { Nonsense, parseJson } from '../body.ts'
import { contractText } from './fill.ts'
import type { ReplyMark, ReplyProfile } from './profile.ts'
import type { HttpAnswer } from './types.ts'
import { parseXml } from './xml.ts'
import { fromXml } from './xml-tree.ts'
import { readResponse } from './xmlrpc.ts'

type Place = string | number

/** Throws Nonsense: a message for the log, without anything from the application. */
export function readReply(rules: ReplyProfile, answer: HttpAnswer): AppSaid {
  if (!rules.statuses.includes(answer.status)) throw new Nonsense(`status ${answer.status}`)
  const parsed = parse(rules, answer.body)
  const found = { rules, answer, parsed }
  const all = [rules.continue].flat().map((mark) => marked(mark, found))
  const goesOn = all.every(({ met }) => met)
  const by = goesOn
    ? all[0]
    : [rules.end]
        .flat()
        .map((mark) => marked(mark, found))
        .find(({ met }) => met)
  if (!by) throw new Nonsense('the reply does not say whether the dialogue goes on or ends')
  return { text: textOf(rules, parsed, answer.body.slice(by.strip)), end: !goesOn, state: stateOf(rules, parsed) }
}

interface Found {
  rules: ReplyProfile
  answer: HttpAnswer
  parsed: Json
}

/** `strip`: how much of the body the mark takes. */
function marked(mark: ReplyMark, { answer, parsed }: Found): { met: boolean; strip: number } {
  if (mark.prefix !== undefined) return prefixed(mark.prefix, answer.body)
  if (mark.has !== undefined) return { met: rowsAt(parsed, mark.has).length > 0, strip: 0 }
  const value = mark.field === undefined ? answer.headers[mark.header!.toLowerCase()] : at(parsed, mark.field)
  return { met: mark.is!.some((wanted) => same(wanted, value)), strip: 0 }
}

/** Leading blanks are ignored: many applications send a stray line feed. */
function prefixed(prefix: string, body: string): { met: boolean; strip: number } {
  const start = /^\s*/.exec(body)![0].length
  const isThere = body.slice(start, start + prefix.length).toUpperCase() === prefix.toUpperCase()
  const next = body[start + prefix.length] ?? ''
  const isWord = /^[A-Za-z]/.test(prefix) && /[\p{L}\p{N}]/u.test(next)
  if (!isThere || isWord) return { met: false, strip: 0 }
  return { met: true, strip: start + prefix.length + (next === ' ' ? 1 : 0) }
}

function same(wanted: string | number | boolean | null, value: Json | undefined): boolean {
  // null means: it is absent.
  if (value === undefined || value === null) return wanted === null
  if (typeof wanted === 'string' && typeof value === 'string')
    return wanted.toLowerCase() === value.trim().toLowerCase()
  // PHP and similar languages send 1, "1" or "true" for true.
  return contractText(wanted) === contractText(value)
}

function textOf(rules: ReplyProfile, parsed: Json, body: string): string {
  if (rules.text === undefined) return body
  const places = Array.isArray(rules.text) ? rules.text : [rules.text]
  return places
    .flatMap((place) => (typeof place === 'object' ? rowLines(place, parsed) : linesOf(at(parsed, place))))
    .join('\n')
}

function rowLines({ rows, line }: { rows: Place; line: string }, parsed: Json): string[] {
  return rowsAt(parsed, rows).flatMap((row) => {
    const missing: string[] = []
    const text = line.replace(/\{([^{}]+)\}/g, (_all, name: string) => {
      const value = contractText(at(row, name) ?? '')
      if (value === '') missing.push(name)
      return value
    })
    return missing.length > 0 ? [] : [text]
  })
}

function rowsAt(parsed: Json, rows: Place): Json[] {
  const found = at(parsed, rows)
  return found === undefined ? [] : Array.isArray(found) ? found : [found]
}

function linesOf(value: Json | undefined): string[] {
  if (value === undefined || value === null || value === '') return []
  return Array.isArray(value) ? value.flatMap(linesOf) : [contractText(value)]
}

function stateOf(rules: ReplyProfile, parsed: Json): JsonObject {
  const kept: JsonObject = {}
  for (const [name, place] of Object.entries(rules.state)) {
    kept[name] =
      typeof place !== 'object'
        ? (at(parsed, place) ?? '')
        : Object.fromEntries(
            rowsAt(parsed, place.rows).map((row) => [
              contractText(at(row, place.key) ?? ''),
              at(row, place.value) ?? '',
            ]),
          )
  }
  return kept
}

function parse(rules: ReplyProfile, body: string): Json {
  if (rules.as === 'text') return body
  if (rules.as === 'xmlrpc') return readResponse(body.trim())
  if (rules.as === 'xml') {
    const root = parseXml(body.trim())
    return { [root.name]: fromXml(root) }
  }
  if (rules.as === 'form') return Object.fromEntries(new URLSearchParams(body.trim()))
  if (rules.as === 'delimited') return body.trim().split(rules.separator)
  try {
    return parseJson(body.trim())
  } catch (error) {
    throw new Nonsense('not JSON', error)
  }
}

function at(value: Json, place: Place): Json | undefined {
  let here: Json | undefined = value
  for (const key of String(place).split('.')) {
    // An element with only a text is that text.
    if (key === '#text' && typeof here === 'string') continue
    if (here === null || typeof here !== 'object') return undefined
    // Negative: counted from the end, since the number of parts is unknown. A name: that of each part.
    if (Array.isArray(here))
      here = /^-?\d+$/.test(key) ? here.at(Number(key)) : here.flatMap((item) => at(item, key) ?? [])
    else here = Object.hasOwn(here, key) ? here[key] : undefined
  }
  return here
}
