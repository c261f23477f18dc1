import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { judgeLogoutToken } from '../../src/auth/logout/logout-token.ts'
import { KeyRings } from '../../src/auth/resource-server/key-ring.ts'
import { aPolicy, ISSUER, OWN_CLIENT } from '../support/a-policy.ts'
import { FakeAuthorizationServerClient } from '../support/fake-authorization-server-client.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { base64url, Signer } from '../support/signed-tokens.ts'

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'
const clock = new ManualClock(1_700_000_000_000)
const NOW = clock.now() / 1000
const signer = await Signer.create('k1')
const policies = [aPolicy({ client: OWN_CLIENT })]
const client = new FakeAuthorizationServerClient()
client.onKeys = () => ({
  ok: true,
  value: { keys: [{ ...signer.publicJwk }], fetchedAtMs: clock.now() },
})
const issuers = { rings: new KeyRings(client, clock), client }

const GOOD = {
  iss: ISSUER,
  aud: 'ostiary',
  iat: NOW,
  exp: NOW + 120,
  jti: 'j',
  events: { [EVENT]: {} },
  sub: '00u1',
}

/** A good token's claims, some of which are anything, missing, or nearly right. */
const claims = fc
  .tuple(
    fc.constantFrom<Record<string, unknown>>(GOOD, {}),
    fc.dictionary(
      fc.constantFrom('iss', 'aud', 'iat', 'exp', 'nbf', 'jti', 'events', 'sub', 'sid', 'nonce', '__proto__'),
      fc.oneof(
        fc.jsonValue({ maxDepth: 3 }),
        fc.constantFrom<unknown>(
          ISSUER,
          ['ostiary'],
          NOW + 1e9,
          -1,
          '',
          null,
          { [EVENT]: [] },
          { [EVENT]: {} },
        ),
      ),
      { maxKeys: 4 },
    ),
  )
  .map(([base, changes]): Record<string, unknown> => ({ ...base, ...changes }))

test('whatever its issuer signs, a logout token that passes is one', async () => {
  await fc.assert(
    fc.asyncProperty(claims, async (given) => {
      const judged = await judgeLogoutToken(await signer.sign(JSON.stringify(given)), policies, issuers, NOW)
      if (!judged.ok) return
      expect(given['iss']).toBe(ISSUER)
      expect([given['aud']].flat()).toContain('ostiary')
      expect(Math.abs(Number(given['iat']) - NOW)).toBeLessThanOrEqual(300)
      expect(Object.hasOwn(given, 'nonce')).toBe(false)
      expect(typeof (given['events'] as Record<string, unknown>)[EVENT]).toBe('object')
      expect(Object.values(judged.subject)[0]).not.toBe('')
    }),
    { numRuns: 300 },
  )
})

test('whatever nobody signed passes nowhere, and throws nothing', async () => {
  const part = fc.oneof(
    fc.string(),
    fc.jsonValue().map(base64url),
    fc.constant(base64url({ alg: 'ES256', kid: 'k1' })),
  )
  const token = fc.oneof(
    fc.string(),
    fc.array(part, { maxLength: 5 }).map((parts) => parts.join('.')),
    fc
      .tuple(part, claims, part)
      .map(([header, body, signature]) => `${header}.${base64url(body)}.${signature}`),
  )
  await fc.assert(
    fc.asyncProperty(token, async (text) => {
      expect((await judgeLogoutToken(text, policies, issuers, NOW)).ok).toBe(false)
    }),
    { numRuns: 500 },
  )
})
