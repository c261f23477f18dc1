import { existsSync } from 'node:fs'
import { chromium, type Browser, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { createDefaultCertificate } from '../../src/proxy/default-certificate.ts'
import { startLoginApp } from '../support/login-app.ts'
import { requirement } from '../support/requirements.ts'

const EXECUTABLE = process.env['OSTIARY_TEST_CHROMIUM'] ?? '/usr/bin/chromium'
const noChromium = requirement('Chromium', existsSync(EXECUTABLE), 'install it, or set OSTIARY_TEST_CHROMIUM')

// What only a real browser tells: which cookies go along between sites, and what a policy of a page lets happen. The
// authorization server is on localhost and Ostiary on 127.0.0.1, which are two sites.
describe.skipIf(noChromium)('in a real browser', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: EXECUTABLE, args: ['--no-sandbox', '--disable-gpu'] })
  })
  afterAll(() => browser.close())

  async function openPage(): Promise<Page> {
    const context = await browser.newContext()
    onTestFinished(() => context.close())
    return context.newPage()
  }

  async function signIn(page: Page): Promise<void> {
    await page.getByLabel('User name').fill('alice@example.com')
    await page.getByLabel('Password').fill('anything')
    await page.getByRole('button', { name: 'Sign in' }).click()
  }

  test.each([
    ['form_post', { responseMode: 'form_post' }],
    ['SameSite=Strict', { sessionCookieSameSite: 'Strict' }],
    ['both', { responseMode: 'form_post', sessionCookieSameSite: 'Strict' }],
  ])('a login with %s ends on the page that it began with, once', async (_name, spec) => {
    const { ostiary, authorizationServer } = await startLoginApp(spec)
    const page = await openPage()
    await page.goto(`${ostiary.url}/app/x?a=1`)
    await signIn(page)
    await page.waitForURL(`${ostiary.url}/app/x?a=1`)
    expect(await page.locator('body').innerText()).toContain('"/app/x?a=1"')
    expect(authorizationServer.faults.count('token')).toBe(1)
  })

  test('a login over HTTP/2 ends on the page that it began with, and its session stays', async () => {
    const defaultCertificate = await createDefaultCertificate(new Date())
    const https = { host: '127.0.0.1', port: 0 }
    const { ostiary } = await startLoginApp(
      { responseMode: 'form_post' },
      { proxy: { https, defaultCertificate } },
    )
    const context = await browser.newContext({ ignoreHTTPSErrors: true })
    onTestFinished(() => context.close())
    const page = await context.newPage()
    const origin = `https://127.0.0.1:${ostiary.httpsPort}`
    await page.goto(`${origin}/app/x?a=1`)
    await signIn(page)
    await page.waitForURL(`${origin}/app/x?a=1`)
    const text = await page.locator('body').innerText()
    expect(text).toContain('"/app/x?a=1"')
    await page.goto(`${origin}/app/y`)
    expect(await page.locator('body').innerText()).toContain('"/app/y"')
    const protocol = await page.evaluate('performance.getEntriesByType("navigation")[0].nextHopProtocol')
    expect(protocol).toBe('h2')
    const cookies = await context.cookies(origin)
    expect(cookies.map(({ name, secure }) => [name.startsWith('__Host-'), secure])).toContainEqual([
      true,
      true,
    ])
  })

  test("another site's link asks before it signs out, and the answer gets through to the other server", async () => {
    const { ostiary, authorizationServer } = await startLoginApp((url) => ({
      logoutRedirectUri: `${url}/bye`,
    }))
    const page = await openPage()
    await page.goto(`${ostiary.url}/app`)
    await signIn(page)
    await page.waitForURL(`${ostiary.url}/app`)
    await page.goto(`${authorizationServer.issuer}/v1/keys`)
    await page.setContent(`<a href="${ostiary.url}/oauth2/sign_out">a link</a>`)
    await page.click('a')
    await page.waitForURL(`${ostiary.url}/oauth2/sign_out`)
    expect(await page.locator('body').innerText()).toContain('alice@example.com')
    await page.click('button')
    await page.waitForURL(/\/bye\?state=/)
    await page.goto(`${ostiary.url}/app`)
    await page.waitForURL(/\/signin\//)
  })
})
