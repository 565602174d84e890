/** The OpenAPI 3.1 document of the admin server, made from the schemas by which requests are checked. */
import { z } from 'zod'
import { packageVersion } from '../../base/index.ts'
import { ROLES, ROUTE_ROLES, type AdminRole } from '../roles.ts'
import { errorAnswer } from './answers.ts'
import { API_OPERATIONS, type ApiOperation } from './operations.ts'

export type JsonSchema = Readonly<Record<string, unknown>>

export interface ApiParameter {
  name: string
  in: 'path' | 'query'
  required: boolean
  description?: string
  schema: JsonSchema
  example?: string | number
}

export interface ApiResponse {
  description: string
  content?: Record<string, { schema: JsonSchema }>
  headers?: Record<string, { schema: JsonSchema }>
}

export interface DocumentedOperation {
  operationId: string
  summary: string
  description: string
  tags: string[]
  security: Record<string, string[]>[]
  'x-roles': readonly AdminRole[]
  parameters: ApiParameter[]
  requestBody?: { required: boolean; content: { 'application/json': { schema: JsonSchema; example?: object } } }
  responses: Record<string, ApiResponse | { $ref: string }>
}

export type ApiMethod = 'get' | 'post' | 'delete'

export interface ApiDocument {
  openapi: '3.1.1'
  info: { title: string; version: string; description: string; license: { name: string; identifier: string } }
  servers: { url: string; description: string }[]
  tags: { name: string; description: string }[]
  paths: Record<string, Partial<Record<ApiMethod, DocumentedOperation>>>
  components: {
    schemas: Record<string, JsonSchema>
    responses: Record<string, ApiResponse>
    securitySchemes: Record<string, JsonSchema>
  }
}

const TAGS: Record<ApiOperation['tag'], string> = {
  daemon: 'daemons: alive, ready, metrics, settings',
  lines: 'lines to SMSCs, their history, test dials',
  alarms: 'what somebody should be woken for',
  log: 'the level of the log, for a while',
  flows: 'which revision of a flow serves whom',
  subscribers: 'one subscriber, for who answers a complaint',
  sms: 'SMS of applications, and of all for support',
  push: 'USSD that we begin',
  document: 'this document',
}

/** What stands in a path. */
const IN_PATH: Record<string, { schema: JsonSchema; description: string; example: string }> = {
  line: { schema: { type: 'string' }, description: 'the name of a line', example: 'test' },
  name: {
    schema: { type: 'string', pattern: '^[a-z][a-z0-9-]{0,63}$' },
    description: 'the name of a flow',
    example: 'dental',
  },
  revision: {
    schema: { type: 'string' },
    description: 'a revision, as /v1/flows has it',
    example: 'dental@0123456789ab',
  },
  group: { schema: { type: 'string' }, description: 'the group of the line; without one, its name', example: 'test' },
  msisdn: { schema: { type: 'string' }, description: 'international digits', example: '67570000001' },
  epoch: {
    schema: { type: 'string' },
    description: 'the epoch of a dialogue, as the log has it',
    example: '01968a1c-7f00-7000-8000-000000000000',
  },
  id: { schema: { type: 'string', pattern: '^[0-9]{1,18}$' }, description: 'an id, as the list has it', example: '1' },
}

const DESCRIPTION = `What the admin server of ussd-connector answers. Each operation names the roles of which a token needs one (x-roles);
docs/OPERATIONS.md, "The admin server", says how tokens are made. Answers may get more fields: a client ignores those that it does not know.
Not in this document: the pages at /desk, and the HTTP ingress, which is another server with the contract of an aggregator (docs/CONTRACTS.md).`

/** What every route may answer. */
const ALWAYS: Record<string, string> = {
  400: 'the request is wrong',
  401: 'no token, or a wrong one',
  403: 'the token lacks the role',
  429: 'too many wrong tokens from this address',
  413: 'the body is too large',
  500: 'a fault of ours, or a store that does not answer: the log says why',
}

export function openApiDocument(): ApiDocument {
  const schemas = components()
  const paths: ApiDocument['paths'] = {}
  for (const [route, operation] of Object.entries(API_OPERATIONS)) {
    const [method, path] = route.split(' ') as [string, string]
    const place = path.replaceAll(/:(\w+)/g, '{$1}')
    paths[place] = { ...paths[place], [method.toLowerCase()]: documented(route, operation, schemas.nameOf) }
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'ussd-connector: the admin server',
      version: packageVersion(),
      description: DESCRIPTION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: 'http://127.0.0.1:8123', description: 'admin.host and admin.port of the settings' }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: schemas.all,
      responses: Object.fromEntries(
        Object.entries(ALWAYS).map(([code, says]) => [`Error${code}`, failure(code, says, schemas.nameOf)]),
      ),
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'a token of admin.tokensFile (ussd-connector token)' },
      },
    },
  }
}

function documented(route: string, operation: ApiOperation, nameOf: NameOf): DocumentedOperation {
  const { tag, summary, body, example, isBodyFree = false } = operation
  const roles = ROUTE_ROLES[route] ?? []
  return {
    operationId: operationId(route),
    summary,
    description: described(roles),
    tags: [tag],
    security: securityOf(route),
    'x-roles': roles,
    parameters: parametersOf(route, operation),
    ...(body
      ? {
          requestBody: {
            required: !isBodyFree,
            content: { 'application/json': { schema: refTo(nameOf(body)), ...(example ? { example } : {}) } },
          },
        }
      : {}),
    responses: responsesOf(route, operation, nameOf),
  }
}

