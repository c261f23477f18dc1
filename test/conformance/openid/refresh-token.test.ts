import { expect, test } from 'vitest'
import type { WebBrowser } from '../../support/web-browser.ts'
import { Suite, USER_INFO, type Script } from './suite.ts'

// oidcc-client-refreshtoken-test-plan.

/** Signed in with a refresh token, and the access token has expired since. */
async function expired(script: Script): Promise<{ suite: Suite; browser: WebBrowser }> {
  const suite = await Suite.start({ scopes: ['openid', 'offline_access'] })
  const browser = suite.browser()
  const asked = await suite.authorizationRequest(browser)
  suite.answerToken({}, asked.get('nonce'), { refresh_token: 'refresh-1' })
  await suite.expectAccepted(await suite.callBack(browser, asked, { code: 'code' }), browser)
  suite.clock.advance(301_000)
  suite.answerToken(script, null, { refresh_token: 'refresh-2' })
  return { suite, browser }
}

test('oidcc-client-test-refresh-token', async () => {
  const { suite, browser } = await expired({})
  expect((await browser.navigate('/app')).status).toBe(200)
  const { form } = suite.server.last('token')
  expect([form.get('grant_type'), form.get('refresh_token')]).toEqual(['refresh_token', 'refresh-1'])
  expect(suite.server.last('userinfo').headers.authorization).toBe('Bearer token-2')
})

test('oidcc-client-test-refresh-token-invalid-issuer', async () => {
  const { browser } = await expired({ claims: (right) => ({ ...right, iss: 'https://invalid.example' }) })
  expect((await browser.navigate('/app')).status).toBe(302)
  expect(browser.hasSession).toBe(false)
})

test('oidcc-client-test-refresh-token-invalid-sub', async () => {
  const { browser } = await expired({ claims: (right) => ({ ...right, sub: `${USER_INFO.sub}invalid` }) })
  expect((await browser.navigate('/app')).status).toBe(302)
  expect(browser.hasSession).toBe(false)
})
