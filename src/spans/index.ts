/** Spans for OpenTelemetry: one trace from the PDU of the SMSC over stores and back ends to our reply. */
export { openSpans, type Spans } from './spans.ts'
