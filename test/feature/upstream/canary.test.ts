import { describe, expect, test } from 'vitest'
import { ingress, oidcPlugin, yaml } from '../../support/manifests.ts'
import { startOstiary } from '../../support/ostiary.ts'
import { get, httpUpstream, ours, send, serviceOn } from './support.ts'

interface Case {
  readonly main?: Record<string, string>
  readonly canary?: Record<string, string>
  readonly onIngress?: Record<string, string>
  readonly more?: readonly object[]
  /** Without its Service. */
  readonly missing?: boolean
}

const CANARY = { 'canary-service': 'web-next' }
const PLUGIN = oidcPlugin('login', {
  issuer: 'https://issuer.example',
  authMethods: ['bearer'],
  audienceRequired: ['api'],
})

async function both(of: Case) {
  const seen = { main: 0, canary: 0 }
  const main = await httpUpstream((request, response) => {
    seen.main += 1
    response.end(`main ${String(request.headers['x-groups'] ?? '')}`)
  })
  const canary = await httpUpstream((request, response) => {
    seen.canary += 1
    response.end(`canary ${String(request.headers['x-groups'] ?? '')}`)
  })
  const ostiary = await startOstiary(
    yaml(
      ...serviceOn('web', [main], { ...CANARY, ...of.main }),
      ...(of.missing === true ? [] : serviceOn('web-next', [canary], of.canary)),
      ingress({ host: 'app.example', service: 'web', annotations: ours(of.onIngress ?? {}) }),
      ...(of.more ?? []),
    ),
  )
  return { ostiary, seen }
}

async function times(count: number, port: number, headers: Record<string, string> = {}): Promise<void> {
  for (let i = 0; i < count; i += 1) expect((await send(port, get(headers))).status).toBe(200)
}

describe('a canary', () => {
  test.each([
    [0, 0],
    [1, 1],
    [25, 25],
    [99, 99],
    [100, 100],
  ])('of weight %i gets so many of a hundred', async (weight, expected) => {
    const { ostiary, seen } = await both({ main: { 'canary-weight': String(weight) } })
    await times(100, ostiary.port)
    expect(seen).toEqual({ main: 100 - expected, canary: expected })
  })

  test('by header: always and never decide, anything else is left to the weight', async () => {
    const { ostiary, seen } = await both({ main: { 'canary-weight': '0', 'canary-header': 'X-Canary' } })
    await times(2, ostiary.port, { 'x-canary': 'always' })
    expect(seen).toEqual({ main: 0, canary: 2 })
    await times(2, ostiary.port, { 'X-CANARY': 'never' })
    await times(2, ostiary.port, { 'X-Canary': 'perhaps' })
    expect(seen).toEqual({ main: 4, canary: 2 })
    const full = await both({ main: { 'canary-weight': '100', 'canary-header': 'X-Canary' } })
    await times(2, full.ostiary.port, { 'X-Canary': 'never' })
    expect(full.seen).toEqual({ main: 2, canary: 0 })
  })

  test('by the value of a header', async () => {
    const { ostiary, seen } = await both({
      main: { 'canary-header': 'X-Region', 'canary-header-value': 'north' },
    })
    await times(1, ostiary.port, { 'X-Region': 'north' })
    await times(1, ostiary.port, { 'X-Region': 'always' })
    await times(1, ostiary.port)
    expect(seen).toEqual({ main: 2, canary: 1 })
  })

  test('with session affinity keeps a client on its side, until it is taken back', async () => {
    const affinity = { 'session-affinity': 'cookie' }
    const { ostiary, seen } = await both({
      main: { 'canary-weight': '50', 'canary-header': 'X-Canary', ...affinity },
      canary: affinity,
    })
    for (const side of ['always', 'never']) {
      const first = await send(ostiary.port, get({ 'X-Canary': side }))
      const Cookie = first.headers['set-cookie']?.split(';')[0] ?? ''
      for (let i = 0; i < 6; i += 1) expect((await send(ostiary.port, get({ Cookie }))).body).toBe(first.body)
    }
    expect(seen).toEqual({ main: 7, canary: 7 })
    const back = await both({
      main: { 'canary-weight': '0', 'canary-header': 'X-Canary', ...affinity },
      canary: affinity,
    })
    const last = await send(back.ostiary.port, get({ 'X-Canary': 'always' }))
    expect(last.body).toBe('canary ')
    await times(3, back.ostiary.port, { Cookie: last.headers['set-cookie']?.split(';')[0] ?? '' })
    expect(back.seen).toEqual({ main: 3, canary: 1 })
  })

  test('without an endpoint or a Service gets nothing, and nobody is the worse for it', async () => {
    const missing = await both({ main: { 'canary-weight': '100' }, missing: true })
    await times(3, missing.ostiary.port)
    expect(missing.seen).toEqual({ main: 3, canary: 0 })
    expect(missing.ostiary.result().diagnostics).toMatchObject([
      { severity: 'warning', reason: 'CanaryUnavailable', object: { kind: 'Service', name: 'web' } },
    ])
  })

  test('treats its requests as its own Service says', async () => {
    const { ostiary, seen } = await both({
      main: { 'canary-weight': '100' },
      canary: { 'backend-protocol': 'H2C' },
    })
    expect((await send(ostiary.port, get())).status).toBe(502)
    expect(seen).toEqual({ main: 0, canary: 0 })
  })
})

