import { describe, expect, test } from 'vitest'
import { ingress, oidcPlugin, service } from '../../support/manifests.ts'
import { RawClient } from '../../support/raw-http.ts'
import { startWebSocketApp, type WebSocketApp } from '../../support/web-socket-app.ts'
import { handshake, startWebSocketUpstream, WebSocketClient } from '../../support/web-socket.ts'

const RELOADS = 60
const SOCKETS = 15

async function open(world: WebSocketApp, target: string, headers = {}): Promise<WebSocketClient> {
  const { port } = world.ostiaries[0]!
  return WebSocketClient.open(await RawClient.open(port), handshake(target, `127.0.0.1:${port}`, headers))
}

function many(make: () => Promise<WebSocketClient>): Promise<WebSocketClient[]> {
  return Promise.all(Array.from({ length: SOCKETS }, make))
}

describe('peers 27: a change of the configuration', () => {
  test(`${RELOADS} reloads close no socket, neither on routes that change elsewhere nor where they are judged again`, async () => {
    const world = await startWebSocketApp()
    const other = await startWebSocketUpstream()
    const { issuer } = world.authorizationServer
    const bearer = { issuer, authMethods: ['bearer'], leeway: 86_400 }
    const publish = (reload: number): void => {
      const even = reload % 2 === 0
      world.applyOnly(
        oidcPlugin('guard', bearer),
        oidcPlugin('strict', { ...bearer, closeUpgradedConnections: true }),
        ingress({ name: 'open', path: '/open' }),
        ingress({ name: 'guarded', path: '/guarded', annotations: { 'ostiary.dev/plugins': 'guard' } }),
        ingress({ name: 'strict', path: '/strict', annotations: { 'ostiary.dev/plugins': 'strict' } }),
        // What changes: another Ingress comes and goes, one moves, and a Service has other endpoints.
        ...(even ? [ingress({ name: 'coming', path: '/coming' })] : []),
        ingress({ name: 'moving', path: `/moving-${reload}` }),
        ingress({ name: 'other', path: '/other', service: 'other' }),
        ...service('other', even ? other.port : world.upstream.port),
      )
    }
    publish(0)
    const seconds = Math.floor(world.timers.now() / 1000)
    const token = await world.authorizationServer.sign(
      { iss: issuer, aud: 'api://default', sub: 'alice', iat: seconds, exp: seconds + 86_400 },
      { typ: 'at+jwt' },
    )
    const headers = { Authorization: `Bearer ${token}` }
    const sockets = [
      ...(await many(() => open(world, '/open'))),
      ...(await many(() => open(world, '/guarded', headers))),
      ...(await many(() => open(world, '/strict', headers))),
      // On an endpoint that is in the table every other time.
      ...(await many(() => open(world, '/other'))),
    ]
    for (let reload = 1; reload <= RELOADS; reload += 1) {
      publish(reload)
      world.timers.advance(500)
      const pinging = sockets[reload % sockets.length]!
      expect(await pinging.echo(`ping ${reload}`)).toBe(`ping ${reload}`)
    }
    const answers = await Promise.all(sockets.map((socket) => socket.echo('still here')))
    expect(new Set(answers)).toEqual(new Set(['still here']))
    for (const { raw } of sockets) raw.close()
  })
})
