import { expect, test } from 'vitest'
import { newSession } from '../../../src/auth/relying-party/new-session.ts'

const TOKENS = { accessToken: 'opaque', tokenType: 'Bearer' }

test.each([
  ['what the answer says', { ...TOKENS, scope: 'openid' }, ['openid', 'orders.write'], 'openid'],
  ['what was asked for, where it says nothing', TOKENS, ['openid', 'orders.read'], 'openid orders.read'],
  ['nothing, where nothing was asked for', TOKENS, [], undefined],
] as const)('the scope of a session is %s (RFC 6749 §5.1)', (_name, tokens, requested, scope) => {
  expect(newSession('id', tokens, 0, requested).scope).toBe(scope)
})
