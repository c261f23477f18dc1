import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Authorizer } from '../../src/auth/authorize.ts'
import type { Allow, AuthDecision } from '../../src/auth/decision.ts'
import type { RequestFacts } from '../../src/auth/request-facts.ts'
import { createProxyServer, type ProxyServer } from '../../src/proxy/proxy-server.ts'
import type { Policy } from '../../src/table/policy.ts'
import type { Route, RoutingTable } from '../../src/table/routing-table.ts'
import { aPolicy } from '../support/a-policy.ts'
import { ManualTimers } from '../support/manual-timers.ts'
import { RawClient } from '../support/raw-http.ts'
import { aHost, aRoute, aSnapshot, aTable } from '../support/snapshot.ts'
import { handshake, startWebSocketUpstream, WebSocketClient } from '../support/web-socket.ts'
import { ALLOW, noAuthorizer, silent } from './support.ts'

const POLICY = aPolicy({ id: 'default/plugin', reauthorizesUpgrades: true })
const REFUSED: AuthDecision = {
  kind: 'refuse',
  status: 401,
  reason: 'expired_token',
  message: 'Unauthorized',
  wwwAuthenticate: [],
  responseHeaders: [],
}
const UNAVAILABLE: AuthDecision = {
  kind: 'unavailable',
  reason: 'session_store_unavailable',
  message: 'later',
  retryAfterSeconds: 1,
  responseHeaders: [],
}

function guarded(overrides: Partial<Route> = {}): Route {
  const action = { kind: 'forward', upstream: 'default/web/80', policies: [POLICY.id] } as const
  return aRoute('web', { action, ...overrides })
}

/** A WebSocket through a guarded route; the test says what authorization decides. */
class World {
  readonly timers = new ManualTimers()
  readonly asked: RequestFacts[] = []
  decide: () => AuthDecision | Promise<AuthDecision> = () => ALLOW
  server!: ProxyServer
  socket!: WebSocketClient
  upstreamSocket!: Socket
  #ports: { readonly web: readonly number[]; readonly other: readonly number[] } = { web: [], other: [] }

  static async start(policy: Policy = POLICY): Promise<World> {
    const world = new World()
    await world.#start(policy)
    return world
  }

  /** Swaps the snapshot for one with these routes. */
  publish(routes: readonly Route[] = [guarded()], overrides: Partial<RoutingTable> = {}): void {
    const policies = { [POLICY.id]: POLICY }
    const table = aTable([aHost('example.com', routes)], this.#ports, { policies, ...overrides })
    this.server.publish(aSnapshot(table))
  }

  /** The connection is open and carries bytes. */
  async expectOpen(): Promise<void> {
    expect(await this.socket.echo('ping')).toBe('ping')
  }

  /** Both sides are closed before so much time has passed, and nothing is left running. */
  async expectCut(ms: number): Promise<void> {
    const gone = once(this.upstreamSocket, 'close')
    this.timers.advance(ms)
    expect(await this.socket.raw.closed()).toBe('')
    await gone
    expect(this.timers.pending).toBe(0)
  }

  decisions(result: string): number {
    const families = this.server.metrics().find(({ name }) => name === 'ostiary_auth_decisions_total')
    const values = families?.values.filter(({ labels }) => labels['result'] === result) ?? []
    return values.reduce((sum, { value }) => sum + value, 0)
  }

  async #start(policy: Policy): Promise<void> {
    const upstream = await startWebSocketUpstream()
    this.#ports = { web: [upstream.port], other: [upstream.port] }
    const authorize: Authorizer['authorize'] = (_snapshot, _host, _route, facts) => {
      this.asked.push(facts)
      return this.decide()
    }
    const { timers } = this
    this.server = await createProxyServer(
      { http: { port: 0 } },
      { authorizer: { ...noAuthorizer, authorize }, clock: timers, timers, log: silent },
    )
    this.publish([guarded()], { policies: { [policy.id]: policy } })
    const { http = 0 } = await this.server.listen()
    onTestFinished(async () => {
      this.socket.raw.close()
      const closing = this.server.close({ drainMs: 0 })
      timers.advance(0)
      await closing
    })
    const request = handshake('/chat', 'example.com', { Cookie: 'session=1', Accept: 'text/html' })
    this.socket = await WebSocketClient.open(await RawClient.open(http), request)
    this.upstreamSocket = upstream.sockets[0] as Socket
  }
}

