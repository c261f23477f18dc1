import { describe, expect, test } from 'vitest'
import type {
  Answer,
  ServerMetadata,
} from '../../src/auth/authorization-server/authorization-server-client.ts'
import { STEPS } from '../../src/explain/passed-steps.ts'
import { ISSUER } from '../support/a-policy.ts'
import { FakeAuthorizationServerClient } from '../support/fake-authorization-server-client.ts'
import { ingress, oidcPlugin, secret, service, yaml } from '../support/manifests.ts'
import { Signer } from '../support/signed-tokens.ts'
import { compile } from '../../src/compiler/compile.ts'
import { createAuthorizer } from '../../src/auth/create-authorizer.ts'
import { explainedSnapshot } from '../../src/explain/explained-snapshot.ts'
import { readQuestion } from '../../src/explain/question.ts'
import { rehearseRequest } from '../../src/proxy/rehearsal.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { resourcesOf } from './differential.ts'
import { explainTo, NOW_MS } from './setup.ts'
import { FILE_OPTIONS } from '../compiler/manifests.ts'

const HOST = 'app.test'
const CLIENT = { clientId: 'the-app', clientSecretRef: { name: 'client' } }
const client = secret('client', { clientSecret: 'the-client-secret' })
const login = oidcPlugin('login', { issuer: ISSUER, audience: ['api://default'], ...CLIENT })
const guarded = ingress({ host: HOST, annotations: { 'ostiary.dev/plugins': 'login' } })
const objects = [...service('echo', 8080), client, login, guarded]

/** Knows the metadata. */
class KnownServer extends FakeAuthorizationServerClient {
  override async metadata(): Promise<Answer<ServerMetadata>> {
    return {
      ok: true,
      value: {
        issuer: ISSUER,
        authorizationEndpoint: `${ISSUER}/v1/authorize`,
        tokenEndpoint: `${ISSUER}/v1/token`,
        codeChallengeMethods: ['S256'],
        issParameterSupported: true,
      },
    }
  }
}

describe('what is told of a request', () => {
  test('is no value of a field, of a parameter or of a token, but for a few claims', async () => {
    const signer = await Signer.create('k')
    const token = await signer.token(NOW_MS, { sub: 'alice@example.com', email: 'alice@example.com' })
    const explanation = await explainTo(objects, {
      url: `https://${HOST}/reports?ticket=hush-hush`,
      headers: [`Authorization: Bearer ${token}`, 'X-Api-Key: hush-hush', 'Cookie: theirs=hush-hush'],
    })
    const printed = JSON.stringify(explanation)
    for (const hidden of ['hush-hush', 'alice@example.com', ...token.split('.'), 'the-client-secret']) {
      expect(printed).not.toContain(hidden)
    }
    expect(explanation.request).toMatchObject({
      path: '/reports',
      queryParameters: ['ticket'],
      headers: ['Authorization', 'X-Api-Key', 'Cookie'],
    })
    expect(explanation.credentials).toEqual(
      expect.arrayContaining([
        `iss: ${ISSUER}`,
        'aud: api://default',
        'exp: 2026-01-01T01:00:00Z',
        expect.stringMatching(/other claims: .*sub/),
      ]),
    )
  })

  test('of a login is where it leads, without state, nonce and cookies', async () => {
    const { outcome, flows } = await explainTo(
      objects,
      { url: `https://${HOST}/`, headers: ['Accept: text/html'] },
      { client: new KnownServer() },
    )
    expect(outcome).toMatchObject({ kind: 'answered', status: 302, reason: 'login' })
    const told = outcome.kind === 'answered' ? outcome.headers : []
    expect(told[0]).toMatch(
      /^Location: https:\/\/login\.example\.com\/oauth2\/default\/v1\/authorize with .*state/,
    )
    expect(told.join('\n')).not.toContain('=')
    expect(flows.at(-1)).toMatchObject({ flow: 'authorization_code', verdict: 'redirect', status: 302 })
  })
})

