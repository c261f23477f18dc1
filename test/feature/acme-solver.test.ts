import { request } from 'undici'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startEcho } from '../../deploy/demo/echo-upstream.ts'
import type { CompileOptions } from '../../src/compiler/options.ts'
import { solverIngress, solverService, type SolverIngressOptions } from '../support/acme-solver.ts'
import { ingress, oidcPlugin, service, yaml } from '../support/manifests.ts'
import { startOstiary } from '../support/ostiary.ts'

const HOST = 'app.example.test'
const TOKEN = 'JpL4-o_Qb7'
const CHALLENGE = `/.well-known/acme-challenge/${TOKEN}`
const SOLVER = 'cm-acme-http-solver-x7k2p'

function guardedApp(): object {
  const made = ingress({ host: HOST, annotations: { 'ostiary.dev/plugins': 'orders' } }) as { spec: object }
  return { ...made, spec: { ...made.spec, tls: [{ hosts: [HOST], secretName: 'not-issued-yet' }] } }
}

/** A guarded, TLS-redirected host, and what else is given. */
async function start(options: Partial<CompileOptions>, ...objects: readonly object[]) {
  const echo = await startEcho({ port: 0 })
  onTestFinished(() => echo.close())
  const [, slice] = service(SOLVER, echo.port)
  const ostiary = await startOstiary(
    yaml(
      ...service('echo', echo.port),
      oidcPlugin('orders', {
        issuer: 'https://issuer.example.test',
        authMethods: ['bearer'],
        audienceRequired: ['api://orders'],
      }),
      guardedApp(),
      solverService(SOLVER),
      slice ?? {},
      ...objects,
    ),
    { compile: options },
  )
  return async (path: string): Promise<number> => {
    const { statusCode, body } = await request(`${ostiary.url}${path}`, { headers: { host: HOST } })
    await body.dump()
    return statusCode
  }
}

const solver = (options: Partial<SolverIngressOptions> = {}): object =>
  solverIngress(SOLVER, { host: HOST, token: TOKEN, service: SOLVER, ...options })

describe.each([
  ['nothing more', {}],
  ['--require-plugin', { requirePlugin: true }],
  ['--default-plugins', { defaultPlugins: ['default/orders'] }],
  ['both', { requirePlugin: true, defaultPlugins: ['default/orders'] }],
])('with %s', (_name, options) => {
  test.each(['ImplementationSpecific', 'Exact'] as const)(
    'a challenge (%s) is answered over plain HTTP beside a guarded host on HTTPS',
    async (pathType) => {
      const status = await start(options, solver({ pathType }))
      expect(await status(CHALLENGE)).toBe(200)
      for (const path of [
        '/',
        '/.well-known/acme-challenge',
        '/.well-known/acme-challenge/another',
        '/.well-known',
      ]) {
        expect([path, await status(path)]).toEqual([path, 308])
      }
    },
  )
})

describe.each([
  ['--require-plugin', { requirePlugin: true }, 503],
  ['--default-plugins', { defaultPlugins: ['default/orders'] }, 401],
])('%s is not got round', (_name, options, refused) => {
  test('by a solver Ingress of an application', async () => {
    const status = await start(options, solver({ service: 'echo', port: 80 }))
    expect(await status(CHALLENGE)).toBe(refused)
  })

  test('by a solver Ingress that sends its requests elsewhere', async () => {
    const made = solver() as { metadata: { annotations: object } }
    const annotations = { ...made.metadata.annotations, 'ostiary.dev/allow-double-slash': 'true' }
    const status = await start(options, { ...made, metadata: { ...made.metadata, annotations } })
    expect(await status(CHALLENGE)).toBe(refused)
  })

  test('by a solver Service that sends its requests elsewhere', async () => {
    const made = solverService('canary-solver') as { metadata: object }
    const annotations = { 'ostiary.dev/canary-service': 'echo', 'ostiary.dev/canary-weight': '100' }
    const [, slice] = service('canary-solver', 1)
    const status = await start(
      options,
      { ...made, metadata: { ...made.metadata, annotations } },
      slice ?? {},
      solver({ service: 'canary-solver' }),
    )
    expect(await status(CHALLENGE)).toBe(refused)
  })

  test.each(['a/b', 'a.b', 'a%2561', '../../x', ''])('by the token %j', async (token) => {
    const status = await start(options, solver({ token }))
    expect(await status(`/.well-known/acme-challenge/${token}`)).not.toBe(200)
    expect(await status('/x')).not.toBe(200)
  })

  test('by a solver Ingress of another namespace', async () => {
    const made = solver() as { metadata: object }
    const theirs = { ...made, metadata: { ...made.metadata, namespace: 'mallory' } }
    const there = solverService(SOLVER) as { metadata: object }
    const status = await start(options, theirs, {
      ...there,
      metadata: { ...there.metadata, namespace: 'mallory' },
    })
    expect(await status(CHALLENGE)).toBe(308)
  })
})

test('public in the ingressTemplate opens what is no cert-manager solver', async () => {
  const made = solver({ service: 'echo', port: 80 }) as { metadata: object }
  const open = { ...made, metadata: { ...made.metadata, annotations: { 'ostiary.dev/public': 'true' } } }
  const status = await start({ requirePlugin: true }, open)
  expect(await status(CHALLENGE)).toBe(200)
})
