/** Schemas of the OpenAPI document as checks of answers: a field that the document does not name is a fault, too. */
import { z } from 'zod'
import type { ApiDocument } from '../../src/admin/api/index.ts'

const isObject = (value: unknown): value is Record<string, unknown> => value !== null && typeof value === 'object'

/** Every object that does not say otherwise has no other fields. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed)
  if (!isObject(value)) {
    return typeof value === 'string' ? value.replace('#/components/schemas/', '#/$defs/') : value
  }
  const inner = Object.fromEntries(Object.entries(value).map(([key, one]) => [key, closed(one)]))
  return inner.type === 'object' && inner.properties && !('additionalProperties' in inner)
    ? { ...inner, additionalProperties: false }
    : inner
}

/** What is wrong with an answer, by the schema of this operation and status. Undefined: nothing. */
export function answerChecker({ paths, components }: ApiDocument) {
  const $defs = closed(components.schemas) as Record<string, object>
  return (method: string, path: string, status: number, body: unknown): string | undefined => {
    const operation = paths[path]?.[method.toLowerCase() as 'get']
    const written = operation?.responses[status]
    if (!written) return `${status} is not in the document`
    const response = '$ref' in written ? components.responses[written.$ref.split('/').at(-1)!]! : written
    const schema = response.content?.['application/json']?.schema
    if (!schema) return undefined
    const check = z.fromJSONSchema({ ...(closed(schema) as object), $defs } as Parameters<typeof z.fromJSONSchema>[0])
    const { error } = check.safeParse(body)
    return error && JSON.stringify(error.issues)
  }
}
