import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { ingress, oidcPlugin, secret, service, yaml } from '../../support/manifests.ts'
import { RedisProcess, redisRequirement } from '../../support/redis-server.ts'
import { startReplicas, type Replicas } from '../../support/replicas.ts'

/** `ostiary run` on these manifests; gives its ports. */
async function startProcess(manifests: string): Promise<{ readonly http: number; readonly admin: number }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'ostiary-outage-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await writeFile(path.join(folder, 'app.yaml'), manifests)
  const ports = ['http', 'https', 'admin'].flatMap((name) => [`--${name}-port`, '0'])
  const main = path.resolve(import.meta.dirname, '../../../src/main.ts')
  const args = [main, 'run', '--manifests', folder, '--workers', '1', '--log-format', 'json', ...ports]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let log = ''
  const find = (pattern: RegExp): number => Number(pattern.exec(log)?.[1])
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    log += chunk.toString()
    const found = { http: find(/"http":(\d+)/), admin: find(/"address":"http:[^"]*:(\d+)"/) }
    if (found.http > 0 && found.admin > 0) {
      child.stdout.resume()
      return found
    }
  }
  throw new Error(`it ended: ${log}`)
}

async function startRedis(): Promise<RedisProcess> {
  const redis = await RedisProcess.start()
  onTestFinished(() => redis[Symbol.asyncDispose]())
  return redis
}

function startWith(redis: RedisProcess, replicas = 1): Promise<Replicas> {
  return startReplicas(replicas, {
    authMethods: ['session', 'bearer', 'authorization_code'],
    sessionStorage: 'redis',
    redis: { host: '127.0.0.1', port: redis.port, connectTimeout: 1_000, readTimeout: 1_000 },
  })
}

describe.skipIf(redisRequirement())('peers 23: the session store restarts, or is away', () => {
  test('requests with a session get 503 and no login, and everything else goes on', async () => {
    const redis = await startRedis()
    const world = await startWith(redis)
    const { browser, clock, authorizationServer } = world
    await browser.login('/app')
    await redis.kill()
    clock.advance(1_000)
    const answer = await browser.navigate('/app')
    expect([answer.status, answer.headers.get('location')]).toEqual([503, null])
    expect(answer.headers.get('retry-after')).toBe('1')
    expect(answer.headers.getSetCookie()).toEqual([])
    expect((await browser.script('/app')).status).toBe(503)
    expect(await (await browser.script('/app')).json()).toMatchObject({ status: 503 })

    expect((await browser.navigate('/open')).status).toBe(200)
    const now = Math.floor(Date.now() / 1000)
    const { issuer } = authorizationServer
    const claims = {
      ver: 1,
      iss: issuer,
      aud: 'api://default',
      sub: 'x',
      cid: 'y',
      iat: now,
      exp: now + 3600,
    }
    const authorization = `Bearer ${await authorizationServer.sign(claims)}`
    const api = await fetch(`${browser.origin}/app`, { headers: { authorization } })
    expect(api.status).toBe(200)
  })

  test('the process lives on and stays ready, from its start', async () => {
    const redis = await startRedis()
    await redis.kill()
    const { http, admin } = await startProcess(
      yaml(
        ...service('echo', 1),
        secret('client', { clientSecret: 'x' }),
        oidcPlugin('app', {
          issuer: 'http://127.0.0.1:1',
          clientId: 'ostiary',
          clientSecretRef: { name: 'client' },
          sessionStorage: 'redis',
          redis: { host: '127.0.0.1', port: redis.port },
        }),
        ingress({ path: '/app', annotations: { 'ostiary.dev/plugins': 'app' } }),
      ),
    )
    const readiness = async (): Promise<number> => (await fetch(`http://127.0.0.1:${admin}/readyz`)).status
    while ((await readiness()) !== 200) await new Promise((resolve) => setTimeout(resolve, 50))
    const answer = await fetch(`http://127.0.0.1:${http}/app`, { headers: { cookie: 'theme=dark' } })
    expect(answer.status).toBe(401)
    expect(await readiness()).toBe(200)
  })

  test('a sign-out is not called done while the store cannot end the session', async () => {
    const redis = await startRedis()
    const { browser } = await startWith(redis)
    await browser.login('/app')
    await redis.kill()
    const answer = await browser.script('/oauth2/sign_out', { method: 'POST' })
    expect(answer.status).toBe(503)
    expect(answer.headers.getSetCookie().join()).toMatch(/_os_\w+=;/)
    expect((await browser.script('/app')).status).toBe(401)
  })

  test('nobody has to sign in again once it answers', async () => {
    const redis = await startRedis()
    const { browser, clock } = await startWith(redis)
    await browser.login('/app')
    redis.pause()
    clock.advance(1_000)
    expect((await browser.navigate('/app')).status).toBe(503)
    redis.resume()
    let status = 503
    while (status === 503) ({ status } = await browser.navigate('/app'))
    expect(status).toBe(200)
  })

  test('a login is told that it cannot be kept, and works once the store is back', async () => {
    const redis = await startRedis()
    const { browser } = await startWith(redis)
    const callback = await browser.signIn(await browser.navigate('/app'))
    await redis.kill()
    const refused = await browser.navigate(callback.href, 'cross-site')
    expect([refused.status, refused.headers.get('location')]).toEqual([503, null])
    expect(await refused.text()).toContain('session_store_unavailable')
    // More of them than a login loop would have: the browser did keep what it was given.
    for (let time = 0; time < 4; time += 1) expect((await browser.login('/app')).status).toBe(503)
    await redis.start()
    let landed = await browser.login('/app')
    while (landed.status === 503) landed = await browser.login('/app')
    expect(landed.status).toBe(302)
    expect((await browser.navigate('/app')).status).toBe(200)
  })

  test('sessions that a restart lost are signed in anew, once', async () => {
    const redis = await startRedis()
    const { browser, clock } = await startWith(redis)
    await browser.login('/app')
    await redis.kill()
    await redis.start()
    clock.advance(1_000)
    let answer = await browser.navigate('/app')
    while (answer.status === 503) answer = await browser.navigate('/app')
    expect(answer.status).toBe(302)
    expect(answer.headers.getSetCookie().join()).toMatch(/_os_0=; Max-Age=0/)
    await browser.login('/app')
    expect((await browser.navigate('/app')).status).toBe(200)
  })

  test('a callback with a state that is not known any more starts the flow once', async () => {
    const redis = await startRedis()
    const { browser, ostiaries } = await startWith(redis)
    const start = await browser.navigate('/app?x=1')
    const callback = await browser.signIn(start)
    browser.forgetSession()
    const again = await browser.navigate(callback.href, 'cross-site')
    expect(again.status).toBe(302)
    const landed = await browser.navigate((await browser.signIn(again)).href, 'cross-site')
    expect(landed.headers.get('location')).toBe('/app?x=1')
    expect(ostiaries).toHaveLength(1)
  })

  test('a logout at one replica holds at the others within a second', async () => {
    const redis = await startRedis()
    const { browser, clock, ostiaries } = await startWith(redis, 3)
    await browser.login('/app')
    const cookie = browser.jar.header(new URL(browser.origin))
    const headers = { cookie, accept: 'text/html' }
    const ask = async (): Promise<readonly number[]> =>
      Promise.all(
        ostiaries.map(async ({ url }) => (await fetch(`${url}/app`, { headers, redirect: 'manual' })).status),
      )
    expect(await ask()).toEqual([200, 200, 200])
    await browser.navigate('/oauth2/sign_out')
    clock.advance(1_000)
    expect(await ask()).toEqual([401, 401, 401])
  })
})
