import { describe, expect, test } from 'vitest'
import { NO_ANSWER, timeoutFor } from '../../support/hostile-authorization-server.ts'
import { APP, openClient, reasonOf, startHostile, valueOf } from './open-client.ts'

const REQUEST = { client: APP, token: 'the-token', hint: 'refresh_token' } as const

/** Of these the status is 200, which is all that RFC 7009 §2.2 asks for. */
const ANY_BODY = Object.entries(NO_ANSWER).filter(([name]) =>
  [
    'answers HTML',
    'answers an array',
    'answers null',
    'answers half a JSON text',
    'answers nothing',
    'answers what is nested too deep',
  ].includes(name),
)
const BROKEN = Object.entries(NO_ANSWER).filter(([name]) => !ANY_BODY.some(([other]) => other === name))

describe('revocation', () => {
  test('sends token and hint with client authentication', async () => {
    const hostile = await startHostile()
    const { client, calls } = openClient()
    expect(valueOf(await client.revoke(hostile.asPolicyServer(), REQUEST))).toBe('revoked')
    const { form, headers } = hostile.last('revoke')
    expect(Object.fromEntries(form)).toEqual({ token: 'the-token', token_type_hint: 'refresh_token' })
    expect(headers.authorization).toMatch(/^Basic /)
    expect(calls.at(-1)).toMatchObject({ endpoint: 'revocation', outcome: 'ok' })
  })

  test.each(ANY_BODY)('takes 200 when the server %s', async (_name, behaviour) => {
    const hostile = await startHostile()
    hostile.behave('revoke', behaviour)
    const { client } = openClient()
    expect(valueOf(await client.revoke(hostile.asPolicyServer(), REQUEST))).toBe('revoked')
  })

  test.each(BROKEN)('is unavailable when the server %s', async (name, behaviour) => {
    const hostile = await startHostile()
    hostile.behave('revoke', behaviour)
    const { client } = openClient()
    const answer = await client.revoke(hostile.asPolicyServer(timeoutFor(name)), REQUEST)
    expect(reasonOf(answer)).toMatch(/^revocation endpoint at 127\.0\.0\.1/)
  })

  test('is refused in words that do not hold the token', async () => {
    const hostile = await startHostile()
    hostile.behave('revoke', ({ form }) => ({
      status: 400,
      body: { error: 'unsupported_token_type', error_description: `cannot revoke ${form.get('token')}` },
    }))
    const { client } = openClient()
    expect(await client.revoke(hostile.asPolicyServer(), REQUEST)).toEqual({
      ok: false,
      kind: 'refused',
      error: 'unsupported_token_type',
    })
  })

  test('goes to the endpoint of the policy, where it has one', async () => {
    const hostile = await startHostile()
    hostile.behave('discovery', () => ({ status: 503 }))
    const { client } = openClient()
    const revocationEndpoint = `${hostile.issuer}/other/v1/revoke`
    expect(valueOf(await client.revoke(hostile.asPolicyServer({ revocationEndpoint }), REQUEST))).toBe(
      'revoked',
    )
    expect(hostile.count('discovery')).toBe(0)
  })

  test('is unavailable where the server has no such endpoint', async () => {
    const hostile = await startHostile()
    hostile.behave('discovery', () => ({ body: { ...hostile.metadata(), revocation_endpoint: undefined } }))
    const { client } = openClient()
    expect(reasonOf(await client.revoke(hostile.asPolicyServer(), REQUEST))).toContain('revocationEndpoint')
  })
})
