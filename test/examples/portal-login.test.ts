import { expect, test } from 'vitest'
import { run } from '../doctor/setup.ts'
import { noChromium, openBrowser, signInAs, textOf } from './chromium.ts'
import { runExample, type RunningExample } from './example.ts'
import { noCurl, runReadme } from './readme.ts'

const HOST = 'portal.example.com'
const PORTAL = `https://${HOST}/anything/portal`
const WELCOME = `${PORTAL}/welcome`

function start(): Promise<RunningExample> {
  return runExample('portal-login', {
    host: HOST,
    clients: [
      {
        clientId: 'YOUR_CLIENT_ID',
        clientSecret: 'YOUR_CLIENT_SECRET',
        grantTypes: ['authorization_code'],
        redirectUris: [`https://${HOST}/oauth2/callback`],
        postLogoutRedirectUris: [`https://${HOST}/anything/goodbye`],
        scopes: ['openid', 'profile', 'email'],
      },
    ],
  })
}

test.skipIf(noCurl)('each command of the README answers as printed', async () => {
  expect(await runReadme(await start())).toBe(2)
})

test.skipIf(noChromium)(
  'a person lands on the welcome page, logs out here and at Okta, and is asked again',
  async () => {
    const example = await start()
    const page = await openBrowser(example, HOST)
    await page.goto(`${PORTAL}/documents`)
    await signInAs(page, 'alice@example.com', WELCOME)
    expect(await textOf(page)).toMatch(/"X-Consumer-Username": \[\s+"alice@example\.com"/)
    const next = await page.goto(`${PORTAL}/documents`)
    expect([next?.status(), next?.request().redirectedFrom()]).toEqual([200, null])

    await page.goto(`${PORTAL}?logout`)
    expect(page.url()).toMatch(new RegExp(`^https://${HOST}/anything/goodbye(\\?state=[\\w-]+)?$`))
    const cookies = await page.context().cookies(`https://${HOST}`)
    expect(cookies.filter(({ name }) => name.startsWith('__Host-'))).toEqual([])
    const { calls } = example.authorizationServer.faults
    expect(calls.findLast(({ endpoint }) => endpoint === 'logout')?.parameters).toMatchObject({
      id_token_hint: expect.stringMatching(/^ey/),
      post_logout_redirect_uri: `https://${HOST}/anything/goodbye`,
    })

    await page.goto(PORTAL)
    expect(page.url()).toContain('/oauth2/default/signin/')
    await signInAs(page, 'bob@example.com', `https://${HOST}/anything/no-access`)
    expect(await textOf(page)).toContain('"path": "/anything/no-access"')
    await page.goto(`${PORTAL}/documents`)
    expect(page.url()).toBe(`https://${HOST}/anything/no-access`)
  },
)

test('doctor finds nothing wrong', async () => {
  const { folder } = await start()
  const { failures, printed } = await run('portal-login', { filename: folder })
  expect(failures, printed).toBe(0)
})
