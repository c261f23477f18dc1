import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { CacheCounts } from '../../../src/auth/cache-counts.ts'
import { CookieSessionStore } from '../../../src/auth/session/cookie-session-store.ts'
import { SessionKeys } from '../../../src/auth/session/session-keys.ts'
import { jwtOf } from '../relying-party/login-fixture.ts'
import { worldOf } from './store-world.ts'

test('sessions that are small only while they are sealed are kept as few as their size has it', async () => {
  const caches = new CacheCounts()
  const world = worldOf((clock) => new CookieSessionStore(clock, randomBytes, new SessionKeys(), caches))
  const accessToken = jwtOf({ sub: 'alice', padding: 'x'.repeat(40_000) })
  for (let login = 0; login < 600; login += 1) await world.create(world.session({ accessToken }))
  const { entries = 0 } = caches.list().find(({ cache }) => cache === 'sessions') ?? {}
  expect(entries).toBeGreaterThan(0)
  expect(entries).toBeLessThan(200)
})
