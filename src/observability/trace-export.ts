import type { SpanContext } from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import type { SpanRecord } from './span-record.ts'

export interface TraceExportOptions {
  /** OTLP over HTTP: spans go to `/v1/traces` below it. */
  readonly endpoint: string
  readonly version: string
  /** Spans could not be delivered; called again only after some could. */
  readonly onFailed: (message: string) => void
  readonly onRecovered: () => void
}

/** Where finished spans go. */
export interface TraceExport {
  add(span: SpanRecord): void
  /** Delivers what waits, for a few seconds at most. */
  close(): Promise<void>
}

/** More spans than this wait for nobody: the newest are dropped. */
const MAXIMUM_WAITING = 8192
const TIMEOUT_MS = 5000
const SAMPLED = 1
const KINDS = { internal: 0, server: 1, client: 2 } as const
const STATUS_ERROR = { code: 2 }
const STATUS_UNSET = { code: 0 }

/**
 * Delivers spans to an OpenTelemetry collector in batches. A collector that is away costs spans, and nothing else. The SDK
 * is loaded here, so that who traces nothing pays nothing for it.
 */
export async function startTraceExport(options: TraceExportOptions): Promise<TraceExport> {
  const [{ BatchSpanProcessor }, { OTLPTraceExporter }, { resourceFromAttributes }] = await Promise.all([
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
  ])
  const url = `${options.endpoint.replace(/\/+$/, '')}/v1/traces`
  const exporter = new OTLPTraceExporter({ url, timeoutMillis: TIMEOUT_MS })
  const deliver = exporter.export.bind(exporter)
  let isFailing = false
  exporter.export = (spans, done) =>
    deliver(spans, (result) => {
      const { error } = result
      if (error !== undefined && !isFailing) options.onFailed(error.message)
      if (error === undefined && isFailing) options.onRecovered()
      isFailing = error !== undefined
      done(result)
    })
  const processor = new BatchSpanProcessor({
    exporter,
    maxQueueSize: MAXIMUM_WAITING,
    scheduledDelayMillis: 1000,
    exportTimeoutMillis: TIMEOUT_MS,
  })
  const resource = resourceFromAttributes({ 'service.name': 'ostiary', 'service.version': options.version })
  const instrumentationScope = { name: 'ostiary', version: options.version }
  return {
    add: (span) => processor.onEnd(readable(span, { resource, instrumentationScope })),
    close: () => processor.shutdown().catch(() => undefined),
  }
}

function readable(
  span: SpanRecord,
  common: Pick<ReadableSpan, 'resource' | 'instrumentationScope'>,
): ReadableSpan {
  const { traceId, spanId, parentSpanId, startMs, endMs } = span
  const context: SpanContext = { traceId, spanId, traceFlags: SAMPLED }
  return {
    ...common,
    name: span.name,
    kind: KINDS[span.kind],
    spanContext: () => context,
    ...(parentSpanId !== undefined && {
      parentSpanContext: { traceId, spanId: parentSpanId, traceFlags: SAMPLED },
    }),
    startTime: highResolution(startMs),
    endTime: highResolution(endMs),
    duration: highResolution(Math.max(0, endMs - startMs)),
    status: span.isError ? STATUS_ERROR : STATUS_UNSET,
    attributes: span.attributes,
    links: [],
    events: [],
    ended: true,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  }
}

/** Seconds and nanoseconds. */
function highResolution(milliseconds: number): [number, number] {
  const seconds = Math.floor(milliseconds / 1000)
  return [seconds, Math.round((milliseconds - seconds * 1000) * 1_000_000)]
}
