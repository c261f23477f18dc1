import { expect, onTestFinished, test } from 'vitest'
import { noLocalAddress } from '../../../src/auth/authorization-server/address-guard.ts'
import type { AuthSnapshot } from '../../../src/auth/authorize.ts'
import { RedisConnections } from '../../../src/auth/session/redis/redis-connections.ts'
import { policyOf, snapshotOf } from '../relying-party/login-fixture.ts'
import { redisServerOf } from './redis-stores.ts'

const ORDERS = redisServerOf({ port: 1 })
const CARTS = redisServerOf({ port: 2 }, { password: 'shop/redis/password' })

function snapshotWith(password: string): AuthSnapshot {
  const policies = [
    policyOf({ id: 'shop/orders', session: { redis: ORDERS } }),
    policyOf({ id: 'shop/carts', session: { redis: CARTS } }),
  ]
  return snapshotOf(policies, [], { 'shop/redis/password': password })
}

function newConnections(): RedisConnections {
  // Nothing is connected to: these addresses are refused.
  const connections = new RedisConnections(noLocalAddress, undefined)
  onTestFinished(() => connections.close())
  return connections
}

test('a connection is kept for as long as snapshots name its server with the same passwords', () => {
  const connections = newConnections()
  const before = snapshotWith('one')
  const [orders, carts] = [connections.get(before, ORDERS), connections.get(before, CARTS)]
  const after = snapshotWith('two')
  expect(connections.get(after, ORDERS)).toBe(orders)
  expect(connections.get(after, CARTS)).not.toBe(carts)
})

test('a request that began before a password changed leaves no connection with the old one to others', () => {
  const connections = newConnections()
  const before = snapshotWith('one')
  connections.get(before, ORDERS)
  const after = snapshotWith('two')
  connections.get(after, ORDERS)
  const late = connections.get(before, CARTS)
  const current = connections.get(after, CARTS)
  expect(current).not.toBe(late)
  expect(connections.get(after, CARTS)).toBe(current)
})
