import { describe, expect, test } from 'vitest'
import { NO_ANSWER, timeoutFor } from '../../support/hostile-authorization-server.ts'
import { openClient, reasonOf, startHostile, valueOf } from './open-client.ts'

function ids(keys: readonly Readonly<Record<string, unknown>>[]): unknown[] {
  return keys.map(({ kid }) => kid)
}

describe('keys', () => {
  test('are fetched once for all who ask, with the time of the fetch', async () => {
    const hostile = await startHostile()
    const { client, clock } = openClient()
    const server = hostile.asPolicyServer()
    const answers = await Promise.all(Array.from({ length: 20 }, () => client.keys(server)))
    for (const answer of answers) {
      expect(valueOf(answer)).toEqual({ keys: hostile.keySet().keys, fetchedAtMs: clock.now() })
    }
    expect(hostile.count('keys')).toBe(1)
  })

  test('hold public members only; symmetric and unreadable keys are dropped', async () => {
    const hostile = await startHostile()
    hostile.behave('keys', () => ({
      headers: { 'content-type': 'text/plain' },
      body: {
        keys: [
          {
            kty: 'RSA',
            kid: 'r',
            use: 'sig',
            alg: 'RS256',
            n: 'n',
            e: 'AQAB',
            d: 'private',
            p: 'private',
            x5u: 'u',
          },
          { kty: 'EC', kid: 'e', crv: 'P-256', x: 'x', y: 'y', d: 'private', key_ops: ['verify'] },
          { kty: 'OKP', kid: 'o', crv: 'Ed25519', x: 'x', d: 'private' },
          { kty: 'oct', kid: 's', k: 'symmetric' },
          { kty: 'RSA', kid: 'half', n: 'n' },
          { kty: 'constructor', kid: 'odd' },
          { kty: 7 },
          'text',
          null,
        ],
      },
    }))
    const { client } = openClient()
    const { keys } = valueOf(await client.keys(hostile.asPolicyServer()))
    expect(keys).toEqual([
      { kty: 'RSA', kid: 'r', use: 'sig', alg: 'RS256', n: 'n', e: 'AQAB' },
      { kty: 'EC', kid: 'e', crv: 'P-256', x: 'x', y: 'y', key_ops: ['verify'] },
      { kty: 'OKP', kid: 'o', crv: 'Ed25519', x: 'x' },
    ])
  })

  test('a thousand unknown key ids cause one fetch in thirty seconds', async () => {
    const hostile = await startHostile()
    const { client, clock } = openClient()
    const server = hostile.asPolicyServer()
    await client.keys(server)
    await Promise.all(Array.from({ length: 500 }, (_, index) => client.keys(server, `random-${index}`)))
    for (let index = 0; index < 500; index += 1) await client.keys(server, `another-${index}`)
    expect(hostile.count('keys')).toBe(2)
    clock.advance(29_999)
    await client.keys(server, 'random')
    expect(hostile.count('keys')).toBe(2)
    clock.advance(1)
    await client.keys(server, 'random')
    expect(hostile.count('keys')).toBe(3)
  })

  test('a key id that is known causes no fetch', async () => {
    const hostile = await startHostile()
    const { client } = openClient()
    const server = hostile.asPolicyServer()
    await client.keys(server)
    await client.keys(server, hostile.signingKey.kid)
    expect(hostile.count('keys')).toBe(1)
  })

  test('the first who names a new key gets it, and so do all who ask meanwhile', async () => {
    const hostile = await startHostile()
    const { client } = openClient()
    const server = hostile.asPolicyServer()
    await client.keys(server)
    const rotated = await hostile.rotateKeys()
    const answers = await Promise.all(Array.from({ length: 50 }, () => client.keys(server, rotated)))
    for (const answer of answers) expect(ids(valueOf(answer).keys)).toEqual([rotated])
    expect(hostile.count('keys')).toBe(2)
  })

  test.each([
    ...Object.entries(NO_ANSWER),
    ['answers an empty set', () => ({ body: { keys: [] } })],
    ['answers symmetric keys only', () => ({ body: { keys: [{ kty: 'oct', k: 'k' }] } })],
    ['answers keys that are no list', () => ({ body: { keys: { kty: 'RSA', n: 'n', e: 'e' } } })],
  ] as const)('are kept when the server %s, and unavailable if there were none', async (name, behaviour) => {
    const hostile = await startHostile()
    const { client, clock } = openClient()
    const server = hostile.asPolicyServer(timeoutFor(name))
    const before = valueOf(await client.keys(server))
    hostile.behave('keys', behaviour)
    expect(valueOf(await client.keys(server, 'unknown'))).toEqual(before)
    clock.advance(86_400_000)
    expect(valueOf(await client.keys(server, 'unknown'))).toEqual(before)
    const never = await client.keys({ ...server, id: 'never fetched' })
    expect(reasonOf(never)).toMatch(/^jwks endpoint at 127\.0\.0\.1/)
  })

  test('that were never fetched are asked for again after five seconds', async () => {
    const hostile = await startHostile()
    hostile.behave('keys', () => 'drop')
    const { client, clock, calls } = openClient()
    const server = hostile.asPolicyServer()
    for (let time = 0; time < 20; time += 1) expect((await client.keys(server, 'any')).ok).toBe(false)
    expect(calls.filter(({ endpoint }) => endpoint === 'jwks')).toHaveLength(1)
    hostile.behave('keys', undefined)
    clock.advance(5_000)
    expect(ids(valueOf(await client.keys(server)).keys)).toEqual([hostile.signingKey.kid])
  })

  test.each([
    ['max-age=1', 60_000],
    ['no-store', 60_000],
    ['public, max-age=3600', 3_600_000],
    ['max-age=99999999', 86_400_000],
    ['', 600_000],
  ])(
    'with Cache-Control "%s" are refreshed in the background after %d ms',
    async (cacheControl, lifetimeMs) => {
      const hostile = await startHostile()
      hostile.behave('keys', () => ({ headers: { 'cache-control': cacheControl }, body: hostile.keySet() }))
      const { client, clock, calls } = openClient()
      const server = hostile.asPolicyServer()
      const first = valueOf(await client.keys(server))
      const rotated = await hostile.rotateKeys()
      clock.advance(lifetimeMs - 1)
      expect(valueOf(await client.keys(server))).toEqual(first)
      expect(hostile.count('keys')).toBe(1)
      clock.advance(1)
      expect(valueOf(await client.keys(server))).toEqual(first)
      await expect.poll(() => calls.filter(({ endpoint }) => endpoint === 'jwks').length).toBe(2)
      expect(ids(valueOf(await client.keys(server)).keys)).toEqual([rotated])
    },
  )

  test('of an endpoint that the policy gives need no discovery', async () => {
    const hostile = await startHostile()
    hostile.behave('discovery', () => ({ status: 500 }))
    const { client } = openClient()
    const server = hostile.asPolicyServer({ jwksEndpoint: `${hostile.issuer}/v1/keys` })
    expect((await client.keys(server)).ok).toBe(true)
    expect(hostile.count('discovery')).toBe(0)
  })

  test('of servers with different ids are apart', async () => {
    const hostile = await startHostile()
    const { client } = openClient()
    await client.keys(hostile.asPolicyServer({ id: 'a' }))
    await client.keys(hostile.asPolicyServer({ id: 'b' }))
    expect(hostile.count('keys')).toBe(2)
  })
})
