/**
 * XML as a tree of JSON and back, in the same form for requests and replies. An element is an object of its children by
 * name; `@name` is an attribute and `#text` its text. An element with only a text is that text. Several children of one
 * name are a list.
 */
import type { Json, JsonObject } from '../../ussd/index.ts'
import { attribute, type Element } from './xml.ts'

/** Possible names of an element or, with `@`, of an attribute. */
export const XML_NAME = /^(#text|@?[A-Za-z_][\w.-]*)$/

/** A document. `tree` has one key: its element. */
export function toXml(tree: JsonObject): string {
  return `<?xml version="1.0" encoding="UTF-8"?>${childrenOf(tree)}`
}

/** The content of an element. */
export function fromXml({ attributes, children, text }: Element): Json {
  const own = text.trim()
  const found = new Map<string, Json>(Object.entries(attributes).map(([name, value]) => [`@${name}`, value]))
  if (found.size === 0 && children.length === 0) return own
  if (own !== '') found.set('#text', own)
  for (const child of children) {
    const before = found.get(child.name)
    const value = fromXml(child)
    found.set(child.name, before === undefined ? value : Array.isArray(before) ? [...before, value] : [before, value])
  }
  return Object.fromEntries(found)
}

function childrenOf(tree: JsonObject): string {
  return Object.entries(tree)
    .flatMap(([name, value]) =>
      name.startsWith('@')
        ? []
        : name === '#text'
          ? [textOf(value)]
          : [value].flat(1).map((item) => element(name, item)),
    )
    .join('')
}

function element(name: string, value: Json): string {
  const isTree = value !== null && typeof value === 'object' && !Array.isArray(value)
  const inner = isTree ? childrenOf(value) : textOf(value)
  const attributes = isTree
    ? Object.entries(value)
        .flatMap(([key, of]) => (key.startsWith('@') ? [` ${key.slice(1)}="${attribute(shown(of))}"`] : []))
        .join('')
    : ''
  return inner === '' ? `<${name}${attributes}/>` : `<${name}${attributes}>${inner}</${name}>`
}

function textOf(value: Json): string {
  return shown(value).replace(/[&<>\r]/g, (character) => `&#${character.charCodeAt(0)};`)
}

function shown(value: Json): string {
  return value === null ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value)
}
