import { expect, test } from 'vitest'
import { run } from '../doctor/setup.ts'
import { noChromium, openBrowser, signInAs, textOf } from './chromium.ts'
import { runExample, type RunningExample } from './example.ts'
import { noCurl, runReadme } from './readme.ts'

const HOST = 'app.example.com'

function start(): Promise<RunningExample> {
  return runExample('openid-connect', {
    host: HOST,
    clients: [
      {
        clientId: 'YOUR_CLIENT_ID',
        clientSecret: 'YOUR_CLIENT_SECRET',
        grantTypes: ['authorization_code'],
        redirectUris: [`https://${HOST}/oauth2/callback`],
        scopes: ['openid', 'profile', 'email'],
      },
      {
        clientId: 'YOUR_SERVICE_CLIENT_ID',
        clientSecret: 'YOUR_SERVICE_CLIENT_SECRET',
        grantTypes: ['client_credentials'],
        scopes: ['orders.read'],
      },
    ],
  })
}

test.skipIf(noCurl)('access: each command of the README answers as printed', async () => {
  expect(await runReadme(await start())).toBe(3)
})

test.skipIf(noChromium)(
  'sign-in and session: the Consumer is named, and Okta is not asked again',
  async () => {
    const example = await start()
    const page = await openBrowser(example, HOST)
    await page.goto(`https://${HOST}/anything`)
    await signInAs(page, 'alice@example.com', `https://${HOST}/anything`)
    const text = await textOf(page)
    expect(text).toMatch(/"X-Consumer-Username": \[\s+"alice@example\.com"/)
    expect(text).toMatch(/"Authorization": \[\s+"Bearer ey/)
    await example.authorizationServer.faults.down('refused')
    const next = await page.goto(`https://${HOST}/anything/else`)
    expect([next?.status(), next?.request().redirectedFrom()]).toEqual([200, null])
    expect(await textOf(page)).toContain('"path": "/anything/else"')
  },
)

test('doctor finds nothing wrong', async () => {
  const { folder } = await start()
  const { failures, printed } = await run('openid-connect', { filename: folder })
  expect(failures, printed).toBe(0)
})
