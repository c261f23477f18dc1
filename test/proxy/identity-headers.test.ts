import { expect, test } from 'vitest'
import { consumerHeaders } from '../../src/auth/consumer/consumer-headers.ts'
import { foldHeaderName, isIdentityHeader } from '../../src/proxy/identity-headers.ts'

test('every header that tells upstreams who is asking is an identity header', () => {
  const consumer = { id: '1', username: 'alice', customId: 'a', groups: ['staff'] }
  const headers = [
    ...consumerHeaders({ kind: 'found', consumer, anonymous: true }, 'alice', ['staff']),
    ...consumerHeaders({ kind: 'none' }, 'alice', []),
  ]
  expect(headers.length).toBeGreaterThanOrEqual(7)
  for (const [name] of headers) expect([name, isIdentityHeader(foldHeaderName(name))]).toEqual([name, true])
})

test.each([
  ['X_Consumer_ID', 'x-consumer-id'],
  ['x-CONSUMER_id', 'x-consumer-id'],
  ['Accept', 'accept'],
  ['_', '-'],
])('%s folds to %s', (name, folded) => {
  expect(foldHeaderName(name)).toBe(folded)
})

test.each([
  'x-consumer',
  'x-consumer-ids',
  'x-auth-request',
  'xx-auth-request-user',
  'authorization',
  'cookie',
  '',
])('"%s" is none', (name) => {
  expect(isIdentityHeader(name)).toBe(false)
})
