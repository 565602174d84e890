/** A collection for Postman (format 2.1), made from the OpenAPI document: a folder a tag, with example bodies. */
import type { ApiDocument, ApiMethod, ApiParameter, DocumentedOperation } from './document.ts'

interface PostmanRequest {
  name: string
  request: {
    method: string
    description: string
    header: { key: string; value: string }[]
    url: {
      raw: string
      host: string[]
      path: string[]
      query?: { key: string; value: string; description: string; disabled: boolean }[]
      variable?: { key: string; value: string; description: string }[]
    }
    auth?: { type: 'noauth' }
    body?: { mode: 'raw'; raw: string; options: { raw: { language: 'json' } } }
  }
}

export interface PostmanCollection {
  info: { name: string; description: string; schema: string }
  auth: { type: 'bearer'; bearer: { key: string; value: string; type: string }[] }
  variable: { key: string; value: string }[]
  item: { name: string; description: string; item: PostmanRequest[] }[]
}

const FORMAT = 'https://schema.getpostman.com/json/collection/v2.1.0/collection.json'

export function postmanCollection({ info, tags, paths, servers }: ApiDocument): PostmanCollection {
  const all = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method as ApiMethod, operation })),
  )
  return {
    info: { name: info.title, description: `Set baseUrl and token. ${info.description}`, schema: FORMAT },
    auth: { type: 'bearer', bearer: [{ key: 'token', value: '{{token}}', type: 'string' }] },
    variable: [
      { key: 'baseUrl', value: servers[0]!.url },
      { key: 'token', value: '' },
    ],
    item: tags.map(({ name, description }) => ({
      name,
      description,
      item: all.filter(({ operation }) => operation.tags.includes(name)).map(requestOf),
    })),
  }
}

interface Placed {
  path: string
  method: ApiMethod
  operation: DocumentedOperation
}

function requestOf({ path, method, operation }: Placed): PostmanRequest {
  const { summary, description, parameters, requestBody, security } = operation
  const query = parameters.filter((one) => one.in === 'query').map(queryOf)
  const variable = parameters.filter((one) => one.in === 'path').map(variableOf)
  const place = path.replaceAll(/\{(\w+)\}/g, ':$1')
  const sent = query.filter(({ disabled }) => !disabled).map(({ key, value }) => `${key}=${value}`)
  const example = requestBody?.content['application/json'].example
  return {
    name: summary,
    request: {
      method: method.toUpperCase(),
      description,
      header: example ? [{ key: 'Content-Type', value: 'application/json' }] : [],
      url: {
        raw: `{{baseUrl}}${place}${sent.length ? `?${sent.join('&')}` : ''}`,
        host: ['{{baseUrl}}'],
        path: place.slice(1).split('/'),
        ...(query.length ? { query } : {}),
        ...(variable.length ? { variable } : {}),
      },
      ...(security.length === 0 ? { auth: { type: 'noauth' as const } } : {}),
      ...(example
        ? {
            body: {
              mode: 'raw' as const,
              raw: JSON.stringify(example, null, 2),
              options: { raw: { language: 'json' as const } },
            },
          }
        : {}),
    },
  }
}

/** One that has an example is sent; the others are there to be switched on. */
function queryOf({ name, description = '', example }: ApiParameter) {
  return {
    key: name,
    value: example === undefined ? '' : String(example),
    description,
    disabled: example === undefined,
  }
}

function variableOf({ name, description = '', example }: ApiParameter) {
  return { key: name, value: String(example ?? ''), description }
}