describe('the guard of a route with a canary', () => {
  const ALWAYS = { 'canary-weight': '100', 'canary-header': 'X-Canary' }

  test.each([
    ['of the Ingress', { onIngress: { plugins: 'login' } }],
    ['of the Service', { main: { plugins: 'login' } }],
    ['of the canary', { canary: { plugins: 'login' } }],
    ['of Ingress and canary', { onIngress: { plugins: 'login' }, canary: { plugins: 'login' } }],
  ])('%s holds on both sides', async (_, guarded) => {
    const { ostiary, seen } = await both({
      ...guarded,
      main: { ...ALWAYS, ...('main' in guarded ? guarded.main : {}) },
      more: [PLUGIN],
    })
    for (const side of ['always', 'never', 'perhaps']) {
      expect((await send(ostiary.port, get({ 'X-Canary': side }))).status).toBe(401)
    }
    expect(seen).toEqual({ main: 0, canary: 0 })
  })

  test.each([
    ['of a plugin that is missing', { canary: { plugins: 'missing' } }],
    [
      'of another plugin than the Ingress names',
      { onIngress: { plugins: 'login' }, canary: { plugins: 'other' } },
    ],
    [
      'of another plugin than the Service names',
      { main: { plugins: 'login' }, canary: { plugins: 'other' } },
    ],
    ['of a typo', { canary: { plugin: 'login' } }],
    ['of a bad value', { canary: { 'read-timeout': 'soon' } }],
  ])('is closed by a canary %s, never open', async (_, broken) => {
    const other = { ...PLUGIN, metadata: { name: 'other' } }
    const { ostiary, seen } = await both({
      ...broken,
      main: { ...ALWAYS, ...('main' in broken ? broken.main : {}) },
      more: [PLUGIN, other],
    })
    for (const side of ['always', 'never']) {
      expect((await send(ostiary.port, get({ 'X-Canary': side }))).status).toBe(503)
    }
    expect(seen).toEqual({ main: 0, canary: 0 })
  })

  test('is closed by a canary that another controller protects, even where the Ingress is public', async () => {
    const { ostiary, seen } = await both({ main: ALWAYS, onIngress: { public: 'true' } })
    await times(1, ostiary.port)
    expect(seen).toEqual({ main: 0, canary: 1 })
    const foreign = serviceOn('web-next', [1]).map((each) => ({
      ...each,
      ...('spec' in each && {
        metadata: { name: 'web-next', annotations: { 'konghq.com/plugins': 'theirs' } },
      }),
    }))
    const closed = await both({ main: ALWAYS, onIngress: { public: 'true' }, missing: true, more: foreign })
    expect((await send(closed.ostiary.port, get())).status).toBe(503)
  })

  test('removes what plugins map on either Service, from requests to both', async () => {
    const mapping = {
      ...PLUGIN,
      spec: {
        ...(PLUGIN as { spec: object }).spec,
        upstreamHeadersClaims: ['groups'],
        upstreamHeadersNames: ['X-Groups'],
      },
    }
    const { ostiary } = await both({
      main: { 'canary-header': 'X-Canary' },
      more: [
        mapping,
        ingress({
          name: 'guarded',
          host: 'guarded.example',
          service: 'web-next',
          annotations: ours({ plugins: 'login' }),
        }),
      ],
    })
    for (const [side, body] of [
      ['always', 'canary '],
      ['never', 'main '],
    ] as const) {
      expect((await send(ostiary.port, get({ 'X-Canary': side, 'X-Groups': 'admins' }))).body).toBe(body)
    }
  })

  test.each([
    ['weight without a Service', { 'canary-weight': '10', 'canary-service': '' }],
    ['weight above all', { 'canary-weight': '101' }],
    ['header that is none', { 'canary-header': 'X Canary' }],
    ['value without a header', { 'canary-header-value': 'x' }],
    ['Service of another namespace', { 'canary-service': 'other/web' }],
  ])('is closed by a %s', async (_, main) => {
    const { ostiary, seen } = await both({ main })
    expect((await send(ostiary.port, get())).status).toBe(503)
    expect(seen).toEqual({ main: 0, canary: 0 })
  })

  test('no Ingress can add a canary', async () => {
    const { ostiary, seen } = await both({ onIngress: { 'canary-service': 'web-next' } })
    expect((await send(ostiary.port, get())).status).toBe(503)
    expect(seen).toEqual({ main: 0, canary: 0 })
  })
})