/** `POST /v1/lines/:line/stop`: postLinesStop. */
function operationId(route: string): string {
  const words = route
    .replace('/v1', '')
    .replace('.json', '')
    .split(/[ /-]+/)
    .map((word) => word.replace(/^:(\w)(\w*)$/, (_, first: string, rest: string) => `By${first.toUpperCase()}${rest}`))
  return words.map((word, i) => (i === 0 ? word.toLowerCase() : word.charAt(0).toUpperCase() + word.slice(1))).join('')
}

function described(roles: readonly AdminRole[]): string {
  if (roles.length === 0) return 'Needs no token.'
  if (roles.length === Object.keys(ROLES).length) return 'Any token.'
  return `Needs the role ${roles.join(' or ')}: ${roles.map((role) => ROLES[role]).join('; or ')}.`
}

function securityOf(route: string): DocumentedOperation['security'] {
  if (route === 'GET /live') return []
  // Without a token: yes or no.
  return route === 'GET /ready' ? [{}, { token: [] }] : [{ token: [] }]
}

function parametersOf(route: string, { query, values = {} }: ApiOperation): ApiParameter[] {
  const inPath = [...route.matchAll(/:(\w+)/g)].map(([, name]): ApiParameter => {
    const { schema, description, example } = IN_PATH[name!]!
    return { name: name!, in: 'path', required: true, description, schema, example: values[name!] ?? example }
  })
  if (!query) return inPath
  const whole = schemaOf(query, 'output') as { properties: Record<string, JsonSchema> }
  const asked = schemaOf(query, 'input') as { required?: string[] }
  const inQuery = Object.entries(whole.properties).map(([name, { description, ...schema }]): ApiParameter => {
    const example = values[name]
    return {
      name,
      in: 'query',
      required: asked.required?.includes(name) ?? false,
      ...(typeof description === 'string' ? { description } : {}),
      schema: plainNumber(name, schema),
      ...(example === undefined ? {} : { example }),
    }
  })
  return [...inPath, ...inQuery]
}

/** A number may be written with its `+`: what is checked is what is left then. */
function plainNumber(name: string, schema: JsonSchema): JsonSchema {
  return name === 'msisdn' ? { type: 'string' } : schema
}

function failure(code: string, description: string, nameOf: NameOf): ApiResponse {
  return {
    description,
    ...(code === '429' ? { headers: { 'retry-after': { schema: { type: 'string' } } } } : {}),
    content: { 'application/json': { schema: refTo(nameOf(errorAnswer)) } },
  }
}

function responsesOf(route: string, operation: ApiOperation, nameOf: NameOf): DocumentedOperation['responses'] {
  const { status = 200, also, answer, fails = {}, body } = operation
  const done: ApiResponse = { description: 'done', content: contentOf(answer, nameOf) }
  const codes = route === 'GET /live' ? [] : Object.keys(ALWAYS).filter((code) => code !== '413' || body !== undefined)
  const always = codes.map((code) => [code, { $ref: `#/components/responses/Error${code}` }])
  const own = Object.entries(fails).map(([code, says]) => {
    // Not ready is an answer, not a failure.
    const isAnswer = route === 'GET /ready' && code === '503'
    return [code, isAnswer ? { ...done, description: says } : failure(code, says, nameOf)]
  })
  return { [status]: done, ...(also ? { [also]: done } : {}), ...Object.fromEntries([...always, ...own]) }
}

function contentOf(answer: ApiOperation['answer'], nameOf: NameOf): NonNullable<ApiResponse['content']> {
  if (answer === 'application/vnd.tcpdump.pcap') return { [answer]: { schema: {} }, 'text/plain': TEXT }
  if (answer === 'text/plain') return { [answer]: TEXT }
  if (answer === 'application/json') return { [answer]: { schema: { type: 'object' } } }
  return { 'application/json': { schema: refTo(nameOf(answer)) } }
}

const TEXT = { schema: { type: 'string' } }

type NameOf = (schema: z.ZodType) => string

/** Each body and each answer once, by the name of the first operation that has it. */
function components(): { all: Record<string, JsonSchema>; nameOf: NameOf } {
  const names = new Map<z.ZodType, string>([[errorAnswer, 'Error']])
  const named = (schema: unknown, name: string) => {
    if (schema instanceof z.ZodType && !names.has(schema)) names.set(schema, name)
  }
  for (const [route, { body, answer }] of Object.entries(API_OPERATIONS)) {
    const id = operationId(route)
    const name = id.charAt(0).toUpperCase() + id.slice(1)
    named(body, `${name}Body`)
    named(answer, `${name}Answer`)
  }
  return {
    all: Object.fromEntries([...names].map(([schema, name]) => [name, schemaOf(schema, 'input')])),
    nameOf: (schema) => names.get(schema)!,
  }
}

function refTo(name: string): JsonSchema {
  return { $ref: `#/components/schemas/${name}` }
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  const made = z.toJSONSchema(schema, { io, unrepresentable: 'any', reused: 'inline' })
  return Object.fromEntries(Object.entries(made).filter(([key]) => key !== '$schema'))
}
