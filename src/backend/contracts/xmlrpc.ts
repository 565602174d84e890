/** As much of XML-RPC as a dialogue needs: one struct is sent, one value comes back. (xmlrpc.com/spec) */
import { Nonsense } from '../body.ts'
import type { Json, JsonObject } from '../../ussd/index.ts'
import { parseXml, type Element } from './xml.ts'
import { toXml } from './xml-tree.ts'

/** A call of this procedure with the fields as its one parameter. */
export function writeCall(procedure: string, fields: JsonObject): string {
  return toXml({ methodCall: { methodName: procedure, params: { param: { value: typed(fields) } } } })
}

/** The returned value. Throws Nonsense on a fault, and if the text is not a response. */
export function readResponse(source: string): Json {
  const root = parseXml(source)
  if (root.name !== 'methodResponse') throw new Nonsense('XML-RPC: methodResponse is missing')
  const value = within(root, 'params', 'param', 'value')
  if (!value) throw new Nonsense(within(root, 'fault') ? 'XML-RPC: a fault' : 'XML-RPC: the response has no value')
  return valueOf(value)
}

function typed(value: Json): JsonObject {
  if (value === null) return { nil: '' }
  if (typeof value === 'boolean') return { boolean: value ? '1' : '0' }
  if (typeof value === 'number') return Number.isInteger(value) ? { int: value } : { double: value }
  if (typeof value === 'string') return { string: value }
  if (Array.isArray(value)) return { array: { data: { value: value.map(typed) } } }
  return { struct: { member: Object.entries(value).map(([name, of]) => ({ name, value: typed(of) })) } }
}

function valueOf({ children: [value], text }: Element): Json {
  if (!value) return text
  switch (value.name) {
    case 'struct':
      return Object.fromEntries(
        value.children.map((member) => {
          const of = within(member, 'value')
          return [within(member, 'name')?.text.trim() ?? '', of ? valueOf(of) : null]
        }),
      )
    case 'array':
      return within(value, 'data')?.children.map(valueOf) ?? []
    case 'int':
    case 'i4':
    case 'i8':
    case 'double':
      return Number(value.text)
    case 'boolean':
      return value.text.trim() === '1'
    case 'nil':
      return null
    default:
      return value.text
  }
}

function within(element: Element, ...path: string[]): Element | undefined {
  return path.reduce<Element | undefined>((at, name) => at?.children.find((child) => child.name === name), element)
}
