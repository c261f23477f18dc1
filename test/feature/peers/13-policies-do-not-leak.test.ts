import * as fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { startAuthorizationServer } from '../../../deploy/demo/authorization-server/authorization-server.ts'
import { startEcho } from '../../../deploy/demo/echo-upstream.ts'
import { startLoginApp } from '../../support/login-app.ts'
import { ingress, oidcPlugin, service, yaml } from '../../support/manifests.ts'
import { startOstiary } from '../../support/ostiary.ts'

const PLUGINS = ['a', 'b', 'c'] as const
const PATHS = ['/', '/x', '/x/y', '/z']

/** Which plugin guards which path, in the order of the manifests; `undefined`: none does. */
const routes = fc.uniqueArray(
  fc.record({
    path: fc.constantFrom(...PATHS),
    plugin: fc.option(fc.constantFrom(...PLUGINS), { nil: undefined }),
  }),
  { selector: ({ path }) => path, minLength: 1 },
)

test('peers 13: for every route set and order, a route is guarded by the plugin that it names', async () => {
  const authorizationServer = await startAuthorizationServer({ port: 0 })
  const echo = await startEcho({ port: 0 })
  onTestFinished(() => echo.close())
  onTestFinished(() => authorizationServer.close())
  const { issuer } = authorizationServer
  const exp = Math.floor(Date.now() / 1000) + 600
  const tokens = await Promise.all(
    PLUGINS.map((aud) => authorizationServer.sign({ iss: issuer, aud, sub: 's', iat: exp - 600, exp })),
  )
  const plugins = PLUGINS.map((name) =>
    oidcPlugin(name, { issuer, authMethods: ['bearer'], audienceRequired: [name] }),
  )
  const ostiary = await startOstiary(yaml(...service('echo', echo.port)))
  const statusOf = async (path: string, token: string | undefined): Promise<number> => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
    const response = await fetch(`${ostiary.url}${path}`, { headers })
    await response.body?.cancel()
    return response.status
  }
  await fc.assert(
    fc.asyncProperty(routes, async (set) => {
      const ingresses = set.map(({ path, plugin }, index) =>
        ingress({
          name: `r${index}`,
          path,
          annotations: plugin === undefined ? {} : { 'ostiary.dev/plugins': plugin },
        }),
      )
      ostiary.apply(yaml(...service('echo', echo.port), ...plugins, ...ingresses))
      for (const { path, plugin } of set) {
        const statuses = await Promise.all([undefined, ...tokens].map((token) => statusOf(path, token)))
        const expected = PLUGINS.map((name) => (plugin === undefined || plugin === name ? 200 : 401))
        expect(statuses).toEqual([plugin === undefined ? 200 : 401, ...expected])
      }
    }),
    { numRuns: 25 },
  )
})

test('peers 13: a session is good for its own issuer, client and policy alone', async () => {
  const app = await startLoginApp()
  const other = await startAuthorizationServer({ port: 0 })
  onTestFinished(() => other.close())
  const own = {
    issuer: app.authorizationServer.issuer,
    authMethods: ['session', 'authorization_code'],
    clientId: 'ostiary',
    clientSecretRef: { name: 'client' },
  }
  const guards: Readonly<Record<string, object>> = {
    'same-realm': own,
    'another-issuer': { ...own, issuer: other.issuer },
    'another-client': { ...own, clientId: 'orders-service' },
    'another-cookie': { ...own, sessionCookieName: 'own' },
  }
  const objects = Object.entries(guards).flatMap(([name, spec]) => [
    oidcPlugin(name, { ...spec, redirectUri: `${app.ostiary.url}/${name}/callback` }),
    ingress({ name, path: `/${name}`, annotations: { 'ostiary.dev/plugins': name } }),
  ])
  app.apply({}, ...objects)
  await app.browser.login('/app')
  expect((await app.browser.navigate('/app')).status).toBe(200)
  expect((await app.browser.navigate('/same-realm')).status).toBe(200)
  for (const name of ['another-issuer', 'another-client', 'another-cookie']) {
    expect([name, (await app.browser.navigate(`/${name}`)).status]).toEqual([name, 302])
    expect([name, (await app.browser.script(`/${name}`)).status]).toEqual([name, 401])
  }
  expect((await app.browser.navigate('/app')).status).toBe(200)
})
