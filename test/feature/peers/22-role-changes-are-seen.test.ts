import { describe, expect, test } from 'vitest'
import { refreshes, startReplicas, type Replicas } from '../../support/replicas.ts'

const HOUR_MS = 3_600_000

/** Alice is in Engineering, which `/admins` is for, until `leave`. */
async function setup(
  spec: object = {},
): Promise<Replicas & { readonly leave: () => void; readonly join: () => void }> {
  const groups = ['Everyone', 'Engineering']
  const users = [{ id: '00u1alice', login: 'alice@example.com', name: 'Alice', groups }]
  const world = await startReplicas(1, spec, { users })
  await world.browser.login('/admins')
  expect((await world.browser.navigate('/admins')).status).toBe(200)
  return { ...world, leave: () => void groups.pop(), join: () => void groups.push('Engineering') }
}

describe('peers 22: changes of roles are seen', () => {
  test('at each refresh, both ways', async () => {
    const { browser, clock, leave, join } = await setup()
    leave()
    expect((await browser.navigate('/admins')).status).toBe(200)
    clock.advance(HOUR_MS)
    expect((await browser.navigate('/admins')).status).toBe(403)
    join()
    clock.advance(HOUR_MS)
    expect((await browser.navigate('/admins')).status).toBe(200)
  })

  test('at a maximum age, though the access token is still good', async () => {
    const world = await setup({ sessionClaimsMaxAge: 300 })
    world.leave()
    world.clock.advance(299_000)
    expect((await world.browser.navigate('/admins')).status).toBe(200)
    world.clock.advance(1_000)
    expect((await world.browser.navigate('/admins')).status).toBe(403)
    expect(refreshes(world)).toBe(1)
    expect((await world.browser.navigate('/admins')).status).toBe(403)
    expect(refreshes(world)).toBe(1)
  })

  test('a 403 after it restarts no login, and keeps the session for other routes', async () => {
    const world = await setup({ sessionClaimsMaxAge: 300 })
    world.leave()
    world.clock.advance(300_000)
    const refused = await world.browser.navigate('/admins')
    expect([refused.status, refused.headers.get('location')]).toEqual([403, null])
    expect((await world.browser.navigate('/app')).status).toBe(200)
  })

  test('without a refresh token the session ends at that age, and the next login tells', async () => {
    const { browser, clock, leave } = await setup({ sessionClaimsMaxAge: 300, scopes: ['openid', 'profile'] })
    leave()
    clock.advance(300_000)
    expect((await browser.navigate('/admins')).status).toBe(302)
    await browser.login('/admins')
    expect((await browser.navigate('/admins')).status).toBe(403)
  })

  test('while the authorization server is away the claims go on to the end of the access token', async () => {
    const world = await setup({ sessionClaimsMaxAge: 300 })
    await world.authorizationServer.faults.down('refused')
    world.clock.advance(300_000)
    expect((await world.browser.navigate('/admins')).status).toBe(200)
    world.clock.advance(HOUR_MS)
    expect((await world.browser.navigate('/admins')).status).toBe(503)
  })
})
