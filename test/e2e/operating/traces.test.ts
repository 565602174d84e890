/** OpenTelemetry: one trace from the PDU of a dial over stores, Postgres and back end to our reply; and nothing without an SDK. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { context, propagation, trace, type Attributes, type SpanContext } from '@opentelemetry/api'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { openSpans } from '../../../src/spans/spans.ts'
import { stub, type Stub } from '../../backend/contracts/stub.ts'
import { realClock } from '../../support/clock.ts'
import { newStage, settingsFor, stageDaemon, stageTables, type Staged } from '../../support/daemon.ts'
import { bound, runProcess } from '../../support/process.ts'
import type { Settings } from '../../../src/config/schema.ts'
import { root } from '../../style/tree.ts'
import { describeWith, until } from '../../support/services.ts'

const JOHN = '67570000001'
const SECRET = '4711'

const SHOP = `flow: shop
spec: 1
start: who
languages: [en]
screens:
  who: { call: dental.profile, expect: { known: boolean }, to: ask, failed: later }
  ask: { call: shop.price, expect: { price: number }, to: main, failed: later }
  main: { input: 'It costs K{data.ask.price}. Your word?', to: buy }
  buy: { call: shop.buy, once: true, with: { word: '{answers.main}' }, expect: {}, to: done, failed: later }
  done: { end: 'Bought.' }
  later: { end: 'Please try later.' }
`

async function staging(smsc: Smsc, shop: Stub): Promise<Staged> {
  shop.says(({ target }, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(target.endsWith('/price') ? '{"price":5}' : '{}')
  })
  return stageDaemon({ smscPort: smsc.port, change: (settings) => change(settings, shop) })
}

function change(settings: Settings, shop: Stub): void {
  settings.flows.dir = join(settings.data, 'flows')
  mkdirSync(settings.flows.dir, { recursive: true })
  writeFileSync(join(settings.flows.dir, 'shop.yaml'), SHOP)
  settings.services = [{ code: '*123#', flow: 'shop' }]
  const http = { url: shop.url, timeoutMs: 2_000, headers: {}, concurrent: 5, retries: 0, octetsMax: 10_000 }
  Object.assign(settings.backends, { shop: { http } })
}

async function dialogue(smsc: Smsc): Promise<void> {
  const john = smsc.phone(JOHN)
  await john.dial('*123#')
  await john.answer(SECRET)
  assert.equal(john.screen?.text, 'Bought.')
}

/** What a test reads of a span that is over. */
interface FinishedSpan {
  name: string
  parentSpanContext?: SpanContext
  attributes: Attributes
  events: object[]
  status: { code: number; message?: string }
  spanContext(): SpanContext
}

/** The SDK, of which the program itself knows nothing. Its name is no literal: a tree may be without it. */
const SDK = '@opentelemetry/sdk-trace-node'
const isThere = existsSync(join(root, 'node_modules', SDK))

/** Registers an SDK that keeps its spans here. */
async function keptSpans(): Promise<() => FinishedSpan[]> {
  const sdk = (await import(SDK)) as {
    InMemorySpanExporter: new () => { getFinishedSpans(): FinishedSpan[] }
    SimpleSpanProcessor: new (exporter: object) => object
    NodeTracerProvider: new (options: object) => { register(): void }
  }
  const exporter = new sdk.InMemorySpanExporter()
  new sdk.NodeTracerProvider({ spanProcessors: [new sdk.SimpleSpanProcessor(exporter)] }).register()
  return () => exporter.getFinishedSpans()
}

