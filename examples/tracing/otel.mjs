/**
 * Traces of ussd-connector to a collector, over OTLP. Load it before the daemon (docs/OPERATIONS.md, "Traces"):
 *
 *   cd /etc/ussd-connector/tracing && npm install      # this folder, with its package.json
 *   node --import /etc/ussd-connector/tracing/otel.mjs /opt/ussd-connector/dist/src/cli/main.js run --config …
 *
 * From the environment, as OpenTelemetry says: OTEL_EXPORTER_OTLP_ENDPOINT (default http://localhost:4318),
 * OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG, OTEL_BSP_*.
 */
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node'

const resource = defaultResource()
  .merge(resourceFromAttributes({ 'service.name': 'ussd-connector' }))
  .merge(detectResources({ detectors: [envDetector] }))

const provider = new NodeTracerProvider({
  resource,
  // It drops spans when the collector is away: the daemon never waits for it.
  spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
})
provider.register()

// The daemon ends when nothing is left to do: the last spans leave then.
let isOver = false
process.on('beforeExit', () => {
  if (isOver) return
  isOver = true
  provider.shutdown().catch(() => undefined)
})
