import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { loadOidcProvider } from '../../../deploy/demo/authorization-server/load-oidc-provider.ts'
import { MemoryStorage } from '../../../deploy/demo/authorization-server/memory-storage.ts'
import type { ClientWithSecret } from '../../../src/auth/authorization-server/authorization-server-client.ts'
import type { AuthorizationServer } from '../../../src/table/policy.ts'
import { aServer } from '../../support/a-policy.ts'
import { openClient, valueOf } from './open-client.ts'

const SECRET = 'a-secret-of-at-least-thirty-two-characters'
const EC = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ED = generateKeyPairSync('ed25519')

function publicJwk(key: KeyObject, kid: string): object {
  return { ...key.export({ format: 'jwk' }), kid, use: 'sig' }
}

function registration(client_id: string, more: object): object {
  return {
    client_id,
    grant_types: ['client_credentials'],
    response_types: [],
    redirect_uris: [],
    ...more,
  }
}

function byKey(client_id: string, alg: string, key: KeyObject): object {
  const jwks = { keys: [publicJwk(key, 'k1')] }
  return registration(client_id, {
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: alg,
    jwks,
  })
}

/** oidc-provider as it comes, which is OpenID-certified: what it accepts is client authentication as written. */
async function startCertifiedServer(): Promise<AuthorizationServer> {
  let listener: RequestListener = (_request, response) => {
    response.end()
  }
  const http = createServer((request, response) => listener(request, response))
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    http.closeAllConnections()
    await new Promise((resolve) => http.close(resolve))
  })
  const issuer = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  const { Provider } = await loadOidcProvider()
  const storage = new MemoryStorage()
  const provider = new Provider(issuer, {
    clients: [
      byKey('ec', 'ES256', EC.publicKey),
      byKey('rsa', 'RS256', RSA.publicKey),
      byKey('ed', 'EdDSA', ED.publicKey),
      registration('secret', { token_endpoint_auth_method: 'client_secret_jwt', client_secret: SECRET }),
      registration('basic', { client_secret: SECRET }),
    ],
    clientAuthMethods: ['client_secret_basic', 'client_secret_jwt', 'private_key_jwt'],
    jwks: { keys: [{ ...RSA.privateKey.export({ format: 'jwk' }), kid: 'server', use: 'sig' }] },
    cookies: { keys: ['only for this test'] },
    features: {
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      revocation: { enabled: true, allowedPolicy: () => true },
      devInteractions: { enabled: false },
    },
    scopes: ['read'],
    ttl: { ClientCredentials: 600 },
    adapter: (model: string) => storage.adapter(model),
    enabledJWA: { clientAuthSigningAlgValues: ['HS256', 'RS256', 'ES256', 'EdDSA'] },
  })
  const callback = provider.callback()
  listener = (request, response) => void callback(request, response)
  return aServer(issuer)
}

function pem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' })
}

function jwk(key: KeyObject): string {
  return JSON.stringify({ ...key.export({ format: 'jwk' }), kid: 'k1' })
}

const CLIENTS: readonly (readonly [name: string, client: ClientWithSecret])[] = [
  ['an EC key in PEM', { id: 'ec', authMethod: 'private_key_jwt', privateKey: pem(EC.privateKey) }],
  ['an EC key as JWK', { id: 'ec', authMethod: 'private_key_jwt', privateKey: jwk(EC.privateKey) }],
  ['an RSA key in PEM', { id: 'rsa', authMethod: 'private_key_jwt', privateKey: pem(RSA.privateKey) }],
  ['an Ed25519 key in PEM', { id: 'ed', authMethod: 'private_key_jwt', privateKey: pem(ED.privateKey) }],
  ['a secret that signs', { id: 'secret', authMethod: 'client_secret_jwt', secret: SECRET }],
  ['a secret that is sent', { id: 'basic', authMethod: 'client_secret_basic', secret: SECRET }],
]

describe('an OpenID-certified server', () => {
  test.each(CLIENTS)('takes a client with %s at each endpoint', async (_name, app) => {
    const server = await startCertifiedServer()
    // The server looks at the system's clock.
    const { client } = openClient({ clock: { now: () => Date.now(), monotonic: () => performance.now() } })
    const tokens = valueOf(
      await client.clientCredentialsGrant(server, { client: app, scopes: ['read'], audience: [] }),
    )
    const ask = { client: app, token: tokens.accessToken, hint: 'access_token' }
    expect(valueOf(await client.introspect(server, ask))).toMatchObject({
      active: true,
      claims: { scope: 'read' },
    })
    valueOf(await client.revoke(server, { ...ask, hint: 'access_token' }))
    expect(valueOf(await client.introspect(server, ask)).active).toBe(false)
  })

  test('refuses a key that is another client’s, and an assertion that is made out to somebody else', async () => {
    const server = await startCertifiedServer()
    const { client } = openClient({ clock: { now: () => Date.now(), monotonic: () => performance.now() } })
    const ask = async (app: ClientWithSecret): Promise<unknown> =>
      await client.clientCredentialsGrant(server, { client: app, scopes: ['read'], audience: [] })
    const refused = { ok: false, kind: 'refused', error: 'invalid_client' }
    const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    const own = { id: 'ec', authMethod: 'private_key_jwt', privateKey: pem(EC.privateKey) } as const
    expect(await ask({ ...own, privateKey: pem(stranger) })).toMatchObject(refused)
    expect(await ask({ ...own, assertionAudience: 'https://elsewhere.example/token' })).toMatchObject(refused)
    expect(await ask({ ...own, assertionAudience: server.issuer })).toMatchObject({ ok: true })
  })
})
