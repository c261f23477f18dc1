import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:tls'
import { generate } from 'selfsigned'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  startAuthorizationServer,
  type AuthorizationServer,
} from '../../deploy/demo/authorization-server/authorization-server.ts'
import { startEcho, type Echo } from '../../deploy/demo/echo-upstream.ts'
import { signIn } from '../support/okta-server-sign-in.ts'
import { clusterRequirement } from '../support/requirements.ts'
import { hostAddress } from './host-address.ts'
import { apply, createNamespace, getJson, installCrds, kubectl } from './kubectl.ts'
import { ingressClass, ingressFor, oidcPlugin, secret, serviceTo, tlsSecret } from './objects.ts'
import { OstiaryProcess } from './ostiary-process.ts'

const CLIENT_SECRET = 'ostiary-secret'
const APP = 'app.example.test'
const NAVIGATION = { accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }

/** Long enough for a busy machine; a change is usually live within a tenth of a second. */
const LIVE = { timeout: 20_000, interval: 25 }

describe.skipIf(clusterRequirement())('ostiary run on a cluster', () => {
  const address = hostAddress()
  let namespace: string
  let className: string
  let echo: Echo
  let authorizationServer: AuthorizationServer
  let ostiary: OstiaryProcess
  const processes: OstiaryProcess[] = []

  const start = (...args: string[]): OstiaryProcess => {
    const started = new OstiaryProcess(['--namespace', namespace, ...args])
    processes.push(started)
    return started
  }
  const status = async (host: string, headers?: Record<string, string>) =>
    (await ostiary.get(host, '/page', headers)).status
  const live = (host: string, expected: number, headers?: Record<string, string>) =>
    expect.poll(() => status(host, headers), LIVE).toBe(expected)
  const remove = (...args: string[]) => kubectl(['--namespace', namespace, 'delete', ...args])

  beforeAll(async () => {
    await installCrds()
    namespace = await createNamespace('ostiary-run')
    className = namespace
    echo = await startEcho({ port: 0, host: address })
    authorizationServer = await startAuthorizationServer({
      port: 0,
      host: address,
      clients: [
        { clientId: 'orders-service', clientSecret: 'orders-secret', grantTypes: ['client_credentials'] },
        {
          clientId: 'ostiary',
          clientSecret: CLIENT_SECRET,
          grantTypes: ['authorization_code', 'refresh_token'],
          redirectUris: [`http://${APP}/oauth2/callback`],
        },
      ],
    })
    await apply(
      namespace,
      ...serviceTo('echo', address, echo.port),
      ingressClass(className, 'ostiary.dev/ingress-controller'),
      ingressClass(`${className}-foreign`, 'example.com/another-controller'),
    )
    ostiary = start()
    await ostiary.ready()
  })

  afterAll(async () => {
    for (const each of processes) each.kill()
    await echo?.close()
    await authorizationServer?.close()
    if (namespace === undefined) return
    await kubectl(['delete', 'ingressclass', className, `${className}-foreign`, '--ignore-not-found'])
    await kubectl(['delete', 'namespace', namespace, '--wait=false'])
  })

  /** A token for the program `orders-service`. */
  async function accessToken(server = authorizationServer): Promise<string> {
    const response = await fetch(`${server.issuer}/v1/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa('orders-service:orders-secret')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'orders.read' }),
    })
    const { access_token: token } = (await response.json()) as { access_token: string }
    return token
  }

  test('an Ingress is served once it is applied, and no more once it is deleted', async () => {
    expect(await status('open.example.test')).toBe(404)
    await apply(namespace, ingressFor('open', { className, host: 'open.example.test' }))
    await live('open.example.test', 200)
    const { body } = await ostiary.get('open.example.test', '/page')
    expect(JSON.parse(body)).toMatchObject({ path: '/page', host: 'open.example.test' })
    await remove('ingress', 'open')
    await live('open.example.test', 404)
  })

  test('endpoints are followed: without a ready one a route answers 503', async () => {
    const host = 'endpoints.example.test'
    await apply(
      namespace,
      ...serviceTo('moving', address, echo.port),
      ingressFor('endpoints', { className, host, service: 'moving' }),
    )
    await live(host, 200)
    const patch = JSON.stringify({ endpoints: [{ addresses: [address], conditions: { ready: false } }] })
    await kubectl([
      '--namespace',
      namespace,
      'patch',
      'endpointslice',
      'moving-1',
      '--type=merge',
      '-p',
      patch,
    ])
    await live(host, 503)
    await remove('ingress/endpoints', 'service/moving', 'endpointslice/moving-1')
  })

  test('an Ingress of a foreign class is left alone', async () => {
    await apply(
      namespace,
      ingressFor('foreign', { className: `${className}-foreign`, host: 'foreign.example.test' }),
    )
    await apply(namespace, ingressFor('later', { className, host: 'later.example.test' }))
    // What came later by the same watch is live, so the former has been seen.
    await live('later.example.test', 200)
    expect(await status('foreign.example.test')).toBe(404)
  })

  test('a plugin guards its Ingress, and a route never opens when something of it is missing', async () => {
    const host = 'orders.example.test'
    const authorization = { authorization: `Bearer ${await accessToken()}` }
    await apply(namespace, ingressFor('orders', { className, host, plugins: 'orders' }))
    await live(host, 503)

    await apply(
      namespace,
      secret('orders-client', { clientSecret: CLIENT_SECRET }, false),
      oidcPlugin('orders', {
        issuer: authorizationServer.issuer,
        insecureAllowHttp: true,
        authMethods: ['bearer', 'introspection'],
        clientId: 'ostiary',
        clientSecretRef: { name: 'orders-client' },
        audienceRequired: ['api://default'],
      }),
    )
    await apply(namespace, ingressFor('later-still', { className, host: 'later-still.example.test' }))
    await live('later-still.example.test', 200)
    // The Secret is there, and without its label it is not even listed.
    expect(await status(host, authorization)).toBe(503)
    await kubectl(['--namespace', namespace, 'label', 'secret', 'orders-client', 'ostiary.dev/secret=true'])
    await live(host, 401)
    const { headers, body } = await ostiary.get(host, '/page')
    expect(headers['www-authenticate']).toMatch(/^Bearer/)
    expect(JSON.parse(body)).toHaveProperty('message')

    await live(host, 200, authorization)
    expect(await status(host, { authorization: `${authorization.authorization}x` })).toBe(401)

    await kubectl(['--namespace', namespace, 'label', 'secret', 'orders-client', 'ostiary.dev/secret-'])
    await live(host, 503, authorization)
    await kubectl(['--namespace', namespace, 'label', 'secret', 'orders-client', 'ostiary.dev/secret=true'])
    await live(host, 200, authorization)

    await remove('oidcplugin', 'orders')
    await live(host, 503, authorization)
    await remove('ingress', 'orders')
    await live(host, 404)
  })

  test('a certificate is served by name, and renewed, as its Secret says', async () => {
    const host = 'tls.example.test'
    const [first, renewed] = [await certificateFor(host), await certificateFor(host)]
    await apply(namespace, ingressFor('tls', { className, host, tls: 'tls' }))
    await apply(namespace, tlsSecret('tls', first.cert, first.private))
    await expect.poll(() => fingerprint(host), LIVE).toBe(first.fingerprint)
    await apply(namespace, tlsSecret('tls', renewed.cert, renewed.private))
    await expect.poll(() => fingerprint(host), LIVE).toBe(renewed.fingerprint)
    expect(await fingerprint('unknown.example.test')).not.toBe(renewed.fingerprint)
  })

  /** Of the certificate that the HTTPS listener shows for a server name. */
  async function fingerprint(servername: string): Promise<string> {
    const { https: port } = await ostiary.ports()
    const socket = connect({ port, host: '127.0.0.1', servername, rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    const { fingerprint: found } = socket.getPeerCertificate()
    socket.destroy()
    return found
  }

  test('the session key Secret is made once, and a session of one instance is one of every other', async () => {
    const before = (await getJson(['secret', 'ostiary-session-keys', '--namespace', namespace])) as KeySecret
    expect(before.metadata.labels).toEqual({ 'ostiary.dev/secret': 'true' })
    const key = Buffer.from(before.data.keys, 'base64').toString().trim()
    expect(Buffer.from(key, 'base64url')).toHaveLength(32)

    await apply(
      namespace,
      secret('app-client', { clientSecret: CLIENT_SECRET }, true),
      oidcPlugin('app', {
        issuer: authorizationServer.issuer,
        insecureAllowHttp: true,
        authMethods: ['session', 'authorization_code'],
        clientId: 'ostiary',
        clientSecretRef: { name: 'app-client' },
        scopes: ['openid', 'profile'],
        audienceRequired: ['api://default'],
      }),
      ingressFor('app', { className, host: APP, plugins: 'app' }),
    )
    await live(APP, 302, NAVIGATION)
    const cookie = await logIn(ostiary)
    expect((await ostiary.get(APP, '/page', { ...NAVIGATION, cookie })).status).toBe(200)

    const other = start()
    await other.ready()
    expect((await other.get(APP, '/page', { ...NAVIGATION, cookie })).status).toBe(200)
    expect((await other.get(APP, '/page', NAVIGATION)).status).toBe(302)
    const after = (await getJson(['secret', 'ostiary-session-keys', '--namespace', namespace])) as KeySecret
    expect(after.metadata.resourceVersion).toBe(before.metadata.resourceVersion)
    expect(await other.stop()).toBe(0)

    for (const { log } of processes) expect(log).not.toContain(key)
  })

  /** Signs in with the code flow. @returns The Cookie header of the session. */
  async function logIn(instance: OstiaryProcess): Promise<string> {
    const redirect = await instance.get(APP, '/page', NAVIGATION)
    const outcome = await signIn(String(redirect.headers['location']))
    if (outcome.kind !== 'redirect') throw new Error(`no redirect but a page: ${outcome.html}`)
    const { pathname, search } = outcome.location
    const flow = cookieHeader(redirect.headers['set-cookie'])
    const callback = await instance.get(APP, `${pathname}${search}`, { ...NAVIGATION, cookie: flow })
    expect([callback.status, callback.headers['location']]).toEqual([302, '/page'])
    return cookieHeader(callback.headers['set-cookie'])
  }

  test('an issuer on loopback is not called, unless that is allowed', async () => {
    const host = 'loopback.example.test'
    const local = await startAuthorizationServer({ port: 0 })
    try {
      const authorization = { authorization: `Bearer ${await accessToken(local)}` }
      await apply(
        namespace,
        oidcPlugin('loopback', {
          issuer: local.issuer,
          authMethods: ['bearer'],
          audienceRequired: ['api://default'],
        }),
        ingressFor('loopback', { className, host, plugins: 'loopback' }),
      )
      await live(host, 401)
      expect(await status(host, authorization)).toBe(503)
      const permissive = start('--allow-loopback-issuers')
      await permissive.ready()
      expect((await permissive.get(host, '/page', authorization)).status).toBe(200)
      expect(await permissive.stop()).toBe(0)
    } finally {
      await local.close()
    }
  })

  test('probes and metrics tell of the live snapshot', async () => {
    expect((await ostiary.probe('/livez')).status).toBe(200)
    expect((await ostiary.probe('/readyz')).status).toBe(200)
    const { body } = await ostiary.probe('/metrics')
    expect(body).toMatch(/^ostiary_snapshot_version [1-9]\d*$/m)
    const decisionsOf = (plugin: string) =>
      new RegExp(`^ostiary_auth_decisions_total\\{plugin="${namespace}/${plugin}",.* [1-9]`, 'm')
    expect(body).toMatch(decisionsOf('loopback'))
    // It has been deleted.
    expect(body).not.toMatch(decisionsOf('orders'))
  })

  // Last: it ends the process.
  test('a SIGTERM ends it with 0, and nothing secret was logged', async () => {
    expect(await ostiary.stop()).toBe(0)
    expect(ostiary.log).toContain('stopping')
    expect(ostiary.log).not.toContain(CLIENT_SECRET)
    expect(ostiary.log).not.toMatch(/eyJ[\w-]+\./)
    expect(ostiary.log).not.toContain('PRIVATE KEY')
  })
})

interface KeySecret {
  readonly metadata: { readonly labels: object; readonly resourceVersion: string }
  readonly data: { readonly keys: string }
}

async function certificateFor(host: string) {
  const made = await generate([{ name: 'commonName', value: host }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: host }] }],
  })
  return { ...made, fingerprint: new X509Certificate(made.cert).fingerprint }
}

function cookieHeader(setCookie: string | string[] | undefined): string {
  return [setCookie ?? []]
    .flat()
    .map((line) => line.split(';', 1)[0] ?? '')
    .filter((pair) => !pair.endsWith('='))
    .join('; ')
}
