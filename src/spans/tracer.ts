/**
 * Spans for OpenTelemetry, by its API alone: the operator loads an SDK before the daemon (`--import`). Whether there is
 * one is asked once, at the start. Without one, nothing is wrapped, and nothing is allocated in a turn.
 */
import {
  context,
  isSpanContextValid,
  propagation,
  SpanStatusCode,
  trace,
  type Attributes,
  type Span,
  type SpanKind,
  type Tracer,
} from '@opentelemetry/api'
import { packageVersion } from '../base/index.ts'

const NAME = 'ussd-connector'

/** Undefined: no SDK is registered. */
export function openTracer(): Tracer | undefined {
  const tracer = trace.getTracer(NAME, packageVersion())
  // A span of an SDK has an id, also if it is not sampled; one of the API alone has none. This one is never ended.
  const span = tracer.startSpan('start', { root: true })
  return isSpanContextValid(span.spanContext()) ? tracer : undefined
}

export interface Spanning {
  name: string
  kind: SpanKind
  attributes?: Attributes
  /** A new trace begins. Absent: it belongs to the span around it. */
  root?: boolean
}

/** Runs it within a span, which ends with it. A failure has the name of its error, never the message. */
export function within<T>(tracer: Tracer, asked: Spanning, run: (span: Span) => Promise<T>): Promise<T> {
  const { name, ...options } = asked
  return tracer.startActiveSpan(name, options, async (span) => {
    try {
      return await run(span)
    } catch (error) {
      failed(span, (error as Error).name)
      throw error
    } finally {
      span.end()
    }
  })
}

/** Marks a span as failed. `why`: a word, never a text from outside. */
export function failed(span: Span, why: string): void {
  span.setStatus({ code: SpanStatusCode.ERROR, message: why })
  span.setAttribute('error.type', why)
}

/** Runs it as a part of the trace of another program, which its headers name. Without such headers: as it is. */
export function continuing<T>(headers: Readonly<Record<string, unknown>>, run: () => T): T {
  return context.with(propagation.extract(context.active(), headers), run)
}

/** Whether another program has begun the trace around us. */
export function isContinued(): boolean {
  return trace.getActiveSpan()?.spanContext().isRemote === true
}

/** Whether something is spanned around us: what runs on its own, such as a sweep, begins no traces. */
export function isWithin(): boolean {
  return trace.getActiveSpan() !== undefined
}

/** The span around us gets these, too. */
export function say(attributes: Attributes): void {
  trace.getActiveSpan()?.setAttributes(attributes)
}

/** The headers (`traceparent`, and what else the SDK propagates) that continue this trace in another program. */
export function traceHeaders(): Record<string, string> {
  const headers: Record<string, string> = {}
  propagation.inject(context.active(), headers)
  return headers
}

/** Runs it later as if it ran here. */
export function bound<T extends (...of: never[]) => unknown>(run: T): T {
  return context.bind(context.active(), run)
}