describe('an open connection that is judged again', () => {
  test('stays as long as it would be let through, whatever is published', async () => {
    const world = await World.start()
    for (let i = 0; i < 100; i += 1) {
      world.publish()
      world.timers.advance(2_000)
    }
    await world.expectOpen()
    expect(world.asked).toHaveLength(101)
    expect(world.decisions('allow')).toBe(1)
  })

  test('is judged by the request that opened it, which is no request of a person any more', async () => {
    const world = await World.start()
    world.timers.advance(2_000)
    const [first, second] = world.asked
    expect(first?.established).toBeUndefined()
    expect(second).toMatchObject({
      established: true,
      method: 'GET',
      host: 'example.com',
      path: '/chat',
      clientAddress: '127.0.0.1',
      headers: { cookie: 'session=1', upgrade: 'websocket' },
    })
    expect(await second?.form()).toBeUndefined()
  })

  test.each<[string, AuthDecision]>([
    ['refused', REFUSED],
    [
      'sent to a login',
      { kind: 'redirect', status: 302, location: '/', reason: 'login', responseHeaders: [] },
    ],
    [
      'answered',
      { kind: 'respond', status: 200, reason: 'logout', body: { kind: 'none' }, responseHeaders: [] },
    ],
  ])('is cut when its request would be %s', async (_name, decision) => {
    const world = await World.start()
    world.timers.advance(2_000)
    world.decide = () => decision
    world.timers.advance(1_999)
    await world.expectOpen()
    await world.expectCut(1)
    expect(world.decisions('close')).toBe(1)
  })

  test('is cut also where the answer comes later', async () => {
    const world = await World.start()
    world.decide = () => Promise.resolve(REFUSED)
    await world.expectCut(2_000)
  })

  const { identity } = ALLOW
  test.each<[string, Allow['identity']]>([
    ['nobody', { ...identity, method: 'anonymous' }],
    ['another subject', { ...identity, subject: 'mallory' }],
    ['another consumer', { ...identity, consumer: { id: 'mallory' } }],
  ])('is cut when the caller is %s now', async (_name, now) => {
    const world = await World.start()
    world.decide = () => ({ ...ALLOW, identity: now })
    await world.expectCut(2_000)
  })

  test('outlives a moment in which nobody can judge it', async () => {
    const world = await World.start()
    world.decide = () => UNAVAILABLE
    world.timers.advance(2_000)
    world.decide = () => ALLOW
    world.timers.advance(2_000)
    world.decide = () => UNAVAILABLE
    world.timers.advance(4_499)
    await world.expectOpen()
    await world.expectCut(1)
  })

  test('is confirmed by a slow answer only as of when it was asked for', async () => {
    const world = await World.start()
    const { promise, resolve } = Promise.withResolvers<AuthDecision>()
    world.decide = () => promise
    world.timers.advance(2_000)
    world.timers.advance(2_400)
    world.decide = () => UNAVAILABLE
    resolve(ALLOW)
    await setImmediate()
    world.timers.advance(2_099)
    await world.expectOpen()
    await world.expectCut(1)
  })

  test.each<[string, () => AuthDecision | Promise<AuthDecision>]>([
    ['no answer', () => new Promise(() => {})],
    ['"not now"', () => UNAVAILABLE],
  ])('is cut within five seconds where there is %s', async (_name, decide) => {
    const world = await World.start()
    world.timers.advance(2_000)
    world.decide = decide
    await world.expectCut(5_000)
  })

  test.each<[string, () => Promise<AuthDecision>]>([
    [
      'at once',
      () => {
        throw new Error('broken')
      },
    ],
    ['later', () => Promise.reject(new Error('broken'))],
  ])('is cut when judging it fails %s', async (_name, decide) => {
    const world = await World.start()
    world.decide = decide
    await world.expectCut(2_000)
  })
})

describe('an open connection is cut when its route', () => {
  test.each<[string, readonly Route[]]>([
    ['is gone', []],
    ['is another path now', [guarded({ path: '/other' })]],
    ['admits its address no more', [guarded({ traffic: { sourceRange: { deny: ['127.0.0.0/8'] } } })]],
    ['asks for a client certificate', [guarded({ clientCertificate: 'required' })]],
    ['is closed', [guarded({ action: { kind: 'closed', reason: 'PluginNotFound', message: '' } })]],
    [
      'leads to another service',
      [guarded({ action: { kind: 'forward', upstream: 'default/other/80', policies: [POLICY.id] } })],
    ],
    [
      'asks for groups that nobody can tell',
      [
        guarded({
          action: { kind: 'forward', upstream: 'default/web/80', policies: [] },
          accessControl: { allowGroups: ['staff'] },
        }),
      ],
    ],
  ])('%s', async (_name, routes) => {
    const world = await World.start()
    world.publish(routes)
    await world.expectCut(2_000)
    expect(world.asked).toHaveLength(1)
  })

  test('is gone with its host', async () => {
    const world = await World.start()
    world.publish([], { virtualHosts: [] })
    await world.expectCut(2_000)
  })
})

test('an open connection stays when its route takes client certificates, but needs none', async () => {
  const world = await World.start()
  world.publish([guarded({ clientCertificate: 'optional' })])
  world.timers.advance(60_000)
  await world.expectOpen()
})

test('an open connection stays when its route is opened to everybody', async () => {
  const world = await World.start()
  world.publish([guarded({ action: { kind: 'forward', upstream: 'default/web/80', policies: [] } })])
  world.timers.advance(60_000)
  await world.expectOpen()
})

test('a connection of a plugin that does not ask for it is never judged again', async () => {
  const { reauthorizesUpgrades: _on, ...policy } = POLICY
  const world = await World.start(policy)
  world.decide = () => REFUSED
  world.publish([])
  world.timers.advance(3_600_000)
  await world.expectOpen()
  expect(world.asked).toHaveLength(1)
})

test('nothing is left running after a connection has closed by itself', async () => {
  const world = await World.start()
  expect(world.timers.pending).toBeGreaterThan(0)
  const gone = once(world.upstreamSocket, 'close')
  world.socket.raw.socket.end()
  await gone
  await world.socket.raw.closed()
  expect(world.timers.pending).toBe(0)
})

test('a side that never ends after the other did is cut when nothing moves any more', async () => {
  const world = await World.start()
  world.upstreamSocket.removeAllListeners('end')
  world.upstreamSocket.allowHalfOpen = true
  const heard = once(world.upstreamSocket, 'end')
  world.socket.raw.socket.end()
  await heard
  world.timers.advance(15_000)
  world.upstreamSocket.write('still busy')
  await world.socket.raw.until((text) => text === 'still busy')
  world.timers.advance(44_999)
  expect(world.timers.pending).toBeGreaterThan(0)
  world.timers.advance(1)
  await world.socket.raw.closed()
  await setImmediate()
  expect(world.timers.pending).toBe(0)
})
