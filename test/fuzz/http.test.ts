import * as fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { clientCredentialsToken } from '../demo/okta.ts'
import { startLoginApp, type LoginApp } from '../support/login-app.ts'
import { ingress, oidcPlugin } from '../support/manifests.ts'
import { RawClient, type RawResponse } from '../support/raw-http.ts'
import { seedsOf } from './corpus.ts'
import { mutated } from './mutation.ts'

const RUNS = { numRuns: 120 }
const crashes: unknown[] = []
const note = (reason: unknown): void => void crashes.push(reason)

interface World extends LoginApp {
  /** Sends these bytes on a connection of their own; `undefined` where it was closed without an answer. */
  readonly send: (head: string, body?: Buffer) => Promise<RawResponse | undefined>
  readonly token: string
}

/** `/app` behind a login, `/api` behind tokens and clients wherever they may stand. */
async function startWorld(): Promise<World> {
  process.on('unhandledRejection', note)
  process.on('uncaughtExceptionMonitor', note)
  const app = await startLoginApp()
  const { authorizationServer, ostiary } = app
  const api = {
    issuer: authorizationServer.issuer,
    authMethods: ['bearer', 'client_credentials'],
    audience: ['api://default'],
    scopes: ['orders.read'],
    bearerTokenParamType: ['header', 'query', 'body', 'cookie'],
    bearerTokenCookieName: 'token',
    clientCredentialsParamType: ['header', 'query', 'body'],
  }
  app.apply(
    {},
    oidcPlugin('api', api),
    ingress({ name: 'api', path: '/api', annotations: { 'ostiary.dev/plugins': 'api' } }),
  )
  const send = async (head: string, body?: Buffer): Promise<RawResponse | undefined> => {
    const client = await RawClient.open(ostiary.port)
    try {
      client.write(`${head}\r\nHost: 127.0.0.1\r\nConnection: close\r\n`)
      client.write(body === undefined ? '\r\n' : `Content-Length: ${body.length}\r\n\r\n`)
      if (body !== undefined) client.write(body)
      return await client.response()
    } catch {
      return undefined
    } finally {
      client.socket.destroy()
    }
  }
  return { ...app, send, token: await clientCredentialsToken(authorizationServer) }
}

afterEach(() => {
  process.off('unhandledRejection', note)
  process.off('uncaughtExceptionMonitor', note)
})

/** Header text without what ends a header: that would be another request, which the proxy's own tests send. */
function inHeader(bytes: Buffer): string {
  return bytes.toString('latin1').replace(/[\r\n\0]/g, '')
}

/** It still serves who may pass, and nothing was thrown where nobody caught it. */
async function expectAlive({ send, token }: World): Promise<void> {
  expect((await send(`GET /api HTTP/1.1\r\nAuthorization: Bearer ${token}`))?.status).toBe(200)
  expect(crashes).toEqual([])
}

test('no Authorization header opens a route', async () => {
  const world = await startWorld()
  const seeds = [...seedsOf('basic'), ...seedsOf('jwt')].map(({ bytes }) => bytes)
  const schemes = ['Basic ', 'Bearer ', 'bearer', 'BASIC  ', 'DPoP ', 'Negotiate ', '', 'Basic\t']
  const own = 'orders-service:orders-secret'
  await fc.assert(
    fc.asyncProperty(mutated(seeds), fc.constantFrom(...schemes), async (bytes, scheme) => {
      const value = inHeader(bytes)
      const response = await world.send(`GET /api HTTP/1.1\r\nAuthorization: ${scheme}${value}`)
      if (response?.status !== 200) {
        expect([undefined, 400, 401, 431]).toContain(response?.status)
      } else expect(decodeURIComponent(Buffer.from(value.trim(), 'base64').toString())).toBe(own)
    }),
    RUNS,
  )
  await expectAlive(world)
})

test('no cookie opens a route', async () => {
  const world = await startWorld()
  await world.browser.login('/app')
  const cookie = world.browser.jar.header(new URL('/app', world.ostiary.url))
  expect(cookie).toMatch(/_os_0=/)
  const name = cookie.slice(0, cookie.indexOf('='))
  const seeds = seedsOf('cookie').map(({ bytes }) =>
    Buffer.from(inHeader(bytes).replaceAll('NAME', name), 'latin1'),
  )
  await fc.assert(
    fc.asyncProperty(mutated([...seeds, Buffer.from(cookie)]), async (bytes) => {
      const value = inHeader(bytes)
      const response = await world.send(`GET /app HTTP/1.1\r\nAccept: */*\r\nCookie: ${value}`)
      if (response?.status === 200) expect(value).toContain(cookie)
      else expect([undefined, 400, 401, 431]).toContain(response?.status)
    }),
    RUNS,
  )
  await expectAlive(world)
})

test('no form and no query opens a route', async () => {
  const world = await startWorld()
  const seeds = seedsOf('form').map(({ bytes }) =>
    Buffer.from(bytes.toString('latin1').replaceAll('TOKEN', world.token.slice(0, -8)), 'latin1'),
  )
  const form = 'Content-Type: application/x-www-form-urlencoded'
  await fc.assert(
    fc.asyncProperty(mutated(seeds), async (bytes) => {
      const query = [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')
      const answers = await Promise.all([
        world.send(`POST /api HTTP/1.1\r\n${form}`, bytes),
        world.send(`GET /api?${inHeader(bytes).replace(/[^\x21-\x22\x24-\x7e]/g, '')} HTTP/1.1`),
        world.send(`GET /api?access_token=${query} HTTP/1.1`),
      ])
      const isClient = /client_id=orders-service.*client_secret=orders-secret/s.test(bytes.toString('latin1'))
      for (const answer of answers) {
        if (answer?.status === 200) expect(isClient).toBe(true)
        else expect([undefined, 400, 401, 414, 431]).toContain(answer?.status)
      }
    }),
    RUNS,
  )
  await expectAlive(world)
})

test('no callback and no logout token takes a thread down, or is believed', async () => {
  const world = await startWorld()
  const callbacks = seedsOf('callback').map(({ bytes }) => bytes)
  const tokens = seedsOf('logout-token').map(({ bytes }) =>
    Buffer.from(`logout_token=a.${bytes.toString('base64url')}.b`),
  )
  const form = 'Content-Type: application/x-www-form-urlencoded'
  await fc.assert(
    fc.asyncProperty(mutated(callbacks), mutated(tokens), async (callback, token) => {
      const query = inHeader(callback).replace(/[^\x21-\x22\x24-\x7e]/g, '')
      const got = await world.send(`GET /oauth2/callback?${query} HTTP/1.1\r\nAccept: text/html`)
      const posted = await world.send(`POST /oauth2/callback HTTP/1.1\r\n${form}`, callback)
      const out = await world.send(`POST /oauth2/backchannel_logout HTTP/1.1\r\n${form}`, token)
      for (const answer of [got, posted, out]) {
        expect(answer?.status).not.toBe(200)
        expect(answer?.status ?? 400).toBeLessThan(504)
        expect(answer?.headers['set-cookie'] ?? '').not.toMatch(/_os_\d=[^;]/)
      }
    }),
    RUNS,
  )
  await expectAlive(world)
})
