import { describe, expect, test } from 'vitest'
import { startLoginApp, type LoginApp } from '../../support/login-app.ts'
import { WebBrowser } from '../../support/web-browser.ts'

/** A browser that keeps the cookies of logins but loses those of sessions, as where their domain is wrong. */
async function roundWithoutSession({ browser }: LoginApp): Promise<Response> {
  const forgetful = new WebBrowser(browser.origin)
  const start = await forgetful.navigate('/app')
  const callback = await browser.signIn(start)
  const cookies = [forgetful.jar, browser.jar]
    .map((jar) => jar.header(callback))
    .join('; ')
    .split('; ')
    .filter((pair) => !/_os_\d=/.test(pair) && pair !== '')
  const answer = await browser.send(callback.href, {
    headers: { accept: 'text/html', cookie: cookies.join('; ') },
  })
  return answer
}

describe('peers 8: logins that lead nowhere stop', () => {
  test('after three callbacks in a minute, with a page that names the cause instead of a fourth', async () => {
    const app = await startLoginApp()
    for (let round = 0; round < 3; round += 1) {
      expect((await roundWithoutSession(app)).status).toBe(302)
    }
    const stopped = await roundWithoutSession(app)
    expect([stopped.status, stopped.headers.get('location')]).toEqual([400, null])
    const html = await stopped.text()
    expect(html).toContain('The browser does not keep the session')
    expect(html).toContain('Allow cookies for this site')
    expect(html).toContain('login_loop')
  })

  test('a callback on a routed path is no loop (apisix#2426)', async () => {
    const { browser } = await startLoginApp((url) => ({ redirectUri: `${url}/app` }), {
      redirectPaths: ['/app'],
    })
    const landed = await browser.login('/app?x=1')
    expect(landed.headers.get('location')).toBe('/app?x=1')
    expect((await browser.navigate('/app?x=1')).status).toBe(200)
  })

  test('a session that is never accepted leads to no fourth login either', async () => {
    const { browser } = await startLoginApp({ reverify: true, audience: ['api://elsewhere'] })
    for (let round = 0; round < 3; round += 1) {
      expect((await browser.login('/app')).headers.get('location')).toBe('/app')
      expect(browser.hasSession).toBe(true)
    }
    const stopped = await browser.login('/app')
    expect([stopped.status, stopped.headers.get('location')]).toEqual([400, null])
    expect(await stopped.text()).toContain('The session is never accepted')
  })

  test('a claim that is refused is a 403 and no login', async () => {
    const { browser } = await startLoginApp({ groupsRequired: ['Engineering'] })
    await browser.login('/app', 'bob@example.com')
    for (let visit = 0; visit < 5; visit += 1) {
      const answer = await browser.navigate('/app')
      expect([answer.status, answer.headers.get('location')]).toEqual([403, null])
    }
    expect(browser.hasSession).toBe(true)
  })
})
