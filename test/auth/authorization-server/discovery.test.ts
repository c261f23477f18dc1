import { describe, expect, test } from 'vitest'
import { NO_ANSWER, timeoutFor } from '../../support/hostile-authorization-server.ts'
import { APP, openClient, reasonOf, startHostile, valueOf } from './open-client.ts'

describe('metadata', () => {
  test('is discovered once for all who ask', async () => {
    const hostile = await startHostile()
    const { client } = openClient()
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => client.metadata(hostile.asPolicyServer())),
    )
    expect(new Set(answers.map((answer) => valueOf(answer).tokenEndpoint))).toEqual(
      new Set([`${hostile.issuer}/v1/token`]),
    )
    expect(valueOf(await client.metadata(hostile.asPolicyServer()))).toEqual({
      issuer: hostile.issuer,
      authorizationEndpoint: `${hostile.issuer}/v1/authorize`,
      tokenEndpoint: `${hostile.issuer}/v1/token`,
      introspectionEndpoint: `${hostile.issuer}/v1/introspect`,
      userinfoEndpoint: `${hostile.issuer}/v1/userinfo`,
      jwksUri: `${hostile.issuer}/v1/keys`,
      endSessionEndpoint: `${hostile.issuer}/v1/logout`,
      revocationEndpoint: `${hostile.issuer}/v1/revoke`,
      codeChallengeMethods: ['S256'],
      idTokenAlgorithms: ['RS256'],
      issParameterSupported: false,
    })
    expect(hostile.count('discovery')).toBe(1)
    expect(hostile.last('discovery').headers['user-agent']).toBe('ostiary-test')
  })

  test('comes from the next discovery URL where the first has none', async () => {
    const hostile = await startHostile()
    const { client } = openClient()
    const server = hostile.asPolicyServer({
      discoveryUrls: [
        `${hostile.issuer}/nothing-here`,
        `${hostile.issuer}/.well-known/oauth-authorization-server`,
      ],
    })
    expect(valueOf(await client.metadata(server)).issuer).toBe(hostile.issuer)
  })

  test.each(['https://issuer.example', 'http://127.0.0.1:1/oauth2/default//', 7, undefined])(
    'of another issuer is refused: %s',
    async (issuer) => {
      const hostile = await startHostile()
      hostile.behave('discovery', () => ({ body: { ...hostile.metadata(), issuer } }))
      const { client } = openClient()
      const reason = reasonOf(await client.metadata(hostile.asPolicyServer()))
      expect(reason).toContain(`is not of the issuer ${hostile.issuer}`)
    },
  )

  test('may differ from the policy by one trailing slash, either way', async () => {
    const hostile = await startHostile()
    const { client } = openClient()
    const withSlash = hostile.asPolicyServer({ id: 'with', issuer: `${hostile.issuer}/` })
    expect(valueOf(await client.metadata(withSlash)).issuer).toBe(hostile.issuer)
    hostile.behave('discovery', () => ({ body: { ...hostile.metadata(), issuer: `${hostile.issuer}/` } }))
    expect(valueOf(await client.metadata(hostile.asPolicyServer())).issuer).toBe(`${hostile.issuer}/`)
    hostile.behave('discovery', () => ({ body: { ...hostile.metadata(), issuer: `${hostile.issuer}//` } }))
    const another = hostile.asPolicyServer({ id: 'two slashes' })
    expect(reasonOf(await client.metadata(another))).toContain('is not of the issuer')
  })

  test.each(Object.entries(NO_ANSWER))('is unavailable when the server %s', async (name, behaviour) => {
    const hostile = await startHostile()
    hostile.behave('discovery', behaviour)
    const { client } = openClient()
    const answer = await client.metadata(hostile.asPolicyServer(timeoutFor(name)))
    expect(reasonOf(answer)).toContain('127.0.0.1')
  })

  test('failure is remembered for five seconds, then the server is asked again', async () => {
    const hostile = await startHostile()
    hostile.behave('discovery', () => ({ status: 503 }))
    const { client, clock } = openClient()
    const server = hostile.asPolicyServer()
    for (let time = 0; time < 30; time += 1) expect((await client.metadata(server)).ok).toBe(false)
    expect(hostile.count('discovery')).toBe(1)
    hostile.behave('discovery', undefined)
    clock.advance(4_999)
    expect(await client.metadata(server)).toMatchObject({ ok: false, kind: 'unavailable' })
    clock.advance(1)
    expect((await client.metadata(server)).ok).toBe(true)
  })

  test('a failed rediscovery never replaces a good document', async () => {
    const hostile = await startHostile()
    const { client, clock, calls } = openClient()
    const server = hostile.asPolicyServer()
    const before = valueOf(await client.metadata(server))
    hostile.behave('discovery', () => ({ body: { issuer: 'https://attacker.example' } }))
    for (let hour = 0; hour < 4; hour += 1) {
      clock.advance(3_600_000)
      expect(valueOf(await client.metadata(server))).toEqual(before)
      await expect.poll(() => calls.length).toBe(hour + 2)
    }
  })

  test('is refreshed in the background, within bounds of Cache-Control', async () => {
    const hostile = await startHostile()
    hostile.behave('discovery', () => ({
      headers: { 'cache-control': 'public, max-age=1' },
      body: hostile.metadata(),
    }))
    const { client, clock } = openClient()
    const server = hostile.asPolicyServer({ timeoutMs: 500 })
    await client.metadata(server)
    clock.advance(299_999)
    await client.metadata(server)
    expect(hostile.count('discovery')).toBe(1)
    hostile.behave('discovery', () => 'hang')
    clock.advance(1)
    expect((await client.metadata(server)).ok).toBe(true)
    await expect.poll(() => hostile.count('discovery')).toBe(2)
  })

  test('overrides win over the document', async () => {
    const hostile = await startHostile()
    const { client } = openClient()
    const server = hostile.asPolicyServer({ tokenEndpoint: `${hostile.issuer}/v1/token?x=1` })
    expect(valueOf(await client.metadata(server))).toMatchObject({
      tokenEndpoint: `${hostile.issuer}/v1/token?x=1`,
      jwksUri: `${hostile.issuer}/v1/keys`,
    })
  })

  test('overrides alone make a login when discovery fails, and give way once it works', async () => {
    const hostile = await startHostile()
    hostile.behave('discovery', () => ({ status: 404 }))
    const { client, clock } = openClient()
    const server = hostile.asPolicyServer({
      authorizationEndpoint: `${hostile.issuer}/v1/authorize`,
      tokenEndpoint: `${hostile.issuer}/v1/token`,
      jwksEndpoint: `${hostile.issuer}/v1/keys`,
    })
    const overridden = valueOf(await client.metadata(server))
    expect(overridden).toMatchObject({ issuer: hostile.issuer, jwksUri: `${hostile.issuer}/v1/keys` })
    expect(overridden.introspectionEndpoint).toBeUndefined()
    hostile.behave('discovery', undefined)
    clock.advance(5_000)
    expect(valueOf(await client.metadata(server)).introspectionEndpoint).toBe(
      `${hostile.issuer}/v1/introspect`,
    )
  })

  test('an endpoint that is no https URL is left out, and asking it says why', async () => {
    const hostile = await startHostile()
    hostile.behave('discovery', () => ({
      body: {
        ...hostile.metadata(),
        authorization_endpoint: 'javascript:alert(1)',
        token_endpoint: 'http://token.example/',
        introspection_endpoint: ['https://a.example/', 'https://b.example/'],
        userinfo_endpoint: 'data:application/json,{}',
        jwks_uri: 'https://user:password@keys.example/',
        end_session_endpoint: 'http://logout.example/',
        revocation_endpoint: '/v1/revoke',
      },
    }))
    const { client } = openClient()
    const server = hostile.asPolicyServer()
    const metadata = valueOf(await client.metadata(server))
    expect(Object.keys(metadata).filter((name) => /Endpoint|jwks/.test(name))).toEqual([])
    const grant = await client.clientCredentialsGrant(server, { client: APP, scopes: [], audience: [] })
    expect(reasonOf(grant)).toContain('is http and not https')
    const introspection = await client.introspect(server, { client: APP, token: 'token', hint: '' })
    expect(reasonOf(introspection)).toContain('is not a URL')
    const keys = reasonOf(await client.keys(server))
    expect(keys).toContain('holds a user name or password')
    expect(keys).not.toContain('password@')
  })

  test('of two members with one name the last counts, as everywhere', async () => {
    const hostile = await startHostile()
    const document = JSON.stringify(hostile.metadata()).replace(
      '{',
      '{"token_endpoint":"https://first.example/",',
    )
    hostile.behave('discovery', () => ({ body: document }))
    const { client } = openClient()
    expect(valueOf(await client.metadata(hostile.asPolicyServer())).tokenEndpoint).toBe(
      `${hostile.issuer}/v1/token`,
    )
  })
})
