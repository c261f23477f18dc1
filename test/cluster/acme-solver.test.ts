import { generate } from 'selfsigned'
import { Agent, request } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startEcho, type Echo } from '../../deploy/demo/echo-upstream.ts'
import { solverIngress, solverService } from '../support/acme-solver.ts'
import { clusterRequirement } from '../support/requirements.ts'
import { hostAddress } from './host-address.ts'
import { apply, createNamespace, installCrds, kubectl } from './kubectl.ts'
import { ingressClass, ingressFor, oidcPlugin, serviceTo, tlsSecret } from './objects.ts'
import { OstiaryProcess } from './ostiary-process.ts'

const HOST = 'shop.example.test'
const TOKEN = 'c2Zs-x_7Q0'
const SOLVER = 'cm-acme-http-solver-q8wzd'
const CHALLENGE = `/.well-known/acme-challenge/${TOKEN}`
const LIVE = { timeout: 20_000, interval: 25 }

describe.skipIf(clusterRequirement())('an HTTP-01 challenge on a cluster', () => {
  const address = hostAddress()
  const namespaces: string[] = []
  let namespace: string
  let strange: string
  let className: string
  let echo: Echo
  let ostiary: OstiaryProcess

  const status = async (path: string) => (await ostiary.get(HOST, path)).status
  const live = (path: string, expected: number) => expect.poll(() => status(path), LIVE).toBe(expected)

  beforeAll(async () => {
    await installCrds()
    namespace = await createNamespace('ostiary-acme')
    strange = await createNamespace('ostiary-acme-strange')
    namespaces.push(namespace, strange)
    className = namespace
    echo = await startEcho({ port: 0, host: address })
    await apply(namespace, ingressClass(className, 'ostiary.dev/ingress-controller'))
    for (const each of namespaces) await apply(each, solverService(SOLVER), ...slicesOf(SOLVER, echo.port))
    await apply(
      namespace,
      ...serviceTo('echo', address, echo.port),
      oidcPlugin('orders', { issuer: 'https://issuer.invalid', authMethods: ['bearer'], audience: ['shop'] }),
      ingressFor('shop', { className, host: HOST, plugins: 'orders', tls: 'shop-tls' }),
    )
    const flags = ['--namespace', namespace, '--watch-namespace', namespaces.join(',')]
    ostiary = new OstiaryProcess([...flags, '--ingress-class', className, '--require-plugin'])
    await ostiary.ready()
  })

  afterAll(async () => {
    ostiary?.kill()
    await echo?.close()
    if (className !== undefined) await kubectl(['delete', 'ingressclass', className, '--ignore-not-found'])
    for (const each of namespaces) await kubectl(['delete', 'namespace', each, '--wait=false'])
  })

  function slicesOf(service: string, port: number): object[] {
    return serviceTo(service, address, port).slice(1)
  }

  const solver = (options: Partial<Parameters<typeof solverIngress>[1]> = {}): object =>
    solverIngress(SOLVER, { host: HOST, token: TOKEN, service: SOLVER, className, ...options })
  const removeSolver = (where = namespace) => kubectl(['--namespace', where, 'delete', 'ingress', SOLVER])

  test.each([
    ['as cert-manager writes it', {}],
    ['with an exact path', { pathType: 'Exact' }],
    ['with its class in the annotation', { annotated: true }],
  ] as const)('is answered beside a guarded host that is on HTTPS: %s', async (_name, options) => {
    const { annotated, ...rest } = { annotated: false, ...options }
    const made = annotated
      ? solverIngress(SOLVER, { host: HOST, token: TOKEN, service: SOLVER, classAnnotation: className })
      : solver(rest)
    await live('/', 308)
    await apply(namespace, made)
    await live(CHALLENGE, 200)
    expect(await status('/')).toBe(308)
    expect(await status(`${CHALLENGE}x`)).toBe(308)
    expect(await status('/.well-known/acme-challenge/')).toBe(308)
    await removeSolver()
    await live(CHALLENGE, 308)
  })

  test('is not what an application is opened with', async () => {
    await apply(namespace, solver({ service: 'echo', port: 80 }))
    await live(CHALLENGE, 503)
    await removeSolver()
    await live(CHALLENGE, 308)
  })

  test('of another namespace is left out, since the host is not theirs', async () => {
    await apply(strange, solver())
    await apply(namespace, solver({ host: 'later.example.test' }))
    await expect.poll(async () => (await ostiary.get('later.example.test', CHALLENGE)).status, LIVE).toBe(200)
    // What came later by the same watch is live, so the former has been seen.
    expect(await status(CHALLENGE)).toBe(308)
    await removeSolver(strange)
    await removeSolver()
  })

  test('ends in a certificate that is served at once', async () => {
    await apply(namespace, solver())
    await live(CHALLENGE, 200)
    const { cert, private: key } = await generate([{ name: 'commonName', value: HOST }], {
      keyType: 'ec',
      algorithm: 'sha256',
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: HOST }] }],
    })
    await apply(namespace, tlsSecret('shop-tls', cert, key))
    await removeSolver()
    await live(CHALLENGE, 308)
    await expect.poll(() => statusOverTls(cert), LIVE).toBe(401)
  })

  /** Of a GET that trusts one certificate alone; or why there is none. */
  async function statusOverTls(ca: string): Promise<number | string> {
    const { https: port } = await ostiary.ports()
    const dispatcher = new Agent({ connect: { ca, servername: HOST } })
    try {
      const answer = await request(`https://127.0.0.1:${port}/`, { dispatcher, headers: { host: HOST } })
      await answer.body.dump()
      return answer.statusCode
    } catch (error) {
      return error instanceof Error ? error.message : 'failed'
    } finally {
      await dispatcher.close()
    }
  }
})
