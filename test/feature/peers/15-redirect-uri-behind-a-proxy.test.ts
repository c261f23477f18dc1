import { describe, expect, test } from 'vitest'
import { ingress } from '../../support/manifests.ts'
import { startLoginApp, type LoginAppOptions } from '../../support/login-app.ts'

const FORWARDED = {
  accept: 'text/html',
  host: 'app.example.com',
  'x-forwarded-proto': 'https',
  'x-forwarded-host': 'evil.example',
  'x-forwarded-port': '8443',
  forwarded: 'host=evil.example;proto=https',
}

async function redirectUri(options: LoginAppOptions, spec: object = {}): Promise<string | null> {
  const { browser } = await startLoginApp(spec, options)
  const start = await browser.send('/app', { headers: FORWARDED })
  return browser.locationOf(start).searchParams.get('redirect_uri')
}

describe('peers 15: the redirect URI behind another proxy', () => {
  test('has the scheme of the connection where nobody is trusted', async () => {
    expect(await redirectUri({})).toBe('http://app.example.com/oauth2/callback')
  })

  test('has the forwarded scheme where it comes from a trusted network, and never the forwarded host', async () => {
    const proxy = { trustedProxies: ['127.0.0.0/8', '::1/128'] }
    expect(await redirectUri({ proxy })).toBe('https://app.example.com/oauth2/callback')
  })

  test('is the explicit one where there is one for the host', async () => {
    const explicit = 'https://app.example.com:8443/oauth2/callback'
    expect(await redirectUri({}, { redirectUri: explicit })).toBe(explicit)
  })

  test('is a path that no route takes away', async () => {
    const { browser, apply } = await startLoginApp()
    apply(
      {},
      ingress({ name: 'thief', path: '/oauth2/callback', annotations: { 'ostiary.dev/public': 'true' } }),
    )
    const landed = await browser.login('/app/x')
    expect(landed.headers.get('location')).toBe('/app/x')
    const stray = await browser.navigate('/oauth2/callback?code=secret&state=x', 'cross-site')
    expect(stray.status).toBe(400)
    expect(await stray.text()).not.toContain('"namespace"')
  })
})