describe('what is asked', () => {
  test('offline is nothing, and what would be is told', async () => {
    const fake = new FakeAuthorizationServerClient()
    const words = { url: `https://${HOST}/`, headers: ['Authorization: Basic eDp5'] }
    const { outcome, flows } = await explainTo(objects, words, { client: fake, isOffline: true })
    expect(outcome).toEqual({
      kind: 'unknown',
      wouldAsk: [`${ISSUER} for a token with the client's credentials`],
    })
    expect(fake.grants).toEqual([])
    expect(flows.map(({ flow, verdict }) => [flow, verdict])).toContainEqual([
      'client_credentials',
      'unknown',
    ])
    expect(flows.map(({ flow, verdict }) => [flow, verdict])).toContainEqual(['bearer', 'refuse'])
  })

  test('is asked once, however many flows want to know', async () => {
    const fake = new FakeAuthorizationServerClient()
    fake.onGrant = () => ({ ok: false, kind: 'refused', error: 'invalid_client' })
    const words = { url: `https://${HOST}/`, headers: ['Authorization: Basic eDp5'] }
    const { outcome } = await explainTo(objects, words, { client: fake })
    expect(outcome).toMatchObject({ status: 401, reason: 'invalid_client' })
    expect(fake.grants).toHaveLength(1)
  })

  test('uses nothing up: no code, no refresh token, no session', async () => {
    const fake = new KnownServer()
    const cookie = 'Cookie: __Host-session_0123abcd_os_0=sealed; __Secure-session_0123abcd_os_f1=sealed'
    const paths = ['/', '/oauth2/callback?code=c&state=s', '/oauth2/sign_out', '/oauth2/userinfo']
    for (const path of paths) {
      const words = { url: `https://${HOST}${path}`, headers: [cookie] }
      const { assumptions } = await explainTo(objects, words, { client: fake })
      expect(assumptions.join()).toContain('Sessions are not opened here')
    }
    expect([fake.refreshes, fake.revocations, fake.userInfoCalls]).toEqual([[], [], []])
  })

  test('is not Redis: sessions there are left alone', async () => {
    const plugin = oidcPlugin('login', {
      issuer: ISSUER,
      ...CLIENT,
      sessionStorage: 'redis',
      redis: { host: '127.0.0.1', port: 1 },
    })
    const all = [...service('echo', 8080), client, plugin, guarded]
    const page = await explainTo(all, { url: `https://${HOST}/`, headers: ['Cookie: a=b'] })
    expect(page.outcome).toMatchObject({ status: 401 })
    const logout = { method: 'POST', url: `https://${HOST}/oauth2/backchannel_logout` }
    expect((await explainTo(all, logout)).outcome).toEqual({
      kind: 'unknown',
      wouldAsk: ['Redis for the sessions to end'],
    })
  })
})

describe('the way of a request', () => {
  test('names Ingress, rule, plugin, upstream and endpoints', async () => {
    const open = ingress({ host: HOST, path: '/open', annotations: { 'ostiary.dev/public': 'true' } })
    const { outcome, steps, flows } = await explainTo([...service('echo', 8080), open], {
      url: `https://${HOST}/open/a`,
    })
    expect(outcome).toEqual({ kind: 'forwarded', upstream: 'default/echo/80', path: '/open/a' })
    expect(Object.fromEntries(steps.map(({ step, found }) => [step, found]))).toMatchObject({
      route: 'Ingress default/app: Prefix /open to Service echo',
      guard: 'no plugin guards this route: it is open',
      upstream: 'sent to default/echo/80, 1 ready endpoint, over HTTP',
    })
    expect(flows).toEqual([])
  })

  test('of a closed route ends there, with the reason, the diagnostic and its remedy', async () => {
    const typo = ingress({ host: HOST, annotations: { 'ostiary.dev/plugins': 'longin' } })
    const { outcome, steps, diagnostics } = await explainTo([...service('echo', 8080), client, login, typo], {
      url: `https://${HOST}/`,
    })
    expect(outcome).toMatchObject({ status: 503, reason: 'PluginNotFound', fix: expect.stringMatching(/\S/) })
    expect(steps.at(-1)).toMatchObject({ step: 'guard', verdict: 'answered' })
    expect(diagnostics.map(({ reason }) => reason)).toContain('PluginNotFound')
  })

  test('has a plugin that was refused among its diagnostics', async () => {
    const broken = oidcPlugin('login', { issuer: ISSUER, clientID: 'typo' })
    const { outcome, diagnostics } = await explainTo([...service('echo', 8080), broken, guarded], {
      url: `https://${HOST}/`,
    })
    expect(outcome).toMatchObject({ status: 503, reason: 'PluginInvalid' })
    expect(diagnostics.map(({ object }) => `${object.kind} ${object.name}`)).toEqual(
      expect.arrayContaining(['OIDCPlugin login', 'Ingress app']),
    )
  })

  test('tells whose rules for the host do not count', async () => {
    const open = { 'ostiary.dev/public': 'true' }
    const squatter = ingress({ name: 'z', host: HOST, path: '/mine', annotations: open }) as {
      metadata: object
    }
    const all = [
      ...service('echo', 8080),
      ingress({ host: HOST, annotations: open }),
      { ...squatter, metadata: { ...squatter.metadata, namespace: 'elsewhere' } },
    ]
    const { outcome, diagnostics } = await explainTo(all, { url: `https://${HOST}/mine` })
    expect(outcome).toMatchObject({ kind: 'forwarded', upstream: 'default/echo/80' })
    expect(diagnostics.map(({ reason, object }) => `${reason} ${object.namespace}/${object.name}`)).toEqual([
      'HostNotOwned elsewhere/z',
    ])
  })

  test('tells every step that the pipeline has in words', async () => {
    const open = ingress({ host: HOST, annotations: { 'ostiary.dev/public': 'true' } })
    const { table, secrets, ...rest } = compile(
      resourcesOf(yaml(...service('echo', 8080), open)),
      FILE_OPTIONS,
    )
    const clock = new ManualClock(NOW_MS)
    const { steps } = await rehearseRequest(readQuestion({ url: `https://${HOST}/` }).request, {
      snapshot: explainedSnapshot({ table, secrets, ...rest }, 'A'.repeat(43)),
      clock,
      authorizer: createAuthorizer({
        clock,
        authorizationServers: new FakeAuthorizationServerClient(),
        randomBytes: (size) => Buffer.alloc(size),
      }),
    })
    expect(steps.at(-1)).toBe('forward')
    expect(steps.toSorted()).toEqual(Object.keys(STEPS).toSorted())
  })

  test('believes X-Forwarded-Proto of trusted proxies alone, and says so', async () => {
    const https = ingress({
      host: HOST,
      annotations: { 'ostiary.dev/public': 'true', 'ostiary.dev/ssl-redirect': 'true' },
    })
    const words = { url: `http://${HOST}/`, headers: ['X-Forwarded-Proto: https'], from: '10.1.2.3' }
    const all = [...service('echo', 8080), https]
    const stranger = await explainTo(all, words)
    expect(stranger.outcome).toMatchObject({ status: 308 })
    expect(stranger.assumptions.join()).toContain('--trusted-proxies')
    const proxy = await explainTo(all, words, { trustedProxies: ['10.0.0.0/8'] })
    expect(proxy.outcome.kind).toBe('forwarded')
    expect(proxy.assumptions).toEqual([])
  })
})

