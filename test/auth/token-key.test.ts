import { expect, test } from 'vitest'
import { tokenKey } from '../../src/auth/token-key.ts'
import { aPolicy } from '../support/a-policy.ts'
import { Harness, outcome } from '../support/authorizer-harness.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { base64url, oktaClaims, Signer } from '../support/signed-tokens.ts'

test('a key is as short whatever the token, and differs by scope and by the end of the token', () => {
  const token = `${'a'.repeat(600)}.${'s'.repeat(342)}`
  expect(tokenKey('plan', token)).toHaveLength('plan '.length + 43)
  expect(tokenKey('plan', token)).not.toBe(tokenKey('other', token))
  expect(tokenKey('plan', token)).not.toBe(tokenKey('plan', `${token.slice(0, -1)}t`))
  expect(tokenKey('plan', 'opaque')).toBe('plan opaque')
})

test('other claims under the signature of a token that was accepted are refused, before and after', async () => {
  const now = new ManualClock().now()
  const signer = await Signer.create('k1')
  const harness = new Harness([aPolicy()])
  harness.serveKeys(signer)
  const token = await signer.token(now)
  const [header, , signature] = token.split('.')
  const forged = [header, base64url({ ...oktaClaims(now), sub: 'mallory' }), signature].join('.')
  expect(outcome(await harness.askBearer(token))).toBe('allow')
  expect(outcome(await harness.askBearer(forged))).not.toBe('allow')
  expect(outcome(await harness.askBearer(token))).toBe('allow')
  expect(outcome(await harness.askBearer(forged))).not.toBe('allow')
})
