import { describe, expect, test } from 'vitest'
import { NO_ANSWER, timeoutFor } from '../../support/hostile-authorization-server.ts'
import { APP, openClient, reasonOf, startHostile, valueOf } from './open-client.ts'

const REQUEST = { client: APP, token: 'the-token', hint: 'access_token' } as const

describe('introspection', () => {
  test('sends token and hint under Basic, and gives active and the claims', async () => {
    const hostile = await startHostile()
    const { client } = openClient()
    expect(valueOf(await client.introspect(hostile.asPolicyServer(), REQUEST))).toEqual({
      active: true,
      claims: { sub: 'alice', scope: 'orders.read' },
    })
    const { form, headers } = hostile.last('introspect')
    expect(Object.fromEntries(form)).toEqual({ token: 'the-token', token_type_hint: 'access_token' })
    expect(headers.authorization).toBe(`Basic ${Buffer.from('app:correct+horse').toString('base64')}`)
    expect(headers.accept).toBe('application/json')
  })

  test('authenticates in the body, or with the client id alone', async () => {
    const hostile = await startHostile()
    const { client } = openClient()
    const server = hostile.asPolicyServer()
    await client.introspect(server, { ...REQUEST, client: { ...APP, authMethod: 'client_secret_post' } })
    expect(hostile.last('introspect').form.get('client_secret')).toBe('correct horse')
    expect(hostile.last('introspect').headers.authorization).toBeUndefined()
    await client.introspect(server, { client: { id: 'public', authMethod: 'none' }, token: 't', hint: '' })
    expect(Object.fromEntries(hostile.last('introspect').form)).toEqual({ token: 't', client_id: 'public' })
    expect(hostile.last('introspect').headers.authorization).toBeUndefined()
  })

  test('gives inactive as an answer', async () => {
    const hostile = await startHostile()
    hostile.behave('introspect', () => ({ body: { active: false } }))
    const { client } = openClient()
    const answer = await client.introspect(hostile.asPolicyServer(), REQUEST)
    expect(valueOf(answer)).toEqual({ active: false, claims: {} })
  })

  test('asks each time: answers are not kept here', async () => {
    const hostile = await startHostile()
    const { client } = openClient()
    await client.introspect(hostile.asPolicyServer(), REQUEST)
    await client.introspect(hostile.asPolicyServer(), REQUEST)
    expect(hostile.count('introspect')).toBe(2)
  })

  test.each([
    { active: 'true' },
    { active: 1 },
    { active: null },
    { sub: 'alice' },
    { error: 'invalid_token' },
  ])('is unavailable on 200 with %o', async (body) => {
    const hostile = await startHostile()
    hostile.behave('introspect', () => ({ body }))
    const { client } = openClient()
    reasonOf(await client.introspect(hostile.asPolicyServer(), REQUEST))
  })

  test.each(Object.entries(NO_ANSWER))('is unavailable when the server %s', async (name, behaviour) => {
    const hostile = await startHostile()
    hostile.behave('introspect', behaviour)
    const { client } = openClient()
    const answer = await client.introspect(hostile.asPolicyServer(timeoutFor(name)), REQUEST)
    expect(reasonOf(answer)).toMatch(/^introspection endpoint at 127\.0\.0\.1/)
  })

  test('is refused where the client is: deactivated at Okta, for one', async () => {
    const hostile = await startHostile()
    hostile.behave('introspect', ({ form }) => ({
      status: 401,
      body: { errorCode: 'invalid_client', errorSummary: `cannot introspect ${form.get('token')}` },
    }))
    const { client } = openClient()
    const answer = await client.introspect(hostile.asPolicyServer(), REQUEST)
    expect(answer).toEqual({ ok: false, kind: 'refused', error: 'invalid_client' })
  })

  test('at an endpoint that the policy gives needs no discovery', async () => {
    const hostile = await startHostile()
    hostile.behave('discovery', () => ({ status: 500 }))
    const { client } = openClient()
    const server = hostile.asPolicyServer({ introspectionEndpoint: `${hostile.issuer}/v1/introspect` })
    expect((await client.introspect(server, REQUEST)).ok).toBe(true)
    expect(hostile.count('discovery')).toBe(0)
  })

  test('takes no JWT answer for JSON', async () => {
    const hostile = await startHostile()
    hostile.behave('introspect', () => ({
      headers: { 'content-type': 'application/token-introspection+jwt' },
      body: 'eyJhbGciOiJub25lIn0.eyJhY3RpdmUiOnRydWV9.',
    }))
    const { client } = openClient()
    reasonOf(await client.introspect(hostile.asPolicyServer(), REQUEST))
  })

  test('does not pollute prototypes', async () => {
    const hostile = await startHostile()
    hostile.behave('introspect', () => ({ body: '{"active":true,"__proto__":{"admin":true}}' }))
    const { client } = openClient()
    const { claims } = valueOf(await client.introspect(hostile.asPolicyServer(), REQUEST))
    expect(claims['admin']).toBeUndefined()
  })
})
