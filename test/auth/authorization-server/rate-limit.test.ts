import { expect, test } from 'vitest'
import { APP, openClient, reasonOf, startHostile, valueOf } from './open-client.ts'

const GRANT = { client: APP, scopes: [], audience: [] }

test('after a 429 an endpoint is not called until the time that Okta named, and the others are', async () => {
  const hostile = await startHostile()
  const { client, clock, calls } = openClient()
  const server = hostile.asPolicyServer()
  const reset = String(clock.now() / 1000 + 42)
  hostile.behave('token', () => ({
    status: 429,
    headers: { 'x-rate-limit-reset': reset },
    body: { errorCode: 'E0000047', errorSummary: 'API call exceeded rate limit due to too many requests.' },
  }))
  const ask = (scope: string) => client.clientCredentialsGrant(server, { ...GRANT, scopes: [scope] })
  expect(await ask('a')).toMatchObject({ kind: 'unavailable', retryAfterSeconds: 42 })
  hostile.behave('token', undefined)
  clock.advance(30_500)
  const paused = await ask('b')
  expect(paused).toMatchObject({ kind: 'unavailable', retryAfterSeconds: 12 })
  expect(reasonOf(paused)).toMatch(/^token endpoint at 127\.0\.0\.1:\d+ has used up its rate limit$/)
  expect(hostile.count('token')).toBe(1)
  expect(calls.filter(({ endpoint }) => endpoint === 'token')).toHaveLength(1)
  expect((await client.introspect(server, { client: APP, token: 't', hint: '' })).ok).toBe(true)
  clock.advance(11_500)
  expect(valueOf(await ask('c')).accessToken).toBe('token-2')
})

test('one server’s limit is not another’s', async () => {
  const hostile = await startHostile()
  const { client } = openClient()
  hostile.behave('token', () => ({ status: 429 }))
  await client.clientCredentialsGrant(hostile.asPolicyServer(), GRANT)
  hostile.behave('token', undefined)
  const another = hostile.asPolicyServer({ id: 'another' })
  expect((await client.clientCredentialsGrant(another, GRANT)).ok).toBe(true)
})

test('keys stay in use through a 429, and are not asked for meanwhile', async () => {
  const hostile = await startHostile()
  const { client, clock } = openClient()
  const server = hostile.asPolicyServer({ missingKeyPauseMs: 1 })
  await client.keys(server)
  hostile.behave('keys', () => ({ status: 429, headers: { 'retry-after': '60' } }))
  for (let second = 0; second < 59; second += 1) {
    expect((await client.keys(server, `unknown-${second}`)).ok).toBe(true)
    clock.advance(1_000)
  }
  expect(hostile.count('keys')).toBe(2)
})
