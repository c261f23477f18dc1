import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { RedisProcess, redisRequirement } from '../../support/redis-server.ts'
import { askAll, refreshes, startReplicas, type Replicas } from '../../support/replicas.ts'

const HOUR_MS = 3_600_000

/** Signed in an hour ago: the access token has expired. */
async function expired(spec: object = {}, replicas = 3): Promise<Replicas> {
  const world = await startReplicas(replicas, spec)
  await world.browser.login('/app')
  world.clock.advance(HOUR_MS)
  return world
}

function statuses(answers: readonly Response[]): readonly number[] {
  return [...new Set(answers.map(({ status }) => status))]
}

describe.skipIf(redisRequirement())('peers 3: a refresh stampede, sessions in Redis', () => {
  let redis: RedisProcess
  beforeAll(async () => {
    redis = await RedisProcess.start()
  })
  afterAll(() => redis[Symbol.asyncDispose]())

  test('50 concurrent requests over three replicas cause one refresh, and all get 200', async () => {
    const world = await expired({ sessionStorage: 'redis', redis: { host: '127.0.0.1', port: redis.port } })
    expect(statuses(await askAll(world, 50))).toEqual([200])
    expect(refreshes(world)).toBe(1)
  })

  test('so do those that wait while another replica refreshes slowly', async () => {
    const world = await expired({ sessionStorage: 'redis', redis: { host: '127.0.0.1', port: redis.port } })
    const hold = world.authorizationServer.faults.hold('token')
    const answers = askAll(world, 50)
    await hold.arrived(1)
    hold.release()
    expect(statuses(await answers)).toEqual([200])
    expect(refreshes(world)).toBe(1)
  })

  test('the rotated token is good for the next refresh, again once', async () => {
    const world = await expired({ sessionStorage: 'redis', redis: { host: '127.0.0.1', port: redis.port } })
    for (let hour = 1; hour <= 3; hour += 1) {
      expect(statuses(await askAll(world, 12))).toEqual([200])
      expect(refreshes(world)).toBe(hour)
      world.clock.advance(HOUR_MS)
    }
  })
})

describe('peers 3: a refresh stampede, sessions in cookies', () => {
  test('50 concurrent requests cause no more than one refresh on each replica, and all get 200', async () => {
    const world = await expired()
    world.authorizationServer.faults.refreshTokenGraceSeconds = 30
    expect(statuses(await askAll(world, 50))).toEqual([200])
    expect(refreshes(world)).toBeGreaterThan(0)
    expect(refreshes(world)).toBeLessThanOrEqual(3)
  })

  test('on one replica a server without any grace is asked once', async () => {
    const world = await expired({}, 1)
    expect(statuses(await askAll(world, 50))).toEqual([200])
    expect(refreshes(world)).toBe(1)
  })

  test('a late request that holds the previous refresh token gets the result of the first', async () => {
    const world = await expired({}, 1)
    const cookie = world.browser.jar.header(new URL(world.browser.origin))
    expect((await world.browser.navigate('/app')).status).toBe(200)
    expect(world.browser.jar.header(new URL(world.browser.origin))).not.toBe(cookie)
    world.clock.advance(15_000)
    const late = await world.browser.send('/app', { headers: { accept: 'text/html', cookie } })
    expect(late.status).toBe(200)
    expect(refreshes(world)).toBe(1)
    expect((await world.browser.navigate('/app')).status).toBe(200)
  })

  test('a response that is lost costs nothing within the grace of the authorization server', async () => {
    const world = await expired({}, 2)
    world.authorizationServer.faults.refreshTokenGraceSeconds = 30
    const cookie = world.browser.jar.header(new URL(world.browser.origin))
    const [first, second] = world.ostiaries.map(({ url }) => `${url}/app`)
    await world.browser.send(first ?? '', { headers: { accept: 'text/html', cookie } })
    const again = await world.browser.send(second ?? '', { headers: { accept: 'text/html', cookie } })
    expect(again.status).toBe(200)
    world.clock.advance(HOUR_MS)
    expect((await world.browser.navigate('/app')).status).toBe(200)
  })

  test('the refresh comes before expiry, within the leeway and not sooner', async () => {
    const world = await startReplicas(1, { refreshLeeway: 60 })
    await world.browser.login('/app')
    world.clock.advance(HOUR_MS - 62_000)
    expect((await world.browser.navigate('/app')).status).toBe(200)
    expect(refreshes(world)).toBe(0)
    world.clock.advance(3_000)
    expect((await world.browser.navigate('/app')).status).toBe(200)
    expect(refreshes(world)).toBe(1)
  })
})
