import { request } from 'undici'
import { expect, onTestFinished, test } from 'vitest'
import { startEcho } from '../../deploy/demo/echo-upstream.ts'
import { createDefaultCertificate } from '../../src/proxy/default-certificate.ts'
import { startLoginApp } from '../support/login-app.ts'
import { ingress, service, yaml } from '../support/manifests.ts'
import { startOstiary } from '../support/ostiary.ts'

const NAVIGATION = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }

/** An Ingress with a TLS section for its host. */
function secured(options: Parameters<typeof ingress>[0]): object {
  const made = ingress(options) as { spec: object }
  const hosts = options.host === undefined ? [] : [options.host]
  return { ...made, spec: { ...made.spec, tls: [{ hosts }] } }
}

test('an Ingress with TLS is on HTTPS only, unless it says otherwise', async () => {
  const echo = await startEcho({ port: 0 })
  onTestFinished(() => echo.close())
  const apply = (annotations: Record<string, string>): string =>
    yaml(...service('echo', echo.port), secured({ host: 'app.test', annotations }))
  const ostiary = await startOstiary(apply({}))
  const status = async (): Promise<number> => {
    const { statusCode, body } = await request(`${ostiary.url}/x`, { headers: { host: 'app.test' } })
    await body.dump()
    return statusCode
  }
  expect(await status()).toBe(308)
  ostiary.apply(apply({ 'ostiary.dev/ssl-redirect': 'false' }))
  expect(await status()).toBe(200)
  ostiary.apply(apply({ 'ostiary.dev/ssl-redirect': 'yes' }))
  expect([308, 503]).toContain(await status())
  ostiary.apply(yaml(...service('echo', echo.port), ingress({ host: 'app.test' })))
  expect(await status()).toBe(200)
})

// The callback and the reserved paths are of a host, and one of its routes with a login is on HTTPS only.
test('a login on HTTPS leaves nothing on plain HTTP: no cookie, at no step', async () => {
  const { apply, ostiary } = await startLoginApp((url) => ({ redirectUri: `${url}/app/callback` }), {
    redirectPaths: ['/app/callback'],
    proxy: { https: { port: 0 }, defaultCertificate: await createDefaultCertificate(new Date()) },
  })
  apply({}, secured({ name: 'secured', path: '/secured', annotations: { 'ostiary.dev/plugins': 'app' } }))
  for (const path of [
    '/secured',
    '/app/callback?state=x&code=y',
    '/oauth2/start?rd=/app',
    '/oauth2/callback?state=x&code=y',
    '/oauth2/sign_out',
    '/oauth2/userinfo',
    '/oauth2/auth',
  ]) {
    const { statusCode, headers, body } = await request(`${ostiary.url}${path}`, { headers: NAVIGATION })
    await body.dump()
    expect([path, statusCode, headers['location'], headers['set-cookie']]).toEqual([
      path,
      308,
      `https://127.0.0.1${path}`,
      undefined,
    ])
  }
})
