import { describe, expect, test } from 'vitest'
import { NO_ANSWER, timeoutFor } from '../../support/hostile-authorization-server.ts'
import { openClient, reasonOf, startHostile, valueOf } from './open-client.ts'

const TOKEN = 'the-access-token'

describe('user info', () => {
  test('is asked for with the access token, and is what the server says', async () => {
    const hostile = await startHostile()
    const { client, calls } = openClient()
    const claims = valueOf(await client.userInfo(hostile.asPolicyServer(), TOKEN))
    expect(claims).toEqual({ sub: '00u1', groups: ['Everyone'] })
    const { method, headers } = hostile.last('userinfo')
    expect([method, headers.authorization]).toEqual(['GET', `Bearer ${TOKEN}`])
    expect(calls.at(-1)).toMatchObject({ endpoint: 'userinfo', outcome: 'ok' })
  })

  test.each([401, 403])('is refused by %d, whatever else is said', async (status) => {
    const hostile = await startHostile()
    hostile.behave('userinfo', () => ({ status, body: { error: TOKEN } }))
    const { client } = openClient()
    const answer = await client.userInfo(hostile.asPolicyServer(), TOKEN)
    expect(answer).toEqual({ ok: false, kind: 'refused', error: 'invalid_token' })
  })

  test.each(Object.entries(NO_ANSWER))('is unavailable when the server %s', async (name, behaviour) => {
    const hostile = await startHostile()
    hostile.behave('userinfo', behaviour)
    const { client } = openClient()
    const server = hostile.asPolicyServer(timeoutFor(name))
    const reason = reasonOf(await client.userInfo(server, TOKEN))
    expect(reason).toMatch(/^userinfo endpoint at 127\.0\.0\.1/)
    expect(reason).not.toContain(TOKEN)
  })

  test.each([{}, { sub: '' }, { sub: 7 }, { sub: ['a'] }])('is unavailable with %o', async (body) => {
    const hostile = await startHostile()
    hostile.behave('userinfo', () => ({ body }))
    const { client } = openClient()
    reasonOf(await client.userInfo(hostile.asPolicyServer(), TOKEN))
  })

  test('is asked for where the policy says', async () => {
    const hostile = await startHostile()
    const { client } = openClient()
    const elsewhere = { userinfoEndpoint: `${hostile.issuer}/other/v1/userinfo`, discoveryUrls: [] }
    expect((await client.userInfo(hostile.asPolicyServer(elsewhere), TOKEN)).ok).toBe(true)
  })
})
