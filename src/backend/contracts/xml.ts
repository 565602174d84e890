/**
 * The subset of XML that contracts use: elements, attributes, text. No document type, no entities except XML's own five
 * and numbers, no processing instruction except the declaration: nothing that can grow or reach out. (XML 1.0, fifth
 * edition)
 */
import { Nonsense } from '../body.ts'

export interface Element {
  name: string
  attributes: Record<string, string>
  children: Element[]
  text: string
}

/** Deeper and larger than any real dialogue. */
const DEPTH_MAX = 20
const ELEMENTS_MAX = 500

const NAME = /[A-Za-z_][\w.:-]*/y
const SPACE = /[ \t\r\n]*/y
const DECLARATION = /<\?xml[ \t\r\n][^?]*\?>/y
const COMMENT = /<!--(?:(?!--)[\s\S])*-->/y
const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

/** The document's element. Throws Nonsense if the text is not well formed, or not of this subset. */
export function parseXml(source: string): Element {
  const reader = { source, at: 0, elements: 0 }
  take(reader, SPACE)
  take(reader, DECLARATION)
  skipBetween(reader)
  const root = element(reader, 0)
  skipBetween(reader)
  if (reader.at < source.length) throw new Nonsense('XML: there is text after the document')
  return root
}

/** The text in the form for an attribute. Line feeds are escaped: a parser would turn them into blanks. (§3.3.3) */
export function attribute(text: string): string {
  return text.replace(/[&<>"'\n\r\t]/g, (character) => `&#${character.charCodeAt(0)};`)
}

interface Reader {
  source: string
  at: number
  elements: number
}

function take(reader: Reader, pattern: RegExp): string {
  pattern.lastIndex = reader.at
  const found = pattern.exec(reader.source)?.[0] ?? ''
  reader.at += found.length
  return found
}

function skipBetween(reader: Reader): void {
  do take(reader, SPACE)
  while (take(reader, COMMENT) !== '')
}

function expect(reader: Reader, text: string): void {
  if (!reader.source.startsWith(text, reader.at)) throw new Nonsense(`XML: '${text}' expected`)
  reader.at += text.length
}

function name(reader: Reader): string {
  const found = take(reader, NAME)
  if (found === '') throw new Nonsense('XML: a name is missing')
  return found
}

function element(reader: Reader, depth: number): Element {
  if (depth > DEPTH_MAX || ++reader.elements > ELEMENTS_MAX)
    throw new Nonsense('XML: the document is too deep or too large')
  expect(reader, '<')
  const found: Element = { name: name(reader), attributes: attributes(reader), children: [], text: '' }
  if (reader.source.startsWith('/>', reader.at)) {
    reader.at += 2
    return found
  }
  expect(reader, '>')
  content(reader, found, depth)
  expect(reader, `</`)
  if (name(reader) !== found.name) throw new Nonsense('XML: an element has a wrong closing tag')
  take(reader, SPACE)
  expect(reader, '>')
  return found
}

function attributes(reader: Reader): Record<string, string> {
  const found = new Map<string, string>()
  while (take(reader, SPACE) !== '' && !/[/>]/.test(reader.source[reader.at] ?? '>')) {
    const key = name(reader)
    take(reader, SPACE)
    expect(reader, '=')
    take(reader, SPACE)
    const quote = reader.source[reader.at]
    if (quote !== '"' && quote !== "'") throw new Nonsense('XML: a value must be in quotes')
    const end = reader.source.indexOf(quote, reader.at + 1)
    if (end < 0 || found.has(key)) throw new Nonsense('XML: a value has no end, or an attribute is there twice')
    found.set(key, decoded(reader.source.slice(reader.at + 1, end).replace(/[\t\r\n]/g, ' ')))
    reader.at = end + 1
  }
  return Object.fromEntries(found)
}

function content(reader: Reader, into: Element, depth: number): void {
  for (;;) {
    const next = reader.source.indexOf('<', reader.at)
    if (next < 0) throw new Nonsense('XML: an element has no end')
    into.text += decoded(reader.source.slice(reader.at, next))
    reader.at = next
    if (reader.source.startsWith('</', next)) return
    if (reader.source.startsWith('<!', next)) {
      if (take(reader, COMMENT) === '') throw new Nonsense('XML: only comments may begin with <!')
    } else {
      const child = element(reader, depth + 1)
      // In all of these contracts it is a line feed within a text.
      if (child.name === 'br') into.text += '\n'
      else into.children.push(child)
    }
  }
}

function decoded(text: string): string {
  if (text.includes('<')) throw new Nonsense('XML: a value contains <')
  return text.replace(/&([^;&]*;?)/g, (_all, written: string) => {
    // Applications that fill a template often do not write &amp;. A lone & means itself, unless it could mean two
    // things.
    if (!/^#?\w+;$/.test(written)) {
      if (/^(#|amp|lt|gt|quot|apos)/.test(written)) throw new Nonsense('XML: an entity has no end')
      return `&${written}`
    }
    const entity = written.slice(0, -1)
    const code = /^#(\d{1,7})$/.exec(entity)?.[1] ?? /^#x([\da-fA-F]{1,6})$/.exec(entity)?.[1]
    if (code !== undefined) return character(Number.parseInt(code, entity.startsWith('#x') ? 16 : 10))
    if (!Object.hasOwn(ENTITIES, entity)) throw new Nonsense('XML: unknown entity')
    return ENTITIES[entity]!
  })
}

function character(code: number): string {
  const isChar =
    code === 9 || code === 10 || code === 13 || (code >= 32 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff))
  if (!isChar) throw new Nonsense('XML: a character number is wrong')
  return String.fromCodePoint(code)
}
