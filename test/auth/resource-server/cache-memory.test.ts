import { expect, test } from 'vitest'
import { CacheCounts, type CacheName } from '../../../src/auth/cache-counts.ts'
import { aPolicy, OWN_CLIENT } from '../../support/a-policy.ts'
import { Harness } from '../../support/authorizer-harness.ts'

const LARGE = { entry: 'x'.repeat(1_000_000) }

function entriesOf(caches: CacheCounts, name: CacheName): number {
  return caches.list().find(({ cache }) => cache === name)?.entries ?? 0
}

test('answers far larger than their tokens count as large as they are, so that few of them are kept', async () => {
  const caches = new CacheCounts()
  const policy = aPolicy({ methods: ['introspection'], client: OWN_CLIENT, userInfo: { cache: true } })
  const made = new Harness([policy], { caches })
  made.servers.onIntrospect = () => ({
    ok: true,
    value: { active: true, claims: { sub: 'alice', aud: 'api://default', exp: 4_000_000_000, ...LARGE } },
  })
  made.servers.onUserInfo = () => ({ ok: true, value: { sub: 'alice', ...LARGE } })
  for (let token = 0; token < 40; token += 1) await made.askBearer(`opaque-${token}`)
  for (const name of ['introspection', 'user_info', 'decisions'] as const) {
    expect(entriesOf(caches, name)).toBeGreaterThan(0)
    expect(entriesOf(caches, name)).toBeLessThan(20)
  }
})
