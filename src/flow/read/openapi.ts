/**
 * The operations of a back end out of its OpenAPI document (3.x, as JSON or YAML). The last part of a path is the
 * operation. It reads if it is a GET or says `x-ussd-does: reads`; it changes something if it takes the header
 * Idempotency-Key or says `x-ussd-does: changes`. The answer is that of 200, refusals are the `refusal` of 409.
 */
import { isRefusalName } from '../../ussd/index.ts'
import type { DeclaredFields, OperationSaid, Path } from '../language/index.ts'

type Block = Readonly<Record<string, unknown>>

const block = (value: unknown): Block =>
  value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Block) : {}
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

export function isOpenApi(value: unknown): boolean {
  return typeof block(value).openapi === 'string'
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const
/** The most references behind each other: a schema may refer to itself. */
const REFERENCES_MAX = 20

export function openApiOperations(document: unknown): {
  operations: Record<string, OperationSaid>
  /** Where each operation is described. */
  places: Record<string, Path>
} {
  const operations: Record<string, OperationSaid> = {}
  const places: Record<string, Path> = {}
  for (const [path, item] of Object.entries(block(block(document).paths))) {
    const name = path.split('/').findLast((part) => /^[a-zA-Z][a-zA-Z0-9-]*$/.test(part))
    const method = METHODS.find((one) => Object.hasOwn(block(item), one))
    if (name === undefined || method === undefined) continue
    operations[name] = operationOf(method, block(block(item)[method]), document)
    places[name] = ['paths', path, method]
  }
  return { operations, places }
}

function operationOf(method: string, operation: Block, document: unknown): OperationSaid {
  const deref = (value: unknown) => dereferenced(value, document)
  const does = doesOf(method, operation, deref)
  const answers = fieldsOf(bodyOf(operation, '200', deref), deref)
  const refusals = refusalsOf(bodyOf(operation, '409', deref), deref)
  return {
    ...(does === undefined ? {} : { does }),
    ...(Object.keys(answers).length === 0 ? {} : { answers }),
    ...(refusals === undefined ? {} : { refusals }),
  }
}

type Deref = (value: unknown) => Block

function doesOf(method: string, operation: Block, deref: Deref): OperationSaid['does'] {
  const said = operation['x-ussd-does']
  if (said === 'reads' || said === 'changes') return said
  const headers = list(operation.parameters).map(deref)
  if (headers.some(({ in: at, name }) => at === 'header' && String(name).toLowerCase() === 'idempotency-key'))
    return 'changes'
  return method === 'get' ? 'reads' : undefined
}

function bodyOf(operation: Block, status: string, deref: Deref): Block {
  const response = deref(block(operation.responses)[status])
  return deref(block(block(response.content)['application/json']).schema)
}

/** The fields of an object, with the bounds that flows can use. */
function fieldsOf(schema: Block, deref: Deref): DeclaredFields {
  const required = new Set(list(schema.required))
  const fields = Object.entries(block(schema.properties)).map(([name, written]): [string, DeclaredFields[string]] => {
    const field = deref(written)
    const is = TYPES[String(list(field.type)[0] ?? field.type)] ?? 'any'
    const max = is === 'text' ? field.maxLength : is === 'rows' ? field.maxItems : field.maximum
    const of = is === 'rows' ? rowFields(deref(field.items), deref) : undefined
    return [
      name,
      {
        is,
        ...(is === 'number' && Number.isInteger(field.minimum) ? { min: field.minimum as number } : {}),
        ...(is !== 'any' && Number.isInteger(max) && (max as number) > 0 ? { max: max as number } : {}),
        ...(of ? { fields: of } : {}),
        ...(required.has(name) ? {} : { optional: true }),
      },
    ]
  })
  return Object.fromEntries(fields)
}

const TYPES: Readonly<Record<string, 'text' | 'number' | 'boolean' | 'rows'>> = {
  string: 'text',
  number: 'number',
  integer: 'number',
  boolean: 'boolean',
  array: 'rows',
}

/** Characters of a text whose length nobody gives, and digits of a number whose bound nobody gives. */
const LIKELY = { text: 24, digits: 9 }

/** The most characters, or digits, of the fields of a row. */
function rowFields(schema: Block, deref: Deref): Record<string, number> | undefined {
  const fields = Object.entries(block(schema.properties)).map(([name, written]): [string, number] => {
    const { type, maxLength, maximum } = deref(written)
    const digits = typeof maximum === 'number' ? String(Math.ceil(Math.abs(maximum))).length : LIKELY.digits
    return [name, type === 'string' ? (Number.isInteger(maxLength) ? (maxLength as number) : LIKELY.text) : digits]
  })
  return fields.length === 0 ? undefined : Object.fromEntries(fields)
}

function refusalsOf(schema: Block, deref: Deref): OperationSaid['refusals'] {
  const ways = list(schema.oneOf).length > 0 ? list(schema.oneOf).map(deref) : [schema]
  const named = ways.flatMap((way) => {
    const properties = block(way.properties)
    const { enum: among, const: only } = deref(properties.refusal)
    const names = only === undefined ? list(among) : [only]
    const data = fieldsOf(deref(properties.data), deref)
    return names.filter(isRefusalName).map((name): [string, DeclaredFields] => [name, data])
  })
  return named.length === 0 ? undefined : Object.fromEntries(named)
}

/** The value, or what it refers to within the document. */
function dereferenced(value: unknown, document: unknown): Block {
  let here = block(value)
  for (let n = 0; typeof here.$ref === 'string' && n < REFERENCES_MAX; n++) {
    const keys = here.$ref.startsWith('#/') ? here.$ref.slice(2).split('/') : []
    const names = keys.map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
    here = block(names.reduce<unknown>((at, key) => block(at)[key], keys.length === 0 ? undefined : document))
  }
  return here
}
