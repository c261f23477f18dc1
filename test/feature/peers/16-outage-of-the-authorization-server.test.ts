import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { startEcho } from '../../../deploy/demo/echo-upstream.ts'
import { clientCredentialsToken } from '../../demo/okta.ts'
import { startLoginApp, type LoginApp } from '../../support/login-app.ts'
import { ingress, oidcPlugin, service, yaml } from '../../support/manifests.ts'
import { ManualClock } from '../../support/manual-clock.ts'

const MAIN = fileURLToPath(new URL('../../../src/main.ts', import.meta.url))
const DAY_MS = 86_400_000

interface World extends LoginApp {
  readonly clock: ManualClock
  readonly get: (target: string, token?: string) => Promise<Response>
}

/** `/app` behind a login, `/api` behind bearer tokens, `/public` open. */
async function startWorld(server: object = {}): Promise<World> {
  const clock = new ManualClock(Date.now())
  const app = await startLoginApp({}, { clock, server })
  const { issuer } = app.authorizationServer
  app.apply(
    {},
    oidcPlugin('api', { issuer, authMethods: ['bearer'], audience: ['api://default'] }),
    ingress({ name: 'api', path: '/api', annotations: { 'ostiary.dev/plugins': 'api' } }),
    ingress({ name: 'public', path: '/public' }),
  )
  const get = (target: string, token?: string): Promise<Response> =>
    app.browser.script(target, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } })
  return { ...app, clock, get }
}

function expectUnavailable(response: Response): void {
  expect(response.status).toBe(503)
  expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(response.headers.get('location')).toBeNull()
}

test('peers 16: with the issuer down at start all else works, and its return needs no restart', async () => {
  const { authorizationServer, browser, clock, get } = await startWorld()
  const token = await clientCredentialsToken(authorizationServer)
  await authorizationServer.faults.down('refused')
  expect((await get('/public')).status).toBe(200)
  expectUnavailable(await browser.navigate('/app'))
  expectUnavailable(await get('/api', token))
  expect((await get('/api', 'no token')).status).toBe(401)
  expect((await get('/app')).status).toBe(401)

  await authorizationServer.faults.up()
  clock.advance(5_000)
  expect((await get('/api', token)).status).toBe(200)
  const home = await browser.login('/app')
  expect([home.status, home.headers.get('location')]).toEqual([302, '/app'])
})

test('peers 16: a failed discovery is remembered for seconds, so that a dead issuer is not hammered', async () => {
  const { authorizationServer, browser, clock } = await startWorld()
  await authorizationServer.faults.down('unavailable')
  authorizationServer.faults.answer('discovery', { status: 503 })
  for (let time = 0; time < 20; time += 1) expectUnavailable(await browser.navigate('/app'))
  await authorizationServer.faults.up()
  expectUnavailable(await browser.navigate('/app'))
  expect(authorizationServer.faults.count('discovery')).toBe(0)
  authorizationServer.faults.clear()
  clock.advance(4_999)
  expectUnavailable(await browser.navigate('/app'))
  clock.advance(1)
  expect((await browser.navigate('/app')).status).toBe(302)
})

test('peers 16: sessions and known keys outlive the issuer, also through an edit of the plugin', async () => {
  const { authorizationServer, browser, get, apply } = await startWorld()
  const token = await clientCredentialsToken(authorizationServer)
  await browser.login('/app')
  expect((await get('/api', token)).status).toBe(200)
  const unseen = await clientCredentialsToken(authorizationServer)
  await authorizationServer.faults.down('refused')
  for (const leeway of [0, 7]) {
    const { issuer } = authorizationServer
    apply(
      { leeway },
      oidcPlugin('api', { issuer, authMethods: ['bearer'], audience: ['api://default'], leeway }),
      ingress({ name: 'api', path: '/api', annotations: { 'ostiary.dev/plugins': 'api' } }),
    )
    expect((await browser.navigate('/app')).status).toBe(200)
    expect((await get('/api', token)).status).toBe(200)
    expect((await get('/api', unseen)).status).toBe(200)
  }
})

