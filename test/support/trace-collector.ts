import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

/** A span as OTLP over HTTP has it in JSON. */
export interface CollectedSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[]
}

interface TracesRequest {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly { readonly spans: readonly CollectedSpan[] }[]
  }[]
}

/** An OpenTelemetry collector that keeps spans. Gone when the test is. */
export class TraceCollector {
  readonly spans: CollectedSpan[] = []
  /** All that was sent. */
  text = ''
  /** What it answers. */
  status = 200
  readonly #server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
    request.on('end', () => {
      if (this.status === 200 && request.url === '/v1/traces') this.#take(body)
      response.writeHead(this.status, { 'content-type': 'application/json' }).end('{}')
    })
  })
  #endpoint = ''

  static async start(): Promise<TraceCollector> {
    const collector = new TraceCollector()
    const server = collector.#server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    collector.#endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    return collector
  }

  get endpoint(): string {
    return this.#endpoint
  }

  #take(body: string): void {
    this.text += body
    const { resourceSpans } = JSON.parse(body) as TracesRequest
    for (const { scopeSpans } of resourceSpans) for (const { spans } of scopeSpans) this.spans.push(...spans)
  }
}

export function attributesOf({ attributes }: CollectedSpan): Record<string, unknown> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [key, value['stringValue'] ?? Number(value['intValue'])]),
  )
}
