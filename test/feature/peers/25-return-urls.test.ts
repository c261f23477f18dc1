import { describe, expect, test } from 'vitest'
import { startLoginApp } from '../../support/login-app.ts'

describe('peers 25: where a login returns to', () => {
  test('path and query survive exactly', async () => {
    const { browser } = await startLoginApp()
    for (const target of [
      '/app',
      '/app/',
      '/app?a=1&a=2&b=%2F&c=+&d=%20&e',
      '/app/%E2%82%AC/%7Euser/a;b=c?q=%25',
      '/app?next=//evil.example&u=https://evil.example/',
      '/app/a%20b?utf8=%C3%A9',
    ]) {
      browser.forgetSession()
      expect((await browser.login(target)).headers.get('location')).toBe(target)
    }
  })

  test('nothing leads off the site', async () => {
    const { browser } = await startLoginApp()
    for (const target of [
      '//evil.example/%2e%2e',
      '/%2f%2fevil.example',
      '/%5cevil.example',
      '/\\evil.example',
    ]) {
      const answer = await browser.navigate(`/oauth2/start?rd=${encodeURIComponent(target)}`)
      expect([target, answer.status, answer.headers.get('location')]).toEqual([target, 400, null])
    }
  })

  test('a state that was changed returns nowhere', async () => {
    const { browser } = await startLoginApp()
    const callback = await browser.signIn(await browser.navigate('/app'))
    const state = callback.searchParams.get('state') ?? ''
    callback.searchParams.set('state', state.slice(0, -2) + (state.endsWith('AA') ? 'BB' : 'AA'))
    const answer = await browser.navigate(callback.href, 'cross-site')
    expect([answer.status, answer.headers.get('location')]).toEqual([400, null])
  })
})
