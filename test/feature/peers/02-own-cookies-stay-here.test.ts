import { describe, expect, test } from 'vitest'
import { startLoginApp, type Echoed } from '../../support/login-app.ts'
import { ingress } from '../../support/manifests.ts'

const OTHERS = 'theme=dark;lang=en ; x="a b"; __Host-app=1;; ostiary=mine; a_os_1=theirs; =odd'

describe('peers 2: our cookies never reach an upstream', () => {
  test('and unrelated ones pass byte for byte', async () => {
    const { browser, ostiary } = await startLoginApp()
    await browser.login('/app')
    const own = browser.jar.header(new URL(ostiary.url))
    expect(own).toMatch(/_os_0=/)
    const foreign = 'ostiary_0badcafe_os_0=1.gone; __Host-other_01234567_os_f3=x; __Secure-p_89abcdef_os_n=y'
    const cookie = `${own}; ${OTHERS}; ${foreign}`
    const page = await browser.send('/app', { headers: { accept: 'text/html', cookie } })
    expect(page.status).toBe(200)
    const { headers } = (await page.json()) as Echoed
    expect(headers['Cookie']).toEqual([OTHERS])
  })

  test('on routes without a plugin neither', async () => {
    const { browser, ostiary, apply } = await startLoginApp()
    apply({}, ingress({ name: 'open', path: '/open', annotations: { 'ostiary.dev/public': 'true' } }))
    await browser.login('/app')
    const cookie = `a=1; ${browser.jar.header(new URL(ostiary.url))}; b=2`
    const page = await browser.send('/open', { headers: { cookie } })
    expect(((await page.json()) as Echoed).headers['Cookie']).toEqual(['a=1; b=2'])
  })

  test('a request with ours alone has no Cookie header there', async () => {
    const { browser } = await startLoginApp()
    await browser.login('/app')
    const page = await browser.navigate('/app')
    expect(((await page.json()) as Echoed).headers['Cookie']).toBeUndefined()
  })
})
