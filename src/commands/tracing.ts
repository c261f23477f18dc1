import type { Logger } from 'pino'
import type { OutboundCall } from '../auth/authorization-server/outbound-fetch.ts'
import { systemClock } from '../clock.ts'
import { serverCallSpan } from '../observability/server-call-span.ts'
import { SpanIds } from '../observability/span-ids.ts'
import type { SpanRecord } from '../observability/span-record.ts'
import { startTraceExport } from '../observability/trace-export.ts'

/** What becomes of spans. */
export interface Tracing {
  /** @param lines Spans of a proxy thread as JSON, one a line. */
  takeLines(lines: string): void
  calledAuthorizationServer(call: OutboundCall): void
  close(): Promise<void>
}

/** Sends spans to the collector at the endpoint. */
export async function startTracing(endpoint: string, version: string, log: Logger): Promise<Tracing> {
  // The rest of it may hold a password.
  const collector = new URL(endpoint).host
  const spans = await startTraceExport({
    endpoint,
    version,
    onFailed: (error) => log.warn({ collector, error }, 'traces cannot be delivered: they are dropped'),
    onRecovered: () => log.info({ collector }, 'traces are delivered again'),
  })
  const ids = new SpanIds()
  return {
    takeLines(lines) {
      for (const line of lines.split('\n')) if (line !== '') spans.add(JSON.parse(line) as SpanRecord)
    },
    calledAuthorizationServer({ trace, ...call }) {
      if (trace !== undefined) spans.add(serverCallSpan({ ...call, trace }, ids.next(8), systemClock.now()))
    },
    close: () => spans.close(),
  }
}
