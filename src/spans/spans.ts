/**
 * What has a span: a message of the SMSC, from its PDU to our reply; within it what the store, the back ends and
 * Postgres take, and what we send. Attributes have no number and no text of a subscriber. Parts are wrapped in place
 * when the daemon is built, so the path of a message is the same code with and without spans.
 */
import { SpanKind, type Tracer } from '@opentelemetry/api'
import type { Backend } from '../backend/index.ts'
import type { Metrics, Sql, SqlRunner } from '../base/index.ts'
import type { DialogueStore } from '../dialogue/index.ts'
import type { Intake } from '../gateway/index.ts'
import type { Line, LinkPort, Pdu } from '../smpp/index.ts'
import { statusLabel } from '../smpp/pdu/index.ts'
import { bound, continuing, failed, isContinued, isWithin, openTracer, say, traceHeaders, within } from './tracer.ts'

type OnRequest = (pdu: Pdu, line: Line, link: LinkPort) => Promise<void>

export interface Spans {
  /** The same handler; each request begins a trace. */
  request(handle: OnRequest): OnRequest
  /** Each of these is changed in place, and returned. */
  intake(intake: Intake): Intake
  store(dialogues: DialogueStore): DialogueStore
  sql(sql: Sql): Sql
  line(line: Line): void
  /** The same back end. */
  backend(backend: Backend): Backend
  /** The same counters; the trace gets what a message was, and what became of its dialogue. */
  metrics(metrics: Metrics): Metrics
  /** Runs what a request of another program asks for, in the trace that its headers name. */
  continued<T>(headers: Readonly<Record<string, unknown>>, run: () => T): T
  /** What a request to another program has in its headers. */
  headers(): Record<string, string>
}

/** Undefined: no SDK was loaded before this daemon. */
export function openSpans(): Spans | undefined {
  const tracer = openTracer()
  return tracer && spansBy(tracer)
}

function spansBy(tracer: Tracer): Spans {
  const backends = new WeakMap<Backend, Backend>()
  return {
    request: (handle) => (pdu, line, link) => requested(tracer, handle, { pdu, line, link }),
    intake: (intake) => Object.assign(intake, { takeUp: later(intake.takeUp) }),
    store: (dialogues) => storeSpans(tracer, dialogues),
    sql: (sql) => sqlSpans(tracer, sql),
    line: (line) => lineSpans(tracer, line),
    backend(backend) {
      const known = backends.get(backend) ?? backendSpans(tracer, backend)
      backends.set(backend, known)
      return known
    },
    metrics: sayingMetrics,
    continued: continuing,
    headers: traceHeaders,
  }
}

function requested(
  tracer: Tracer,
  handle: OnRequest,
  { pdu, line, link }: { pdu: Pdu; line: Line; link: LinkPort },
): Promise<void> {
  const incoming = line.dialect.read(pdu)
  const kind = incoming.is === 'ussd' ? incoming.message.kind : incoming.is
  const attributes = { 'ussd.line': line.name, 'ussd.kind': kind, 'smpp.command': pdu.command }
  const name = incoming.is === 'ussd' ? `ussd ${kind}` : kind
  return within(tracer, { name, kind: SpanKind.SERVER, attributes, root: !isContinued() }, () =>
    handle(pdu, line, link),
  )
}

/** What waits for a turn of the event loop is of the trace in which it began to wait. */
function later(takeUp: Intake['takeUp']): Intake['takeUp'] {
  return (run) => takeUp(bound(run))
}

/** What a turn awaits. Everything else is of no single turn. */
const OF_A_TURN = ['open', 'take', 'rest'] as const

function storeSpans(tracer: Tracer, dialogues: DialogueStore): DialogueStore {
  for (const name of OF_A_TURN) {
    const call = dialogues[name].bind(dialogues) as (...of: unknown[]) => Promise<unknown>
    const spanned = (...of: unknown[]) => {
      const asked = { name: `dialogues ${name}`, kind: SpanKind.CLIENT, attributes: { 'db.operation.name': name } }
      return isWithin() ? within(tracer, asked, () => call(...of)) : call(...of)
    }
    Object.assign(dialogues, { [name]: spanned })
  }
  return dialogues
}

function sqlSpans(tracer: Tracer, sql: Sql): Sql {
  const spanned =
    (run: SqlRunner['run']): SqlRunner['run'] =>
    (statement, bindings) => {
      if (!isWithin()) return run(statement, bindings)
      const name = statement.name || 'statement'
      const attributes = { 'db.system.name': 'postgresql', 'db.operation.name': name }
      return within(tracer, { name: `sql ${name}`, kind: SpanKind.CLIENT, attributes }, () => run(statement, bindings))
    }
  const { run, transaction } = sql
  const all: Sql['transaction'] = (work) => {
    const inside = () => transaction((trx) => work({ run: spanned((...of) => trx.run(...of)) }))
    const attributes = { 'db.system.name': 'postgresql' }
    return isWithin()
      ? within(tracer, { name: 'sql transaction', kind: SpanKind.CLIENT, attributes }, inside)
      : inside()
  }
  return Object.assign(sql, { run: spanned(run.bind(sql)), transaction: all })
}

function lineSpans(tracer: Tracer, line: Line): void {
  const submit = line.submit.bind(line)
  Object.assign(line, {
    submit: (...[pdu, options]: Parameters<Line['submit']>) => {
      if (!isWithin()) return submit(pdu, options)
      const attributes = { 'ussd.line': line.name, 'smpp.command': pdu.command, 'ussd.lane': options.lane }
      return within(tracer, { name: `smpp ${pdu.command}`, kind: SpanKind.CLIENT, attributes }, async (span) => {
        const outcome = await submit(pdu, options)
        span.setAttribute('smpp.outcome', outcome.kind)
        if (outcome.kind === 'refused') span.setAttribute('smpp.status', statusLabel(outcome.status))
        if (outcome.kind !== 'ok') failed(span, outcome.kind)
        return outcome
      })
    },
  })
}

function backendSpans(tracer: Tracer, backend: Backend): Backend {
  return {
    ...backend,
    name: backend.name,
    call(operation, args, context) {
      const attributes = {
        'ussd.backend': backend.name,
        'ussd.operation': operation,
        'ussd.changes': context.once === true,
        ...(context.flow === undefined ? {} : { 'ussd.flow': context.flow }),
      }
      const asked = { name: `${backend.name}.${operation}`, kind: SpanKind.CLIENT, attributes }
      return within(tracer, asked, async (span) => {
        const result = await backend.call(operation, args, context)
        span.setAttribute('ussd.result', result.is)
        if (result.is === 'failed') failed(span, result.why)
        return result
      })
    },
  }
}

function sayingMetrics(metrics: Metrics): Metrics {
  return {
    ...metrics,
    count(name, labels, by) {
      if (name === 'ussd_messages_total') say({ 'ussd.message': labels!.result })
      if (name === 'ussd_dialogues_total') say({ 'ussd.ended': labels!.reason, 'ussd.service': labels!.service })
      metrics.count(name, labels, by)
    },
    turn(seconds, flow, revision) {
      say({ 'ussd.flow': flow, 'ussd.revision': revision })
      metrics.turn(seconds, flow, revision)
    },
  }
}
