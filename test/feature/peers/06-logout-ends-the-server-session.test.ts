import { describe, expect, test } from 'vitest'
import { POST_LOGOUT_PATH, startLoginApp } from '../../support/login-app.ts'

describe('peers 6: a logout ends the session at the authorization server too', () => {
  test.each(['GET', 'POST'])('%s, with the application knowing nothing of it', async (method) => {
    const app = await startLoginApp((url) => ({ logoutRedirectUri: url + POST_LOGOUT_PATH }))
    const { browser, ostiary, authorizationServer } = app
    await browser.login('/app')
    const answer =
      method === 'GET'
        ? await browser.navigate('/oauth2/sign_out', 'same-origin')
        : await browser.submit('/oauth2/sign_out', '')
    expect(browser.hasSession).toBe(false)
    const end = browser.locationOf(answer)
    expect(end.origin + end.pathname).toBe(`${authorizationServer.issuer}/v1/logout`)
    expect([...end.searchParams.keys()].toSorted()).toEqual([
      'client_id',
      'id_token_hint',
      'post_logout_redirect_uri',
      'state',
    ])
    expect(end.searchParams.get('post_logout_redirect_uri')).toBe(ostiary.url + POST_LOGOUT_PATH)
    expect((await browser.atServer(end)).status).toBe(302)
    // Nothing of the old sign-in is left: the next login asks for a password.
    const next = await browser.atServer(browser.locationOf(await browser.navigate('/app')))
    expect(next.headers.get('location')).toContain('/signin/')
  })

  test('falls back to the client id where the hint is too long', async () => {
    const groups = Array.from({ length: 200 }, (_, index) => `department-${index}-of-a-large-company`)
    const { browser } = await startLoginApp(
      {},
      {
        server: { users: [{ id: '00u1', login: 'alice@example.com', name: 'Alice', groups }] },
      },
    )
    await browser.login('/app')
    const end = browser.locationOf(await browser.navigate('/oauth2/sign_out'))
    expect([...end.searchParams.keys()]).toEqual(['client_id'])
    expect(end.href.length).toBeLessThan(4096)
  })
})
