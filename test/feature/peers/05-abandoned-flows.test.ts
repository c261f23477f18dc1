import { expect, test } from 'vitest'
import { startLoginApp } from '../../support/login-app.ts'

test('peers 5: abandoned logins leave at most five cookies, for ten minutes, on the callback path alone', async () => {
  const { browser } = await startLoginApp()
  const set: string[] = []
  for (let login = 0; login < 60; login += 1) {
    set.push(...(await browser.navigate(`/app?n=${login}`)).headers.getSetCookie())
  }
  expect(new Set(set.map((line) => line.slice(0, line.indexOf('=')))).size).toBe(5)
  for (const line of set) {
    expect(line).toMatch(/; Path=\/oauth2\/callback(;|$)/)
    expect(line).toMatch(/; Max-Age=600(;|$)/)
    expect(line).toMatch(/; HttpOnly(;|$)/)
  }
  const sent = (path: string): string => browser.jar.header(new URL(path, browser.origin))
  expect(sent('/app')).toBe('')
  expect(sent('/oauth2/callback').split('; ')).toHaveLength(5)
  expect(sent('/oauth2/callback').length).toBeLessThan(4096)
})

test('peers 5: a sixth login evicts one of the five and completes', async () => {
  const { browser } = await startLoginApp()
  for (let login = 0; login < 20; login += 1) await browser.navigate('/app/abandoned')
  const landed = await browser.login('/app/wanted')
  expect(landed.headers.get('location')).toBe('/app/wanted')
})