describeWith(
  ['redis', 'postgres'],
  `traces${isThere ? '' : ` (most skipped: no ${SDK} here; run npm ci)`}`,
  function () {
    this.timeout(60_000)
    let smsc: Smsc
    let shop: Stub
    let staged: Staged | undefined
    beforeEach(async () => {
      smsc = await startSmsc({ clock: realClock, chance: Math.random })
      shop = await stub()
    })
    afterEach(async () => {
      await staged?.close()
      staged = undefined
      await smsc.stop()
      await shop.close()
      for (const api of [trace, context, propagation]) api.disable()
    })

    it('are one from the PDU to the reply for each turn, and go on in the back end', async function () {
      if (!isThere) this.skip()
      const spans = await keptSpans()
      staged = await staging(smsc, shop)
      await dialogue(smsc)
      const roots = () => spans().filter(({ parentSpanContext: parent }) => parent === undefined)
      await until(() => roots().length === 2, 'no traces')
      const tree = (root: FinishedSpan) => {
        const own = spans().filter((span) => span.spanContext().traceId === root.spanContext().traceId)
        const nameOf = (id: string | undefined) => own.find((span) => span.spanContext().spanId === id)?.name
        // At its end the module releases what it may hold, on its own time.
        const turn = own.filter(({ name }) => name !== 'sql dental-release-all')
        return turn.map(({ name, parentSpanContext: parent }) => `${nameOf(parent?.spanId) ?? ''} > ${name}`).toSorted()
      }
      const [begin, input] = roots() as [FinishedSpan, FinishedSpan]
      assert.deepEqual([begin.name, input.name], ['ussd begin', 'ussd input'])
      assert.deepEqual(tree(begin), [
        ' > ussd begin',
        'dental.profile > sql dental-profile',
        'ussd begin > dental.profile',
        'ussd begin > dialogues open',
        'ussd begin > dialogues rest',
        'ussd begin > shop.price',
        'ussd begin > smpp submit_sm',
      ])
      assert.deepEqual(tree(input), [
        ' > ussd input',
        'ussd input > dialogues rest',
        'ussd input > dialogues take',
        'ussd input > shop.buy',
        'ussd input > smpp submit_sm',
      ])
      const { attributes } = input
      assert.equal(attributes['ussd.line'], 'test')
      assert.equal(attributes['ussd.message'], 'next')
      assert.equal(attributes['ussd.flow'], 'shop')
      assert.equal(attributes['ussd.ended'], 'completed')
      assert.equal(attributes['ussd.service'], '*123#')
      // What the back end gets continues the span of its call.
      const called = shop.heard.map(({ headers }) => headers.traceparent)
      const calls = spans().filter(({ name }) => name.startsWith('shop.'))
      assert.deepEqual(
        called,
        calls.map((span) => `00-${span.spanContext().traceId}-${span.spanContext().spanId}-01`),
      )
      // Nobody is known by a trace, and nothing that was written or read.
      const all = JSON.stringify(
        spans().map(({ name, attributes: of, events, status }) => ({ name, of, events, status })),
      )
      for (const word of [JOHN, JOHN.slice(3), SECRET, 'costs', 'Bought']) assert.ok(!all.includes(word), word)
    })

    it('go on with the trace of a caller of the HTTP ingress', async function () {
      if (!isThere) this.skip()
      const spans = await keptSpans()
      shop.says({ status: 200, headers: { 'content-type': 'application/json' }, body: '{"price":5}' })
      staged = await stageDaemon({
        smscPort: smsc.port,
        change(settings) {
          change(settings, shop)
          const [host, path, contract] = ['127.0.0.1', '/ussd', 'arkesel'] as const
          settings.door = { name: 'door', host, port: 0, path, contract, tokens: [], proxies: [] }
        },
      })
      const [traceId, spanId] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331']
      const dial = async (sessionID: string, headers: Record<string, string>) => {
        const answer = await fetch(`http://127.0.0.1:${staged!.daemon.ingress.port()}/ussd`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body: JSON.stringify({ sessionID, userID: 'u', newSession: true, msisdn: JOHN, userData: '*123#' }),
        })
        assert.equal(answer.status, 200)
      }
      await dial('one', { traceparent: `00-${traceId}-${spanId}-01` })
      await dial('two', {})
      const begun = () => spans().filter(({ name }) => name === 'ussd begin')
      await until(() => begun().length === 2, 'no traces')
      const [continued, own] = begun() as [FinishedSpan, FinishedSpan]
      assert.deepEqual([continued.spanContext().traceId, continued.parentSpanContext?.spanId], [traceId, spanId])
      assert.notEqual(own.spanContext().traceId, traceId)
      assert.equal(own.parentSpanContext, undefined)
      // The back end is in the trace of the caller, too.
      assert.match(String(shop.heard[0]!.headers.traceparent), new RegExp(`^00-${traceId}-`))
    })

    it('show which part failed', async function () {
      if (!isThere) this.skip()
      const spans = await keptSpans()
      staged = await staging(smsc, shop)
      shop.says({ status: 500, headers: {}, body: 'secret of the shop' })
      await smsc.phone(JOHN).dial('*123#')
      const call = () => spans().find(({ name }) => name === 'shop.price')
      await until(() => call() !== undefined, 'no span of the call')
      assert.deepEqual([call()!.status.code, call()!.status.message], [2, 'down'])
      assert.equal(call()!.attributes['ussd.result'], 'failed')
    })

    it('reach a collector from the daemon as an operator runs it, with the file under examples/', async function () {
      if (!isThere) this.skip()
      const collector = await stub()
      collector.says({ status: 200, headers: { 'content-type': 'application/json' }, body: '{}' })
      shop.says({ status: 200, headers: { 'content-type': 'application/json' }, body: '{"price":5}' })
      const stage = newStage()
      const knex = await stageTables(stage)
      const settings = settingsFor({ smscPort: smsc.port, change: (of) => change(of, shop) }, stage)
      delete settings.backends.dental
      writeFileSync(
        join(settings.flows.dir, 'shop.yaml'),
        SHOP.replace(/start: who/, 'start: ask').replace(/ {2}who: .*\n/, ''),
      )
      const daemon = runProcess(settings, stage.data, {
        NODE_OPTIONS: `--import ${join(root, 'examples/tracing/otel.mjs')}`,
        OTEL_EXPORTER_OTLP_ENDPOINT: new URL(collector.url).origin,
        OTEL_SERVICE_NAME: 'ussd-of-a-test',
      })
      try {
        await bound(daemon, smsc)
        await smsc.phone(JOHN).dial('*123#')
        daemon.kill('SIGTERM')
        assert.equal(await daemon.exited, 0)
        const told = collector.heard.filter(({ target }) => target === '/v1/traces').map(({ body }) => body)
        for (const name of ['ussd begin', 'dialogues open', 'shop.price', 'smpp submit_sm', 'ussd-of-a-test'])
          assert.ok(
            told.some((body) => body.includes(`"${name}"`)),
            `${name} in ${told.length} requests`,
          )
        assert.ok(told.every((body) => !body.includes(JOHN)))
      } finally {
        daemon.kill('SIGKILL')
        await collector.close()
        await knex.raw(`DROP SCHEMA IF EXISTS "${stage.schema}" CASCADE`)
        await knex.destroy()
        rmSync(stage.data, { recursive: true, force: true })
      }
    })

    it('are not there without an SDK: nothing is wrapped, and a turn calls nothing of the API', async () => {
      assert.equal(openSpans(), undefined)
      staged = await staging(smsc, shop)
      let calls = 0
      const counting = <T extends object>(api: T, names: (keyof T)[]) => {
        for (const name of names) {
          const own = api[name] as (...of: unknown[]) => unknown
          Object.assign(api, { [name]: (...of: unknown[]) => (calls++, own.apply(api, of)) })
        }
        return () => names.forEach((name) => Reflect.deleteProperty(api, name))
      }
      const undo = [
        counting(trace, ['getTracer', 'getActiveSpan', 'setSpan', 'getSpan']),
        counting(context, ['active', 'with', 'bind']),
        counting(propagation, ['inject', 'extract']),
      ]
      try {
        await dialogue(smsc)
        assert.equal(calls, 0)
        trace.getActiveSpan()
        assert.ok(calls > 0, 'the counter counts')
      } finally {
        for (const one of undo) one()
      }
      assert.ok(shop.heard.every(({ headers }) => headers.traceparent === undefined))
    })
  },
)
