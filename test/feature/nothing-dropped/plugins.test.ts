import { expect, onTestFinished, test } from 'vitest'
import { startAuthorizationServer } from '../../../deploy/demo/authorization-server/authorization-server.ts'
import { clientCredentialsToken } from '../../demo/okta.ts'
import { startLoad } from '../../support/constant-load.ts'
import { ingress, oidcPlugin, secret, service } from '../../support/manifests.ts'
import { HOST, startCalm, startUpstream } from './setup.ts'

test('edits of plugins, of their Secrets and of their attachment refuse nobody who is let in by all of them', async () => {
  const { port } = await startUpstream('guarded')
  const authorizationServer = await startAuthorizationServer({ port: 0 })
  onTestFinished(() => authorizationServer.close())
  const plugin = (name: string, round: number): object =>
    oidcPlugin(name, {
      issuer: authorizationServer.issuer,
      authMethods: round % 2 === 0 ? ['bearer'] : ['bearer', 'introspection'],
      clientId: 'ostiary',
      clientSecretRef: { name: 'client' },
      audience: ['api://default'],
      leeway: round % 5,
      upstreamHeadersClaims: ['sub'],
      upstreamHeadersNames: [`x-round-${round}`],
    })
  const objects = (round: number): object[] => [
    ...service('guarded', port),
    secret('client', { clientSecret: 'ostiary-secret', [`unused${round}`]: 'x' }),
    plugin('a', round),
    ...(round % 3 === 0 ? [plugin('b', round)] : []),
    ingress({
      name: 'guarded',
      host: HOST,
      service: 'guarded',
      // Now of one plugin, now of the other; each with the objects it needs.
      annotations: { 'ostiary.dev/plugins': round % 3 === 0 ? 'b' : 'a' },
    }),
  ]
  const { ostiary, sockets, unchanged } = await startCalm((to, fixed) => to.apply(...fixed, ...objects(0)))
  const token = await clientCredentialsToken(authorizationServer)
  const load = startLoad({
    origin: ostiary.origin,
    host: HOST,
    headers: { authorization: `Bearer ${token}` },
  })
  for (let round = 1; round <= 60; round += 1) {
    await ostiary.apply(...unchanged, ...objects(round))
    await load.turn()
  }
  const { failures, requests } = await load.stop()
  expect(failures).toEqual([])
  expect(requests).toBeGreaterThan(300)
  await sockets.expectAlive()
})
