import { describe, expect, test } from 'vitest'
import { startOstiary } from '../../support/ostiary.ts'
import { ingress, service, yaml } from '../../support/manifests.ts'
import { rawRequest, RawClient } from '../../support/raw-http.ts'
import { HOST, ours } from '../../support/traffic-app.ts'
import { handshake, startWebSocketUpstream, WebSocketClient } from '../../support/web-socket.ts'

async function setUp(annotations: Record<string, string>) {
  const upstream = await startWebSocketUpstream()
  const route = ingress({ host: HOST, path: '/chat', annotations: ours(annotations) })
  const ostiary = await startOstiary(yaml(...service('echo', upstream.port), route))
  return { upstream, ostiary }
}

describe('a WebSocket', () => {
  test('is opened with the path, host and headers that its route says', async () => {
    const { upstream, ostiary } = await setUp({
      'strip-path': 'true',
      'upstream-host': 'chat.internal',
      'request-headers-set': 'X-Env: prod',
      'response-headers-set': 'X-Served-By: us',
      'cors-allow-origin': 'https://app.example.com',
    })
    const raw = await RawClient.open(ostiary.port)
    const request = handshake('/chat/room?a=b', HOST, { Origin: 'https://app.example.com' })
    const socket = await WebSocketClient.open(raw, request)
    expect(await socket.echo('hello')).toBe('hello')
    expect(upstream.requests[0]?.url).toBe('/room?a=b')
    expect(upstream.requests[0]?.headers).toMatchObject({ host: 'chat.internal', 'x-env': 'prod' })
    raw.close()
  })

  test.each([
    [{ 'allow-source-range': '192.0.2.0/24' }, 403],
    [{ 'permanent-redirect': 'https://new.example' }, 308],
    [{ 'rewrite-target': '/$1', 'rewrite-pattern': '/chat/x' }, 503],
    [{ 'rewrite-target': '/', 'rewrite-pattern': '/chat/x' }, 404],
  ])('is refused with %o', async (annotations, status) => {
    const { upstream, ostiary } = await setUp(annotations)
    expect((await rawRequest(ostiary.port, handshake('/chat', HOST))).status).toBe(status)
    expect(upstream.requests).toEqual([])
  })

  test('counts as a request when it is opened', async () => {
    const { upstream, ostiary } = await setUp({ 'rate-limit': '1/1h' })
    const raw = await RawClient.open(ostiary.port)
    await WebSocketClient.open(raw, handshake('/chat', HOST))
    expect((await rawRequest(ostiary.port, handshake('/chat', HOST))).status).toBe(429)
    expect(upstream.requests).toHaveLength(1)
    raw.close()
  })
})