test('peers 16: a login under way when the issuer goes gets 503 at its callback, and succeeds after', async () => {
  const { authorizationServer, browser } = await startWorld()
  const callback = await browser.signIn(await browser.navigate('/app'))
  await authorizationServer.faults.down('refused')
  expectUnavailable(await browser.navigate(callback.href, 'cross-site'))
  await authorizationServer.faults.up()
  const done = await browser.navigate(callback.href, 'cross-site')
  expect([done.status, done.headers.get('location')]).toEqual([302, '/app'])
})

test('peers 16: a failed rediscovery never replaces a good document', async () => {
  const { authorizationServer, browser, clock } = await startWorld()
  const first = browser.locationOf(await browser.navigate('/app'))
  const faults: readonly (() => void | Promise<void>)[] = [
    () => authorizationServer.faults.answer('discovery', { status: 200, body: '<html>maintenance</html>' }),
    () => authorizationServer.faults.answer('discovery', { status: 200, body: {} }),
    () => void (authorizationServer.faults.discoveryIssuer = 'https://evil.example'),
    () => authorizationServer.faults.down('refused'),
  ]
  for (const fault of faults) {
    authorizationServer.faults.clear()
    await fault()
    // Past the lifetime of the document: the first request has it fetched anew, the next ones see what came of it.
    clock.advance(DAY_MS)
    for (let time = 0; time < 3; time += 1) {
      const location = browser.locationOf(await browser.navigate('/app'))
      expect(location.origin + location.pathname).toBe(first.origin + first.pathname)
    }
  }
})

test('peers 16: with the issuer down the pod becomes ready', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'ostiary-outage-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const echo = await startEcho({ port: 0 })
  onTestFinished(() => echo.close())
  const manifests = yaml(
    ...service('echo', echo.port),
    oidcPlugin('api', { issuer: 'http://127.0.0.1:1/nobody', authMethods: ['bearer'] }),
    ingress({ name: 'api', path: '/api', annotations: { 'ostiary.dev/plugins': 'api' } }),
    ingress({ name: 'public', path: '/public' }),
  )
  await writeFile(path.join(directory, 'all.yaml'), manifests)
  const flags = ['--manifests', directory, '--workers', '1', '--log-format', 'json']
  const ports = ['--http-port', '0', '--https-port', '0', '--admin-port', '0', '--dashboard-port', '0']
  const child = spawn(process.execPath, [MAIN, 'run', ...flags, ...ports], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let log = ''
  child.stdout.on('data', (chunk: Buffer) => (log += chunk.toString()))
  const logged = async (pattern: RegExp): Promise<string> => {
    for (;;) {
      const found = pattern.exec(log)?.[1]
      if (found !== undefined) return found
      await once(child.stdout, 'data')
    }
  }
  const admin = await logged(/"address":"http:\/\/[^"]*:(\d+)"/)
  const http = await logged(/"http":(\d+)[^\n]*"listening"/)
  await expect
    .poll(async () => (await fetch(`http://127.0.0.1:${admin}/readyz`)).status, { timeout: 15_000 })
    .toBe(200)
  expect((await fetch(`http://127.0.0.1:${http}/public`)).status).toBe(200)
  const claims = { iss: 'http://127.0.0.1:1/nobody', exp: Math.floor(Date.now() / 1000) + 60 }
  const [header, payload] = [{ alg: 'RS256', kid: 'k' }, claims].map((part) =>
    Buffer.from(JSON.stringify(part)).toString('base64url'),
  )
  const authorization = `Bearer ${header}.${payload}.c2lnbmF0dXJl`
  expectUnavailable(await fetch(`http://127.0.0.1:${http}/api`, { headers: { authorization } }))
})
