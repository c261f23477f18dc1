import { expect, onTestFinished, test } from 'vitest'
import { startEcho } from '../../../deploy/demo/echo-upstream.ts'
import { ingress, oidcPlugin, secret, service, yaml } from '../../support/manifests.ts'
import { startOstiary } from '../../support/ostiary.ts'

const ISSUER = 'https://login.example.com/oauth2/default'
const WITH_SECRET = { issuer: ISSUER, clientId: 'app', clientSecretRef: { name: 'client' } }

interface Case {
  readonly name: string
  readonly plugins?: string
  readonly objects: readonly object[]
}

const UNLABELLED = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'client' },
  stringData: { clientSecret: 's' },
}

const CASES: readonly Case[] = [
  { name: 'its plugin is missing', objects: [] },
  {
    name: 'one of its plugins is missing',
    plugins: 'app, gone',
    objects: [oidcPlugin('app', { issuer: ISSUER })],
  },
  { name: 'its plugin is of a namespace that does not permit it', plugins: 'other/app', objects: [] },
  { name: 'its plugin has a field of a wrong type', objects: [oidcPlugin('app', { issuer: 7 })] },
  {
    name: 'its plugin has an unknown field',
    objects: [oidcPlugin('app', { issuer: ISSUER, groupRequired: ['staff'] })],
  },
  {
    name: 'its plugin has a method without its fields',
    objects: [oidcPlugin('app', { issuer: ISSUER, authMethods: ['introspection'] })],
  },
  {
    name: 'its plugin has an issuer over http',
    objects: [oidcPlugin('app', { issuer: 'http://a.example' })],
  },
  { name: 'its Secret is absent', objects: [oidcPlugin('app', WITH_SECRET)] },
  { name: 'its Secret lacks the label', objects: [oidcPlugin('app', WITH_SECRET), UNLABELLED] },
  {
    name: 'its Secret lacks the key',
    objects: [oidcPlugin('app', WITH_SECRET), secret('client', { other: 's' })],
  },
  {
    name: 'its private key is none',
    objects: [
      oidcPlugin('app', { issuer: ISSUER, clientId: 'app', clientKeySecretRef: { name: 'client' } }),
      secret('client', { privateKey: 'nonsense' }),
    ],
  },
  {
    name: 'its CA is none',
    objects: [
      oidcPlugin('app', { issuer: ISSUER, caSecretRef: { name: 'ca' } }),
      secret('ca', { 'ca.crt': 'nonsense' }),
    ],
  },
]

test('peers 17: a route whose plugin or Secret is missing or invalid answers 503, never the upstream', async () => {
  const echo = await startEcho({ port: 0 })
  onTestFinished(() => echo.close())
  const ostiary = await startOstiary('')
  const preflight = { origin: 'https://a.example', 'access-control-request-method': 'GET' }
  for (const { name, plugins = 'app', objects } of CASES) {
    const guarded = ingress({ annotations: { 'ostiary.dev/plugins': plugins }, path: '/guarded' })
    const open = ingress({ name: 'open', path: '/open' })
    ostiary.apply(yaml(...service('echo', echo.port), guarded, open, ...objects))
    const statusOf = async (path: string, init: RequestInit = {}): Promise<number> => {
      const response = await fetch(ostiary.url + path, init)
      await response.body?.cancel()
      return response.status
    }
    expect([name, await statusOf('/guarded')]).toEqual([name, 503])
    expect([name, await statusOf('/guarded/deeper', { method: 'POST', body: 'x' })]).toEqual([name, 503])
    expect([name, await statusOf('/guarded', { method: 'OPTIONS', headers: preflight })]).toEqual([name, 503])
    expect([name, await statusOf('/guarded', { headers: { authorization: 'Bearer x.y.z' } })]).toEqual([
      name,
      503,
    ])
    expect([name, await statusOf('/open')]).toEqual([name, 200])
  }
})
