import type { IncomingMessage, ServerResponse } from 'node:http'
import { parseArgs } from 'node:util'
import { listenOnLoopback } from './listen-on-loopback.ts'

/** Where the echo says that it runs, as the conformance suite of Kubernetes expects it. */
interface EchoIdentity {
  readonly namespace: string
  readonly ingress: string
  readonly service: string
  readonly pod: string
}

export interface EchoOptions extends Partial<EchoIdentity> {
  /** 0 picks a free one. */
  readonly port: number
  /** The one address to listen on. Default: localhost in IPv4 and IPv6. */
  readonly host?: string
}

export interface Echo {
  readonly port: number
  close(): Promise<void>
}

/**
 * Starts an upstream that answers with what it was asked: JSON of `{path, host, method, proto, headers, namespace,
 * ingress, service, pod}`. `path` is the request target as received. Header names are in Go's canonical form and
 * their values are lists, one item for each time the header was sent. `/health` answers `OK`. Bodies are not read.
 *
 * @throws {Error} When the port is taken or the address is not this machine's.
 */
export async function startEcho({ port, host, ...identity }: EchoOptions): Promise<Echo> {
  const whole: EchoIdentity = { namespace: '', ingress: '', service: '', pod: '', ...identity }
  return listenOnLoopback(
    (request, response) => answer(whole, request, response),
    port,
    host === undefined ? undefined : [host],
  )
}

/** `x-forwarded-for` becomes `X-Forwarded-For`. */
function canonicalHeaderName(name: string): string {
  return name.toLowerCase().replace(/(^|-)[a-z]/g, (start) => start.toUpperCase())
}

function answer(identity: EchoIdentity, request: IncomingMessage, response: ServerResponse): void {
  request.resume()
  if (request.url === '/health') {
    response.end('OK')
    return
  }
  const { host = '' } = request.headers
  const body = {
    path: request.url,
    host,
    method: request.method,
    proto: `HTTP/${request.httpVersion}`,
    headers: headers(request.rawHeaders),
    ...identity,
  }
  const text = `${JSON.stringify(body, null, 2)}\n`
  // As Go's server does with a short answer, and as the suite expects to see it.
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) })
  response.end(request.method === 'HEAD' ? undefined : text)
}

/** As Go has it, Host is no header: it is told in `host`. */
function headers(raw: readonly string[]): Record<string, string[]> {
  const found: Record<string, string[]> = {}
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = canonicalHeaderName(raw[index] ?? '')
    if (name !== 'Host') (found[name] ??= []).push(raw[index + 1] ?? '')
  }
  return found
}

/** `node deploy/demo/echo-upstream.ts --port 3000`: the echo alone, until Ctrl-C. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { port: { type: 'string' }, host: { type: 'string' } },
  })
  const { env } = process
  const echo = await startEcho({
    port: Number(values.port ?? env['HTTP_PORT'] ?? 3000),
    ...(values.host !== undefined && { host: values.host }),
    namespace: env['NAMESPACE'] ?? '',
    ingress: env['INGRESS_NAME'] ?? '',
    service: env['SERVICE_NAME'] ?? '',
    pod: env['POD_NAME'] ?? '',
  })
  console.log(`Echo upstream: http://localhost:${echo.port}`)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void echo.close())
}

if (import.meta.main) await main()
