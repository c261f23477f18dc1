import { expect, test } from 'vitest'
import { startLoginApp } from '../../support/login-app.ts'
import { ingress, oidcPlugin } from '../../support/manifests.ts'

test('peers 12: two routes share a session and require different groups; 403 never restarts login', async () => {
  const app = await startLoginApp()
  const spec = {
    issuer: app.authorizationServer.issuer,
    authMethods: ['session', 'authorization_code'],
    clientId: 'ostiary',
    clientSecretRef: { name: 'client' },
  }
  const guard = (name: string, group: string): object[] => [
    oidcPlugin(name, { ...spec, groupsRequired: [group] }),
    ingress({ name, path: `/${name}`, annotations: { 'ostiary.dev/plugins': name } }),
  ]
  app.apply({}, ...guard('everyone', 'Everyone'), ...guard('engineers', 'Engineering'))
  const { browser, authorizationServer } = app
  await browser.login('/everyone', 'bob@example.com')
  const logins = authorizationServer.faults.count('authorize')

  expect((await browser.navigate('/everyone')).status).toBe(200)
  for (let time = 0; time < 3; time += 1) {
    const refused = await browser.navigate('/engineers')
    expect([refused.status, refused.headers.get('location')]).toEqual([403, null])
    expect(refused.headers.getSetCookie().filter((cookie) => /=;/.test(cookie))).toEqual([])
    expect(await refused.text()).toContain('bob@example.com')
  }
  expect((await browser.script('/engineers')).status).toBe(403)
  expect((await browser.navigate('/everyone')).status).toBe(200)
  expect(authorizationServer.faults.count('authorize')).toBe(logins)
})
