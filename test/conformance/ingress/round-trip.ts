import type { X509Certificate } from 'node:crypto'
import { request as requestHttp, type IncomingMessage } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { TLSSocket } from 'node:tls'
import { text } from 'node:stream/consumers'
import { expect } from 'vitest'
import type { ConformanceRequest, ConformanceScenario } from './scenarios.ts'

/** Where the Ingress says that it is exposed. */
export interface Exposed {
  readonly address: string
  readonly ports: { readonly http: number; readonly https: number }
}

/** What the echo says that it was asked; see `startEcho`. */
export interface CapturedRequest {
  readonly path: string
  readonly host: string
  readonly method: string
  readonly proto: string
  readonly headers: Readonly<Record<string, readonly string[]>>
  readonly namespace: string
  readonly ingress: string
  readonly service: string
  readonly pod: string
}

export interface RoundTrip {
  readonly status: number
  readonly proto: string
  readonly headers: IncomingMessage['headers']
  /** Absent where the answer is not the echo's. */
  readonly captured?: CapturedRequest
  readonly certificate?: X509Certificate
}

const USER_AGENT = 'Go-http-client/1.1'
/** Go says so much of a body that is not there. */
const WITH_BODY = new Set(['POST', 'PUT', 'PATCH'])
const TIMEOUT_MS = 10_000
const REDIRECTS = new Set([301, 302, 303, 307, 308])

/** One request on a connection of its own, as the suite's Go client sends it; a redirect leads to the same address. */
export async function roundTrip(exposed: Exposed, asked: ConformanceRequest): Promise<RoundTrip> {
  const { answer, certificate } = await send(exposed, asked)
  const { statusCode: status = 0, headers } = answer
  if (REDIRECTS.has(status)) {
    answer.resume()
    const to = new URL(headers.location ?? '')
    const scheme = to.protocol === 'https:' ? 'https' : 'http'
    return roundTrip(exposed, { scheme, method: asked.method, host: to.hostname, path: to.pathname })
  }
  const captured = capturedIn(await text(answer))
  return {
    status,
    proto: `HTTP/${answer.httpVersion}`,
    headers,
    ...(captured !== undefined && { captured }),
    ...(certificate !== undefined && { certificate }),
  }
}

interface Sent {
  readonly answer: IncomingMessage
  readonly certificate?: X509Certificate
}

function send(
  { address, ports }: Exposed,
  { scheme, method, host, path }: ConformanceRequest,
): Promise<Sent> {
  const port = ports[scheme]
  const isUsual = port === (scheme === 'https' ? 443 : 80)
  const headers = {
    Host: host === '' ? `${address}${isUsual ? '' : `:${port}`}` : host,
    'User-Agent': USER_AGENT,
    ...(WITH_BODY.has(method) && { 'Content-Length': '0' }),
  }
  const options = { host: address, port, method, path, headers, agent: false, timeout: TIMEOUT_MS } as const
  return new Promise((resolve, reject) => {
    const onAnswer = (answer: IncomingMessage): void => {
      const { socket } = answer
      // Before the body is read: the socket of an answer that is over has forgotten its peer.
      const peer =
        'getPeerX509Certificate' in socket ? (socket as TLSSocket).getPeerX509Certificate() : undefined
      resolve({ answer, ...(peer !== undefined && { certificate: peer }) })
    }
    const request =
      scheme === 'http'
        ? requestHttp(options, onAnswer)
        : requestHttps({ ...options, servername: host, rejectUnauthorized: false }, onAnswer)
    request.on('timeout', () => request.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)))
    request.on('error', reject).end()
  })
}

function capturedIn(body: string): CapturedRequest | undefined {
  try {
    const read = JSON.parse(body) as Partial<CapturedRequest>
    return read.service === undefined ? undefined : (read as CapturedRequest)
  } catch {
    return undefined
  }
}

/** Sends the request of a scenario and asserts all that its feature asks. */
export async function runScenario(exposed: Exposed, scenario: ConformanceScenario): Promise<void> {
  const { asks, request, service } = scenario
  const answer = await roundTrip(exposed, request)
  expect([answer.status, answer.captured?.service]).toEqual(
    service === undefined ? [404, undefined] : [200, service],
  )
  if (asks === 'host' || asks === 'certificate') expect(answer.captured?.host).toBe(request.host)
  if (asks === 'certificate') {
    expect(answer.certificate?.subjectAltName).toBe(`DNS:${request.host}`)
    expect(answer.certificate?.checkHost(request.host)).toBe(request.host)
  }
  if (asks === 'headers') expectHeaders(answer, request)
}

/** The assertions of default_backend.feature. */
function expectHeaders({ captured, headers, proto }: RoundTrip, { method, path }: ConformanceRequest): void {
  expect(proto).toBe('HTTP/1.1')
  for (const name of ['content-length', 'content-type', 'date', 'server']) expect(headers[name]).toMatch(/./)
  expect(captured).toMatchObject({ method, path, proto: 'HTTP/1.1', headers: { 'User-Agent': [USER_AGENT] } })
}
