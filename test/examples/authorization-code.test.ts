import { expect, test } from 'vitest'
import { run } from '../doctor/setup.ts'
import { noChromium, openBrowser, signInAs, textOf } from './chromium.ts'
import { runExample, type RunningExample } from './example.ts'
import { noCurl, runReadme } from './readme.ts'

const HOST = 'app.example.com'

function start(): Promise<RunningExample> {
  return runExample('authorization-code', {
    host: HOST,
    clients: [
      {
        clientId: 'YOUR_CLIENT_ID',
        clientSecret: 'YOUR_CLIENT_SECRET',
        grantTypes: ['authorization_code'],
        redirectUris: [`https://${HOST}/oauth2/callback`],
        scopes: ['openid'],
      },
    ],
  })
}

test.skipIf(noCurl)('each command of the README answers as printed', async () => {
  expect(await runReadme(await start())).toBe(1)
})

test.skipIf(noChromium)(
  'a sign-in comes back to the very address, with a token for the upstream',
  async () => {
    const page = await openBrowser(await start(), HOST)
    const asked = `https://${HOST}/anything/reports?month=11`
    await page.goto(asked)
    expect(page.url()).toContain('/oauth2/default/signin/')
    await signInAs(page, 'alice@example.com', asked)
    expect(await textOf(page)).toMatch(/"Authorization": \[\s+"Bearer ey/)
    expect(await textOf(page)).not.toContain('"Cookie"')
    const [cookie] = (await page.context().cookies()).filter(({ name }) => name.startsWith('__Host-'))
    expect(cookie).toMatchObject({ secure: true, httpOnly: true, sameSite: 'Lax', domain: HOST })
    const script = 'fetch("/anything").then((response) => [response.status, response.redirected])'
    expect(await page.evaluate(script)).toEqual([200, false])
    await page.context().clearCookies()
    expect(await page.evaluate(script)).toEqual([401, false])
  },
)

test('doctor finds nothing wrong, and sees that the redirect URI is registered', async () => {
  const { folder } = await start()
  const { failures, printed } = await run('authorization-code', { filename: folder })
  expect(failures, printed).toBe(0)
  expect(printed).toContain(`https://${HOST}/oauth2/callback is registered`)
})
