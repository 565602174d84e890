/** A running daemon answers each request of the Postman collection, and as the OpenAPI document says. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { openApiDocument, postmanCollection, type ApiDocument } from '../../../src/admin/api/index.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { answerChecker } from '../../support/closed-schema.ts'
import { realClock } from '../../support/clock.ts'
import { FROZEN, stageDaemon, type Staged } from '../../support/daemon.ts'
import { describeWith, until } from '../../support/services.ts'
import { ALL_ROLES, letIn } from '../../support/tokens.ts'

const HOUR = 3_600_000
const TOKEN = 'a-token-for-all-roles-of-a-test'
const PUSHER = 'a-token-that-pushes-of-a-test'
const JOHN = '67570000001'
const ANY_REVISION = 'dental@0123456789ab'

describeWith(['redis', 'postgres'], 'the API as its documents have it', function () {
  this.timeout(90_000)
  let smsc: Smsc
  let staged: Staged
  let document: ApiDocument
  let check: ReturnType<typeof answerChecker>
  let revision: string
  let other: string
  const seen = new Set<string>()

  before(async () => {
    smsc = await startSmsc({ clock: realClock, chance: () => 0.999 })
    staged = await stageDaemon({
      smscPort: smsc.port,
      read: () => staged.settings,
      change: (settings) => {
        settings.push.freeText = true
        letIn(
          settings,
          { token: TOKEN, roles: ALL_ROLES, name: 'mary' },
          { token: PUSHER, roles: 'push', name: 'mary' },
        )
      },
    })
    document = (await (await ask('GET', '/v1/openapi.json')).json()) as ApiDocument
    check = answerChecker(document)
    revision = await inForce()
    const source = (await (await ask('GET', `/v1/flows/dental/revisions/${revision}`)).json()) as { text: string }
    const text = `${source.text}\n# Another revision.\n`.replace('flow: dental', 'flow: dental # ')
    const changed = { ...source, text: text.replace(/Welcome/, 'Hello') }
    const published = await ask('POST', '/v1/flows/dental/publish', { source: changed })
    assert.equal(published.status, 200, await published.clone().text())
    other = await inForce()
    assert.notEqual(other, revision)
  })
  after(async () => {
    await staged?.close()
    await smsc?.stop()
  })

  function ask(method: string, path: string, body?: object, token = TOKEN): Promise<Response> {
    return fetch(`http://127.0.0.1:${staged.daemon.admin.port}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}` },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
  }
  async function inForce(): Promise<string> {
    const { flows } = (await (await ask('GET', '/v1/flows')).json()) as { flows: { name: string; revision: string }[] }
    return flows.find(({ name }) => name === 'dental')!.revision
  }
  /** Asks, and looks at what comes by the document. Resolves with the status. */
  async function judged(operation: string, path: string, body?: object, token?: string): Promise<number> {
    const [method, place] = operation.split(' ') as [string, string]
    const answer = await ask(method, path, body, token)
    const isJson = answer.headers.get('content-type')?.includes('json') ?? false
    const said: unknown = isJson ? await answer.json() : await answer.arrayBuffer()
    assert.equal(check(method, place, answer.status, said), undefined, `${operation}: ${JSON.stringify(said)}`)
    seen.add(`${operation} ${answer.status}`)
    return answer.status
  }

  async function owe(row: object): Promise<string> {
    const at = new Date(FROZEN + HOUR)
    const whole = {
      subject: `test:${randomUUID()}`,
      kind: 'reminder',
      msisdn: JOHN,
      text: 'At ten',
      due_at: at,
      wake_at: at,
      created_at: at,
      expires_at: new Date(FROZEN + 2 * HOUR),
      ...row,
    }
    const [made] = (await staged.knex('sms_outbox').insert(whole).returning('id')) as { id: string }[]
    return made!.id
  }
  const failed = { state: 'failed', attempts: 3, last_error: 'tries', settled_at: new Date(FROZEN) }

  /** What a request needs so that it can go well: values in place of those of the examples. */
  const WORLD: Record<string, () => Promise<Record<string, string>>> = {
    'DELETE /v1/alarms/silences/{id}': async () => {
      const begun = await ask('POST', '/v1/alarms/silences', { for: '1h' })
      return { id: ((await begun.json()) as { id: string }).id }
    },
    'POST /v1/flows/{name}/canary': async () => {
      await ask('POST', '/v1/flows/dental/canary', { revision, share: 5 })
      return {}
    },
    'GET /v1/dialogues': async () => {
      await smsc.phone(JOHN).dial('*123#')
      return {}
    },
    'GET /v1/subscribers/dialogues/{epoch}': async () => {
      const phone = smsc.phone('67570000002')
      await phone.dial('*123#')
      phone.hangUp()
      const find = async () => (await staged.knex('cdr').where({ msisdn: '67570000002' }).first()) as { epoch: string }
      await until(async () => (await find()) !== undefined, 'no record', 20_000)
      return { epoch: (await find()).epoch }
    },
    'DELETE /v1/sms/{id}': async () => ({ id: await owe({ state: 'due' }) }),
    'POST /v1/sms/{id}/retry': async () => ({ id: await owe(failed) }),
    'POST /v1/sms/{id}/replace': async () => ({ id: await owe({ state: 'due' }) }),
  }

  it('is the document that a daemon gives out', () => {
    assert.deepEqual(document, openApiDocument())
  })

  it('answers each request of the collection with success, in the form of the document', async () => {
    const { item } = postmanCollection(document)
    for (const { request } of item.flatMap(({ item: all }) => all)) {
      const operation = `${request.method} /${request.url.path.join('/').replaceAll(/:(\w+)/g, '{$1}')}`
      const world = (await WORLD[operation]?.()) ?? {}
      // Recalled is what is not in force; a roll-back has gone there before.
      const which = (await inForce()) === revision ? other : revision
      const real = (text: string) => text.replaceAll(ANY_REVISION, which)
      const path = request.url.raw.replace('{{baseUrl}}', '').replaceAll(/:(\w+)/g, (_, key: string) => {
        const value = request.url.variable!.find((one) => one.key === key)!.value
        return encodeURIComponent(world[key] ?? real(value))
      })
      const body = request.body ? (JSON.parse(real(request.body.raw)) as object) : undefined
      const status = await judged(operation, path, body)
      assert.ok(status < 300, `${operation}: ${status}`)
    }
    const routes = new Set([...seen].map((one) => one.replace(/ \d+$/, '')))
    assert.equal(routes.size, Object.values(document.paths).flatMap((methods) => Object.keys(methods)).length)
  })

  it('refuses in the form of the document: no token, a wrong role, a wrong question, nothing there', async () => {
    for (const [path, methods] of Object.entries(document.paths)) {
      const place = path.replaceAll(/\{\w+\}/g, 'x')
      for (const [method, { requestBody, 'x-roles': roles, parameters }] of Object.entries(methods)) {
        const operation = `${method.toUpperCase()} ${path}`
        if (path === '/live') continue
        // After ten of them, the address is locked out for wrong tokens.
        assert.ok([401, 429].includes(await judged(operation, place, undefined, 'nobody-has-it')), operation)
        if (!roles.includes('push')) assert.equal(await judged(operation, place, undefined, PUSHER), 403, operation)
        assert.equal(await judged(operation, `${place}?token=x`), 400, operation)
        if (requestBody) assert.equal(await judged(operation, place, { strange: 1 }), 400, operation)
        for (const { name, schema } of parameters.filter((one) => one.in === 'query'))
          if (schema.type === 'integer') assert.equal(await judged(operation, `${place}?${name}=0`), 400, operation)
      }
    }
    for (const [operation, path, body] of [
      ['GET /v1/flows/{name}/revisions', '/v1/flows/none/revisions'],
      ['GET /v1/flows/{name}/revisions/{revision}', `/v1/flows/none/revisions/${ANY_REVISION}`],
      ['POST /v1/lines/{line}/stop', '/v1/lines/none/stop'],
      ['POST /v1/lines/{line}/stop', '/v1/lines/test/stop?instance=none'],
      ['DELETE /v1/dialogues/{group}/{msisdn}', '/v1/dialogues/test/67579999999'],
      ['DELETE /v1/sms', '/v1/sms?key=none'],
      ['POST /v1/flows/{name}/recall', '/v1/flows/none/recall', { revision: ANY_REVISION }],
    ] as const)
      assert.equal(await judged(operation, path, body), 404, `${operation} ${path}`)
    const wrong = { source: { file: 'dental.yaml', text: 'flow: dental' } }
    assert.equal(await judged('POST /v1/flows/{name}/publish', '/v1/flows/dental/publish', wrong), 422)
    const inUse = { revision: await inForce() }
    assert.equal(await judged('POST /v1/flows/{name}/rollback', '/v1/flows/dental/rollback', inUse), 409)
    const past = { to: JOHN, text: 'x', at: '2020-01-01T00:00:00Z' }
    assert.equal(await judged('POST /v1/sms', '/v1/sms', past), 422)
    for (const status of [401, 429])
      assert.ok(
        [...seen].some((one) => one.endsWith(` ${status}`)),
        String(status),
      )
  })

  it('answers for all daemons in the form of the document, too', async () => {
    for (const [operation, path, body] of [
      ['POST /v1/lines/{line}/hold', '/v1/lines/test/hold?instance=all', { text: 'Later.' }],
      ['POST /v1/lines/{line}/release', '/v1/lines/test/release?instance=all'],
      ['POST /v1/reload/check', '/v1/reload/check?instance=all'],
      ['POST /v1/log', '/v1/log?instance=all', { msisdn: `+${JOHN}` }],
      ['DELETE /v1/log', '/v1/log?instance=all'],
    ] as const)
      assert.equal(await judged(operation, path, body), 200, `${operation} ${path}`)
    for (const path of [`/v1/sms?msisdn=${JOHN}`, '/v1/sms?state=due'])
      assert.equal(await judged('GET /v1/sms', path), 200, path)
    assert.equal(await judged('GET /v1/instances', '/v1/instances'), 200)
  })
})