describe('what comes near', () => {
  const open = { 'ostiary.dev/public': 'true' }
  const found = async (url: string, ...all: readonly object[]): Promise<string[]> => {
    const { nearMisses } = await explainTo([...service('echo', 8080), ...all], { url })
    return nearMisses.map(({ name, why }) => `${name} ${why}`)
  }

  test('are hosts that are spelt nearly so, and wildcards that stand for one label', async () => {
    const all = [
      ingress({ name: 'a', host: 'shop.test', annotations: open }),
      ingress({ name: 'b', host: '*.example.test', annotations: open }),
    ]
    expect(await found('https://shpo.test/', ...all)).toContainEqual(
      expect.stringMatching(/^shop\.test is spelt/),
    )
    expect(await found('https://a.b.example.test/', ...all)).toContainEqual(
      expect.stringMatching(/^\*\.example\.test stands for one label/),
    )
    expect(await found('https://example.test/', ...all)).toContainEqual(
      expect.stringMatching(/^\*\.example\.test .* not for the domain itself/),
    )
  })

  test('are Ingresses that do not count, and why', async () => {
    const nginx = ingress({ name: 'a', host: 'a.test' }) as { spec: object }
    const other = { ...nginx, spec: { ...nginx.spec, ingressClassName: 'nginx' } }
    expect(await found('https://a.test/', other)).toEqual([
      'default/a does not count: there is no IngressClass nginx; see --ingress-class',
    ])
    const going = ingress({ name: 'b', host: 'b.test' })
    const terminating = {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'default' },
      status: { phase: 'Terminating' },
    }
    expect(await found('https://b.test/', going, terminating)).toEqual([
      'default/b does not count: namespace default is being deleted',
    ])
  })

  test('are other routes of the host, the nearest first', async () => {
    const misses = await found(
      `https://${HOST}/apis`,
      ingress({ name: 'a', host: HOST, path: '/api', annotations: open }),
      ingress({ name: 'b', host: HOST, path: '/APIS', annotations: open }),
      ingress({ name: 'c', host: HOST, path: '/web', annotations: open }),
    )
    expect(misses[0]).toMatch(/^Prefix \/APIS .* upper and lower case/)
    expect(misses[1]).toMatch(/^Prefix \/api .* whole segments only/)
    expect(misses[2]).toMatch(/^Prefix \/web .* not how the path begins/)
  })

  test('is a shorter path that lost to the one that was taken, and nothing else', async () => {
    const misses = await found(
      `https://${HOST}/api/v1`,
      ingress({ name: 'a', host: HOST, path: '/api/v1', annotations: open }),
      ingress({ name: 'b', host: HOST, path: '/api', annotations: open }),
      ingress({ name: 'c', host: HOST, path: '/web', annotations: open }),
    )
    expect(misses).toEqual([expect.stringMatching(/^Prefix \/api .* the longer path wins/)])
  })
})
