import { describe, expect, onTestFinished, test } from 'vitest'
import {
  startAuthorizationServer,
  type AuthorizationServer,
} from '../../../deploy/demo/authorization-server/authorization-server.ts'
import { DEMO_CLIENTS } from '../../../deploy/demo/authorization-server/registration.ts'
import { startEcho } from '../../../deploy/demo/echo-upstream.ts'
import { ingress, oidcPlugin, secret, service, yaml } from '../../support/manifests.ts'
import { startOstiary } from '../../support/ostiary.ts'
import { WebBrowser } from '../../support/web-browser.ts'

async function startServer(origin: string): Promise<AuthorizationServer> {
  const redirectUris = ['/a/callback', '/b/callback'].map((path) => origin + path)
  const clients = DEMO_CLIENTS.map((each) => (each.clientId === 'ostiary' ? { ...each, redirectUris } : each))
  const server = await startAuthorizationServer({ port: 0, clients })
  onTestFinished(() => server.close())
  return server
}

/** `/a` and `/b` of one host, each behind an authorization server of its own. */
async function setup() {
  const ostiary = await startOstiary('')
  const servers = { a: await startServer(ostiary.url), b: await startServer(ostiary.url) }
  const echo = await startEcho({ port: 0 })
  onTestFinished(() => echo.close())
  const plugin = (name: 'a' | 'b'): object =>
    oidcPlugin(name, {
      issuer: servers[name].issuer,
      authMethods: ['session', 'authorization_code'],
      clientId: 'ostiary',
      clientSecretRef: { name: 'client' },
      redirectUri: `${ostiary.url}/${name}/callback`,
      upstreamHeaders: [{ header: 'x-issuer', path: ['iss'] }],
    })
  const route = (name: string): object =>
    ingress({ name, path: `/${name}`, annotations: { 'ostiary.dev/plugins': name } })
  const result = ostiary.apply(
    yaml(
      ...service('echo', echo.port),
      secret('client', { clientSecret: 'ostiary-secret' }),
      plugin('a'),
      plugin('b'),
      route('a'),
      route('b'),
    ),
  )
  expect(result.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([])
  return { ostiary, servers, browser: new WebBrowser(ostiary.url) }
}

async function issuerSeen(response: Response): Promise<unknown> {
  const { headers } = (await response.json()) as { headers: Record<string, unknown> }
  return headers['X-Issuer']
}

describe('peers 11: two issuers on one host', () => {
  test('a login at one neither grants nor breaks the other', async () => {
    const { browser, servers } = await setup()
    await browser.login('/a/x')
    expect(await issuerSeen(await browser.navigate('/a/x'))).toEqual([servers.a.issuer])
    const elsewhere = await browser.navigate('/b/x')
    expect(browser.locationOf(elsewhere).origin).toBe(new URL(servers.b.issuer).origin)
    expect((await browser.script('/b/x')).status).toBe(401)

    await browser.login('/b/x')
    expect(await issuerSeen(await browser.navigate('/b/x'))).toEqual([servers.b.issuer])
    expect(await issuerSeen(await browser.navigate('/a/x'))).toEqual([servers.a.issuer])
  })

  test('a session under the name of the other is none', async () => {
    const { browser, ostiary } = await setup()
    await browser.login('/a/x')
    const [, cookieOfA = '', value = ''] = /(ostiary_[0-9a-f]{8}_os_0)=([^;]*)/.exec(
      browser.jar.header(new URL(ostiary.url)),
    )!
    await browser.login('/b/x')
    const names = browser.jar.header(new URL(ostiary.url)).match(/ostiary_[0-9a-f]{8}_os_0/g) ?? []
    const cookieOfB = names.find((name) => name !== cookieOfA) ?? ''
    const forged = await browser.send('/b/x', { headers: { cookie: `${cookieOfB}=${value}` } })
    expect(forged.status).toBe(401)
  })

  test('one that is down does not touch the other', async () => {
    const { browser, servers } = await setup()
    await servers.b.faults.down('refused')
    await browser.login('/a/x')
    expect((await browser.navigate('/a/x')).status).toBe(200)
    expect((await browser.navigate('/b/x')).status).toBe(503)
  })
})
