import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  startAuthorizationServer,
  type AuthorizationServer,
} from '../../deploy/demo/authorization-server/authorization-server.ts'
import { clientCredentialsToken, introspect, ORDERS, post } from './okta.ts'

let server: AuthorizationServer

beforeEach(async () => {
  server = await startAuthorizationServer({ port: 0 })
})

afterEach(() => server.close())

async function kids(): Promise<unknown[]> {
  const response = await fetch(`${server.issuer}/v1/keys`)
  const { keys } = (await response.json()) as { keys: Record<string, unknown>[] }
  for (const key of keys) expect(Object.keys(key).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use'])
  return keys.map((key) => key['kid'])
}

describe('discovery', () => {
  test('both documents lie where Okta has them, and name addresses that answer', async () => {
    const openid = await fetch(`${server.issuer}/.well-known/openid-configuration`)
    expect(openid.headers.get('cache-control')).toContain('max-age')
    const document = (await openid.json()) as Record<string, unknown>
    expect(document).toMatchObject({
      issuer: server.issuer,
      code_challenge_methods_supported: ['S256'],
      response_modes_supported: ['query', 'fragment', 'form_post'],
      id_token_signing_alg_values_supported: ['RS256'],
      scopes_supported: expect.arrayContaining(['openid', 'offline_access', 'orders.read']),
      token_endpoint_auth_methods_supported: expect.arrayContaining(['client_secret_basic']),
      introspection_endpoint: `${server.issuer}/v1/introspect`,
      end_session_endpoint: `${server.issuer}/v1/logout`,
    })
    expect(document).not.toHaveProperty('authorization_response_iss_parameter_supported')
    for (const [name, address] of Object.entries(document)) {
      if (!name.endsWith('_endpoint') && name !== 'jwks_uri') continue
      expect((await fetch(String(address), { redirect: 'manual' })).status, name).not.toBe(404)
    }
    const paths = [
      '/.well-known/oauth-authorization-server/oauth2/default',
      '/oauth2/default/.well-known/oauth-authorization-server',
    ]
    for (const path of paths) {
      const metadata = (await (await fetch(server.url + path)).json()) as Record<string, unknown>
      expect(metadata).toMatchObject({ issuer: server.issuer, token_endpoint: document['token_endpoint'] })
    }
    expect((await fetch(`${server.url}/.well-known/openid-configuration`)).status).toBe(404)
  })

  test('the issuer can have another origin than the socket', async () => {
    const other = await startAuthorizationServer({
      port: 0,
      host: '127.0.0.1',
      issuerBase: 'https://example.okta.test',
    })
    try {
      expect(other.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
      const address = `${other.url}/oauth2/default/.well-known/openid-configuration`
      const document = (await (await fetch(address)).json()) as Record<string, unknown>
      expect(document['jwks_uri']).toBe('https://example.okta.test/oauth2/default/v1/keys')
    } finally {
      await other.close()
    }
  })
})

describe('keys', () => {
  test('tokens verify against the published keys', async () => {
    const token = await clientCredentialsToken(server)
    const keys = createRemoteJWKSet(new URL(`${server.issuer}/v1/keys`))
    const { payload } = await jwtVerify(token, keys, { issuer: server.issuer, audience: 'api://default' })
    expect(payload['cid']).toBe('orders-service')
  })

  test('a rotation that keeps the old key publishes both and signs with the new one', async () => {
    const [old] = await kids()
    const kid = await server.faults.rotateKeys('kept')
    expect(await kids()).toEqual([kid, old])
    expect(decodeProtectedHeader(await clientCredentialsToken(server)).kid).toBe(kid)
  })

  test('a rotation that drops it leaves old tokens without a key, yet introspection knows them', async () => {
    const token = await clientCredentialsToken(server)
    const kid = await server.faults.rotateKeys('dropped')
    expect(await kids()).toEqual([kid])
    expect((await introspect(server, token))['active']).toBe(true)
  })

  test('anything can be signed with the current key', async () => {
    const token = await server.sign({ iss: 'https://elsewhere.example' }, { typ: 'logout+jwt' })
    expect(decodeProtectedHeader(token)).toMatchObject({ typ: 'logout+jwt', alg: 'RS256' })
    expect(await kids()).toContain(decodeProtectedHeader(token).kid)
  })
})

describe('outages', () => {
  test('refused connections, then the same port again with everything remembered', async () => {
    const token = await clientCredentialsToken(server)
    await server.faults.down('refused')
    await expect(fetch(`${server.issuer}/v1/keys`)).rejects.toThrow()
    await server.faults.up()
    expect((await introspect(server, token))['active']).toBe(true)
  })

  test('503 to everything', async () => {
    await server.faults.down('unavailable')
    for (const path of ['/v1/keys', '/.well-known/openid-configuration']) {
      expect((await fetch(server.issuer + path)).status).toBe(503)
    }
    await server.faults.up()
    expect((await fetch(`${server.issuer}/v1/keys`)).status).toBe(200)
  })

  test('a hold keeps requests waiting until it is released', async () => {
    const hold = server.faults.hold('token')
    let answered = 0
    const requests = [1, 2].map(async () => {
      const token = await clientCredentialsToken(server)
      answered += 1
      return token
    })
    await hold.arrived(2)
    expect([hold.waiting, answered]).toEqual([2, 0])
    hold.release()
    expect(new Set(await Promise.all(requests)).size).toBe(2)
    expect(await clientCredentialsToken(server)).toMatch(/^ey/)
  })

  test('a slow endpoint answers after one that was asked later', async () => {
    server.faults.slow(250, ['keys'])
    const order: string[] = []
    const slow = kids().then(() => order.push('keys'))
    await expect.poll(() => server.faults.count('keys')).toBe(1)
    await clientCredentialsToken(server)
    order.push('token')
    await slow
    expect(order).toEqual(['token', 'keys'])
  })

  test('a closed server releases what it holds', async () => {
    const hold = server.faults.hold('keys')
    const refused = expect(fetch(`${server.issuer}/v1/keys`)).rejects.toThrow()
    await hold.arrived(1)
    await server.close()
    await refused
  })

  test('an endpoint answers what it is told, as often as it is told', async () => {
    const reply = { status: 502, headers: { 'Content-Type': 'text/html' }, body: '<h1>Bad Gateway</h1>' }
    server.faults.answer('keys', reply, 1)
    const response = await fetch(`${server.issuer}/v1/keys`)
    expect([response.status, await response.text()]).toEqual([502, reply.body])
    expect((await fetch(`${server.issuer}/v1/keys`)).status).toBe(200)
  })

  test('tokens and discovery can name a wrong issuer', async () => {
    server.faults.tokenIssuer = 'https://evil.example'
    server.faults.discoveryIssuer = 'https://evil.example'
    expect(decodeJwt(await clientCredentialsToken(server)).iss).toBe('https://evil.example')
    const document = await fetch(`${server.issuer}/.well-known/openid-configuration`)
    expect(await document.json()).toMatchObject({ issuer: 'https://evil.example' })
    server.faults.clear()
    expect(decodeJwt(await clientCredentialsToken(server)).iss).toBe(server.issuer)
  })

  test('a taken port is an error at the start', async () => {
    const port = Number(new URL(server.url).port)
    await expect(startAuthorizationServer({ port })).rejects.toThrow('EADDRINUSE')
  })
})

describe('calls', () => {
  test('are counted by endpoint and remembered without secrets', async () => {
    server.faults.resetCalls()
    const form = { grant_type: 'client_credentials', scope: 'orders.read' }
    await post(server, 'token', form, ORDERS)
    await post(server, 'token', { ...form, client_id: 'orders-service', client_secret: 'orders-secret' })
    await kids()
    expect([server.faults.count('token'), server.faults.count('keys')]).toEqual([2, 1])
    expect(server.faults.calls.map((call) => call.authorizationScheme)).toEqual([
      'basic',
      undefined,
      undefined,
    ])
    expect(server.faults.calls[1]?.parameters).toEqual({ ...form, client_id: 'orders-service' })
    expect(JSON.stringify(server.faults.calls)).not.toContain('orders-secret')
  })
})
