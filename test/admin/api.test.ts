/** The OpenAPI document of the admin server, and the collection for Postman: whole, and of the rules of their formats. */
import assert from 'node:assert/strict'
import { openApiDocument, postmanCollection } from '../../src/admin/api/index.ts'
import { API_OPERATIONS } from '../../src/admin/api/operations.ts'
import { ROUTE_ROLES } from '../../src/admin/roles.ts'

const document = openApiDocument()
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ route: `${method.toUpperCase()} ${path}`, operation })),
)

/** Every `$ref` in it. */
function refsIn(value: unknown): string[] {
  if (value === null || typeof value !== 'object') return []
  return Object.entries(value).flatMap(([key, inner]) =>
    key === '$ref' && typeof inner === 'string' ? [inner] : refsIn(inner),
  )
}

describe('the OpenAPI document', () => {
  it('has every route of the table, each with its roles, and /live', () => {
    const routes = operations.map(({ route }) => route.replaceAll(/\{(\w+)\}/g, ':$1'))
    assert.deepEqual(routes.toSorted(), ['GET /live', ...Object.keys(ROUTE_ROLES)].toSorted())
    for (const { route, operation } of operations)
      assert.deepEqual(operation['x-roles'], ROUTE_ROLES[route.replaceAll(/\{(\w+)\}/g, ':$1')] ?? [], route)
  })

  it('follows OpenAPI 3.1: unique names, parameters for what is in the path, references that lead somewhere', () => {
    assert.match(document.openapi, /^3\.1\./)
    const ids = operations.map(({ operation }) => operation.operationId)
    assert.equal(new Set(ids).size, ids.length)
    const tags = document.tags.map(({ name }) => name)
    for (const { route, operation } of operations) {
      const { parameters, responses, tags: own, summary, requestBody } = operation
      const inPath = parameters.filter((one) => one.in === 'path')
      const named = [...route.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
      assert.deepEqual(
        inPath.map(({ name, required }) => [name, required]),
        named.map((name) => [name, true]),
        route,
      )
      const keys = parameters.map(({ name, in: place }) => `${place} ${name}`)
      assert.equal(new Set(keys).size, keys.length, route)
      assert.ok(own.every((tag) => tags.includes(tag)) && summary, route)
      assert.ok(
        Object.keys(responses).some((code) => code.startsWith('2')),
        route,
      )
      for (const [code, response] of Object.entries(responses)) {
        assert.match(code, /^[2-5]\d\d$/, route)
        assert.ok('$ref' in response || response.description, `${route} ${code}`)
      }
      if (requestBody) assert.ok(!route.startsWith('GET '), route)
    }
    const lead = (ref: string) =>
      ref
        .slice(2)
        .split('/')
        .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], document)
    const refs = refsIn(document)
    assert.ok(refs.length > 100)
    for (const ref of refs) assert.ok(lead(ref), ref)
  })

  it('tells of each route that needs a token how it is refused, and where something can be missing, what', () => {
    for (const { route, operation } of operations) {
      if (route === 'GET /live') continue
      for (const code of ['400', '401', '403', '429']) assert.ok(operation.responses[code], `${route} ${code}`)
      if (operation.requestBody) assert.ok(operation.responses[413], route)
    }
  })

  it('has examples of bodies that the routes take', () => {
    for (const [route, { body, example }] of Object.entries(API_OPERATIONS))
      if (body) assert.deepEqual(body.safeParse(example).error?.issues ?? [], [], route)
  })
})

describe('the collection for Postman', () => {
  const { item, variable, auth, info } = postmanCollection(document)
  const all = item.flatMap(({ item: requests }) => requests)

  it('has one request for each operation, with variables for the address and the token', () => {
    assert.match(info.schema, /\/v2\.1\.0\//)
    assert.deepEqual(
      variable.map(({ key }) => key),
      ['baseUrl', 'token'],
    )
    assert.equal(auth.bearer[0]!.value, '{{token}}')
    const routes = all.map(({ request: { method, url } }) => `${method} /${url.path.join('/')}`)
    assert.deepEqual(routes.toSorted(), ['GET /live', ...Object.keys(ROUTE_ROLES)].toSorted())
    assert.equal(new Set(all.map(({ name }) => name)).size, all.length)
  })

  it('has a value for each part of a path, a body where one is needed, and no token', () => {
    for (const { name, request } of all) {
      const { url, body, method } = request
      for (const part of url.path.filter((one) => one.startsWith(':')))
        assert.ok(
          url.variable?.some(({ key, value }) => `:${key}` === part && value !== ''),
          name,
        )
      if (body) assert.doesNotThrow(() => JSON.parse(body.raw) as unknown, name)
      const operation = operations.find(
        ({ route }) => route === `${method} /${url.path.join('/').replaceAll(/:(\w+)/g, '{$1}')}`,
      )!.operation
      assert.equal(body !== undefined, operation.requestBody !== undefined, name)
    }
  })
})
