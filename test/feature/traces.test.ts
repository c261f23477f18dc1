import { pino } from 'pino'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startAuthorizationServer } from '../../deploy/demo/authorization-server/authorization-server.ts'
import { DEMO_CLIENTS } from '../../deploy/demo/authorization-server/registration.ts'
import { startEcho } from '../../deploy/demo/echo-upstream.ts'
import { startTracing, type Tracing } from '../../src/commands/tracing.ts'
import type { Echoed } from '../support/login-app.ts'
import { ingress, oidcPlugin, secret, service } from '../support/manifests.ts'
import { startThreadedOstiary } from '../support/threaded-ostiary.ts'
import { attributesOf, TraceCollector, type CollectedSpan } from '../support/trace-collector.ts'
import { WebBrowser } from '../support/web-browser.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const CALLER = '00f067aa0ba902b7'

interface World {
  readonly browser: WebBrowser
  readonly echoPort: number
  readonly issuer: string
  /** All spans, once the threads and the exporter have let go of them. */
  readonly finished: () => Promise<CollectedSpan[]>
  readonly collector: TraceCollector
  /** Endpoints of the authorization server that were called. */
  readonly calls: readonly string[]
}

/** An application at `/app` behind a login, in threads, and `/open` beside it. */
async function start(ratio = 1): Promise<World> {
  const collector = await TraceCollector.start()
  const tracing: Tracing = await startTracing(collector.endpoint, '1.2.3', pino({ level: 'silent' }))
  const calls: string[] = []
  const ostiary = await startThreadedOstiary(
    { logs: { traceRatio: ratio } },
    {
      writeLines: (_of, { text }) => tracing.takeLines(text),
      onCall: (call) => {
        calls.push(call.endpoint)
        tracing.calledAuthorizationServer(call)
      },
    },
  )
  const redirectUris = [`${ostiary.origin()}/oauth2/callback`]
  const clients = DEMO_CLIENTS.map((each) => (each.clientId === 'ostiary' ? { ...each, redirectUris } : each))
  const authorizationServer = await startAuthorizationServer({ port: 0, clients })
  const echo = await startEcho({ port: 0 })
  onTestFinished(() => echo.close())
  onTestFinished(() => authorizationServer.close())
  await ostiary.apply(
    ...service('echo', echo.port),
    secret('client', { clientSecret: 'ostiary-secret' }),
    oidcPlugin('app', {
      issuer: authorizationServer.issuer,
      authMethods: ['session', 'authorization_code'],
      clientId: 'ostiary',
      clientSecretRef: { name: 'client' },
      scopes: ['openid', 'profile', 'offline_access'],
      // So that a request a second later refreshes.
      sessionClaimsMaxAge: 1,
    }),
    ingress({ name: 'app', path: '/app', annotations: { 'ostiary.dev/plugins': 'app' } }),
    ingress({ name: 'open', path: '/open' }),
  )
  const finished = async (): Promise<CollectedSpan[]> => {
    await ostiary.close({ drainMs: 0 })
    await tracing.close()
    return collector.spans
  }
  const { issuer } = authorizationServer
  return {
    browser: new WebBrowser(ostiary.origin()),
    echoPort: echo.port,
    issuer,
    finished,
    collector,
    calls,
  }
}

async function upstreamSaw(answer: Response): Promise<Echoed['headers']> {
  expect(answer.status).toBe(200)
  return ((await answer.json()) as Echoed).headers
}

function below(spans: readonly CollectedSpan[], parent: CollectedSpan): string[] {
  return spans.filter(({ parentSpanId }) => parentSpanId === parent.spanId).map(({ name }) => name)
}

