import { describe, expect, test } from 'vitest'
import { LoginWorld, policyOf } from '../../auth/relying-party/login-fixture.ts'
import { ingress, oidcPlugin, secret, service, yaml } from '../../support/manifests.ts'
import { startOstiary } from '../../support/ostiary.ts'

const ISSUER = 'https://login.example.com'

async function compiled(domain: string, hosts: readonly string[]) {
  const ostiary = await startOstiary('')
  return ostiary.apply(
    yaml(
      ...service('echo', 1),
      secret('client', { clientSecret: 'x' }),
      oidcPlugin('login', {
        issuer: ISSUER,
        clientId: 'ostiary',
        clientSecretRef: { name: 'client' },
        sessionCookieDomain: domain,
      }),
      ...hosts.map((host, index) =>
        ingress({ name: `app-${index}`, host, annotations: { 'ostiary.dev/plugins': 'login' } }),
      ),
    ),
  )
}

describe('peers 14: one session for several hosts', () => {
  test('a login at one host of the cookie domain is one at the others', async () => {
    const session = { cookieDomain: 'example.com' }
    const world = new LoginWorld([policyOf({ session })])
    await world.login('https://app.example.com/orders')
    expect((await world.session('https://api.example.com/')).kind).toBe('session')
    expect((await world.session('https://example.org/')).kind).toBe('none')
  })

  test('a host that the domain does not cover is closed, the others are not', async () => {
    const { table, diagnostics } = await compiled('example.com', [
      'app.example.com',
      'example.org',
      'badexample.com',
    ])
    const actions = Object.fromEntries(
      table.virtualHosts.map(({ host, routes }) => [host, routes[0]?.action.kind]),
    )
    expect(actions).toEqual({
      'app.example.com': 'forward',
      'example.org': 'closed',
      'badexample.com': 'closed',
    })
    expect(diagnostics.filter(({ reason }) => reason === 'CookieDomainMismatch')).toHaveLength(2)
  })

  test('a domain of one label is refused', async () => {
    const { table } = await compiled('com', ['app.com'])
    expect(table.policies).toEqual({})
  })

  test('after a change of the domain the next login clears the cookie of this host alone', async () => {
    const hostOnly = policyOf()
    const world = new LoginWorld([hostOnly])
    await world.login('https://app.example.com/orders')
    const [before] = world.browser.names()
    expect(before).toMatch(/^__Host-/)

    const realm = 'f'.repeat(64)
    const widened = policyOf({
      session: { cookieDomain: 'example.com', realm, cookieName: 'ostiary_ffffffff' },
    })
    const later = new LoginWorld([widened], world.keys)
    Object.assign(later, { browser: world.browser })
    await later.login('https://app.example.com/orders')
    expect(world.browser.names()).not.toContain(before)
    expect((await later.session('https://app.example.com/orders')).kind).toBe('session')
  })

  test('the cookies of other realms that are still there stay', async () => {
    const policies = [policyOf({ id: 'shop/one' }), policyOf({ id: 'shop/two' })]
    const world = new LoginWorld(policies)
    await world.login('https://app.example.com/one', policies[0])
    const [first] = world.browser.names()
    await world.login('https://app.example.com/two', policies[1])
    expect(world.browser.names()).toContain(first)
  })
})
