import { describe, expect, test } from 'vitest'
import { startLoginApp, type Echoed } from '../../support/login-app.ts'

const PREFLIGHT = { origin: 'https://other.example', 'access-control-request-method': 'PUT' }

describe('peers 10: CORS preflights', () => {
  test('a true one is not asked for credentials: whoever has the CORS policy answers it', async () => {
    const { browser } = await startLoginApp()
    const answer = await browser.send('/app', { method: 'OPTIONS', headers: PREFLIGHT })
    expect(answer.status).toBe(200)
    const echoed = (await answer.json()) as Echoed
    expect(echoed.method).toBe('OPTIONS')
    expect(echoed.headers['Authorization']).toBeUndefined()
  })

  test.each<[string, Record<string, string>]>([
    ['without Origin', { 'access-control-request-method': 'PUT' }],
    ['without a method', { origin: 'https://other.example' }],
    ['plain', {}],
  ])('an OPTIONS %s is authenticated', async (_name, headers) => {
    const { browser } = await startLoginApp()
    expect((await browser.send('/app', { method: 'OPTIONS', headers })).status).toBe(401)
  })

  test.each(['x-http-method-override', 'x-method-override', 'x-http-method', 'x-forwarded-method'])(
    'a %s header makes no preflight of another method',
    async (name) => {
      const { browser } = await startLoginApp()
      const headers = { ...PREFLIGHT, [name]: 'OPTIONS' }
      expect((await browser.send('/app', { method: 'GET', headers })).status).toBe(401)
      expect((await browser.send('/app', { method: 'POST', headers })).status).toBe(401)
    },
  )

  test('runOnPreflight authenticates them too', async () => {
    const { browser } = await startLoginApp({ runOnPreflight: true })
    expect((await browser.send('/app', { method: 'OPTIONS', headers: PREFLIGHT })).status).toBe(401)
  })
})
