import { describe, expect, test } from 'vitest'
import { startLoginApp, type Echoed } from '../../support/login-app.ts'
import { refreshes, startReplicas } from '../../support/replicas.ts'

describe('peers 24: a form is not lost in a login', () => {
  test('without a session it is 401, not a redirect that would drop its body', async () => {
    const { browser } = await startLoginApp()
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'PROPFIND']) {
      const answer = await browser.send('/app', {
        method,
        headers: { accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
        ...(method !== 'HEAD' && { body: 'a=1' }),
      })
      expect([method, answer.status, answer.headers.get('location')]).toEqual([method, 401, null])
      expect(answer.headers.getSetCookie()).toEqual([])
    }
  })

  test('a form of a page that sat there for an hour refreshes the session and goes through', async () => {
    const world = await startReplicas(1)
    await world.browser.login('/app')
    world.clock.advance(3_600_000)
    const answer = await world.browser.submit('/app/form?x=1', 'a=1&b=%2F')
    expect(answer.status).toBe(200)
    expect((await answer.json()) as Echoed).toMatchObject({ method: 'POST', path: '/app/form?x=1' })
    expect(refreshes(world)).toBe(1)
  })

  test('a form of a page that sat there goes through with the session, untouched', async () => {
    const { browser } = await startLoginApp()
    await browser.login('/app')
    const answer = await browser.submit('/app/form?x=1', 'a=1&b=%2F')
    expect(answer.status).toBe(200)
    expect((await answer.json()) as Echoed).toMatchObject({ method: 'POST', path: '/app/form?x=1' })
  })
})