describe('a trace', () => {
  test('goes on from the caller to the upstream, with a span for each part in between', async () => {
    const { browser, echoPort, finished } = await start()
    const headers = { traceparent: `00-${TRACE}-${CALLER}-01`, tracestate: 'vendor=state' }
    const seen = await upstreamSaw(await browser.send('/open/a?code=secret', { headers }))
    const spans = await finished()
    expect(spans.map(({ name }) => name).toSorted()).toEqual(['GET /open', 'match', 'upstream'])
    expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([TRACE]))
    const server = spans.find(({ name }) => name === 'GET /open')
    const upstream = spans.find(({ name }) => name === 'upstream')
    if (server === undefined || upstream === undefined) throw new Error('spans are missing')
    expect(server.parentSpanId).toBe(CALLER)
    expect(below(spans, server).toSorted()).toEqual(['match', 'upstream'])
    const header = (name: string) => Object.entries(seen).find(([each]) => each.toLowerCase() === name)?.[1]
    expect(header('traceparent')).toEqual([`00-${TRACE}-${upstream.spanId}-01`])
    expect(header('tracestate')).toEqual(['vendor=state'])
    expect(attributesOf(server)).toMatchObject({
      'http.request.method': 'GET',
      'http.response.status_code': 200,
      'url.path': '/open/a',
      'url.scheme': 'http',
      'http.route': '/open',
      'server.address': '127.0.0.1',
      'client.address': '127.0.0.1',
      'ostiary.route': 'default/open#0.0',
    })
    expect(attributesOf(upstream)).toMatchObject({
      'server.port': echoPort,
      'http.response.status_code': 200,
    })
    const [from, to] = [BigInt(server.startTimeUnixNano), BigInt(server.endTimeUnixNano)]
    expect(from).toBeLessThanOrEqual(BigInt(upstream.startTimeUnixNano))
    expect(to).toBeGreaterThanOrEqual(BigInt(upstream.endTimeUnixNano))
  })

  test('of a login and a refresh has the calls to the authorization server below authorize, and no secret', async () => {
    const { browser, calls, collector, finished, issuer } = await start()
    const started = await browser.navigate('/app')
    const callback = await browser.signIn(started)
    await browser.navigate(callback.href, 'cross-site')
    let seen: Echoed['headers'] = {}
    // The login's, and the refresh's.
    while (calls.filter((each) => each === 'token').length < 2) {
      seen = await upstreamSaw(await browser.navigate('/app'))
    }
    const spans = await finished()
    const callsOf = (name: string): string[] => {
      const servers = spans.filter((span) => span.name === name && span.kind === 2)
      const authorizes = servers.flatMap((server) =>
        spans.filter(
          ({ name: each, parentSpanId }) => each === 'authorize' && parentSpanId === server.spanId,
        ),
      )
      return authorizes.flatMap((authorize) => below(spans, authorize))
    }
    expect(callsOf('GET /app')).toContain('authorization server discovery')
    expect(callsOf('GET /app')).toContain('authorization server token')
    expect(callsOf('GET')).toContain('authorization server token')
    const call = spans.find(({ name }) => name === 'authorization server token')
    expect(call && attributesOf(call)).toMatchObject({ 'ostiary.issuer': issuer, 'ostiary.outcome': 'ok' })
    const cookies = browser.jar.header(new URL(browser.origin)).split('; ')
    const secrets = [
      'eyJ',
      'ostiary-secret',
      callback.searchParams.get('code') ?? 'none',
      callback.searchParams.get('state') ?? 'none',
      ...cookies.map((each) => each.slice(each.indexOf('=') + 1)),
      ...(seen['Authorization'] ?? seen['authorization'] ?? []),
    ]
    expect(secrets.filter((each) => each.length > 2 && collector.text.includes(each))).toEqual([])
  })

  test('that its caller does not sample passes as it came, and leaves no span', async () => {
    const { browser, finished } = await start()
    const traceparent = `00-${TRACE}-${CALLER}-00`
    const seen = await upstreamSaw(await browser.send('/open', { headers: { traceparent } }))
    expect(JSON.stringify(seen)).toContain(traceparent)
    expect(await finished()).toEqual([])
  })

  test('that nobody has begun begins here; one that is not sampled tells the upstream so', async () => {
    const { browser, finished } = await start(0)
    const headers = { traceparent: 'nonsense', tracestate: 'vendor=state' }
    const seen = JSON.stringify(await upstreamSaw(await browser.send('/open', { headers })))
    expect(seen).toMatch(/"00-[0-9a-f]{32}-[0-9a-f]{16}-00"/)
    expect(seen).not.toContain('nonsense')
    expect(seen).not.toContain('vendor=state')
    expect(await finished()).toEqual([])
  })
})

test('without tracing, trace contexts reach the upstream as they came', async () => {
  const ostiary = await startThreadedOstiary()
  const echo = await startEcho({ port: 0 })
  onTestFinished(() => echo.close())
  await ostiary.apply(...service('echo', echo.port), ingress({ name: 'open', path: '/open' }))
  const headers = { traceparent: `00-${TRACE}-${CALLER}-01`, tracestate: 'vendor=state' }
  const seen = JSON.stringify(await upstreamSaw(await fetch(`${ostiary.origin()}/open`, { headers })))
  expect(seen).toContain(headers.traceparent)
  expect(seen).toContain(headers.tracestate)
})

test('a collector that refuses costs spans and no request', async () => {
  const world = await start()
  world.collector.status = 400
  await upstreamSaw(await world.browser.send('/open'))
  expect(await world.finished()).toEqual([])
})
