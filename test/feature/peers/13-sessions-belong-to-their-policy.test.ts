import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { startLoginApp } from '../../support/login-app.ts'
import { ingress, oidcPlugin, secret, service, yaml } from '../../support/manifests.ts'
import { startOstiary } from '../../support/ostiary.ts'

const CLIENT = { clientId: 'ostiary', clientSecretRef: { name: 'client' } }

/** What makes a session another's: issuer, client, cookie settings, store. */
const identity = fc.record({
  issuer: fc.constantFrom('https://one.example.com', 'https://two.example.com', 'https://two.example.com/a'),
  clientId: fc.constantFrom('first', 'second'),
  sessionCookieName: fc.constantFrom('ostiary', 'shop'),
  sessionCookiePath: fc.constantFrom('/', '/shop'),
  sessionStorage: fc.constantFrom('cookie', 'redis'),
})

describe('peers 13: a session belongs to issuer, client and policy settings', () => {
  test('two plugins share sessions exactly where all of them are equal', async () => {
    const ostiary = await startOstiary('')
    fc.assert(
      fc.property(identity, identity, (one, other) => {
        const plugin = (name: string, fields: typeof one): object =>
          oidcPlugin(name, {
            ...CLIENT,
            ...fields,
            ...(fields.sessionStorage === 'redis' && { redis: { host: 'redis' } }),
          })
        const { table } = ostiary.apply(
          yaml(secret('client', { clientSecret: 'x' }), plugin('one', one), plugin('other', other)),
        )
        const [a, b] = ['default/one', 'default/other'].map((id) => table.policies[id]?.session)
        expect(a?.realm === b?.realm).toBe(JSON.stringify(one) === JSON.stringify(other))
        expect(a?.cookieName === b?.cookieName).toBe(a?.realm === b?.realm)
      }),
      { numRuns: 60 },
    )
  })

  test('two stores, or two places in one, never share them', async () => {
    const ostiary = await startOstiary('')
    const redis = { host: 'redis', database: 1 }
    const stores = [
      {},
      { sessionStorage: 'redis', redis },
      { sessionStorage: 'redis', redis: { ...redis, database: 2 } },
      { sessionStorage: 'redis', redis: { ...redis, prefix: 'shop:' } },
      { sessionStorage: 'redis', redis: { ...redis, host: 'other' } },
    ]
    const plugins = stores.map((store, index) =>
      oidcPlugin(`p${index}`, { ...CLIENT, issuer: 'https://one.example.com', ...store }),
    )
    const { table } = ostiary.apply(yaml(secret('client', { clientSecret: 'x' }), ...plugins))
    const realms = Object.values(table.policies).map(({ session }) => session.realm)
    expect(new Set(realms).size).toBe(stores.length)
  })

  test('plugins of two namespaces never share them', async () => {
    const ostiary = await startOstiary('')
    const fields = { ...CLIENT, issuer: 'https://one.example.com' }
    const inNamespace = (object: object, namespace: string): object => {
      const { metadata, ...rest } = object as { metadata: object }
      return { ...rest, metadata: { ...metadata, namespace } }
    }
    const { table } = ostiary.apply(
      yaml(
        ...['red', 'blue'].flatMap((namespace) => [
          inNamespace(secret('client', { clientSecret: 'x' }), namespace),
          inNamespace(oidcPlugin('login', fields), namespace),
        ]),
      ),
    )
    const [red, blue] = ['red/login', 'blue/login'].map((id) => table.policies[id]?.session.realm)
    expect(red).toBeDefined()
    expect(red).not.toBe(blue)
  })

  test('a session of one client is none at a route of another client, whatever its name', async () => {
    const { browser, ostiary, authorizationServer, apply } = await startLoginApp()
    apply(
      {},
      oidcPlugin('other', {
        issuer: authorizationServer.issuer,
        authMethods: ['session'],
        clientId: 'orders-service',
        clientSecretRef: { name: 'client' },
      }),
      ...service('second', 1),
      ingress({ name: 'other', path: '/other', annotations: { 'ostiary.dev/plugins': 'other' } }),
    )
    await browser.login('/app')
    expect((await browser.navigate('/app')).status).toBe(200)
    expect((await browser.navigate('/other')).status).toBe(401)
    const { table } = ostiary.result()
    const name = table.policies['default/other']?.session.cookieName
    const own = browser.jar.header(new URL(ostiary.url))
    const renamed = own.replaceAll(/ostiary_[0-9a-f]{8}(?=_os_)/g, name ?? '')
    expect(renamed).not.toBe(own)
    expect((await browser.send('/other', { headers: { cookie: renamed } })).status).toBe(401)
  })
})
