import { describe, expect, onTestFinished, test } from 'vitest'
import { startEcho } from '../../../deploy/demo/echo-upstream.ts'
import { yaml } from '../../support/manifests.ts'
import { startOstiary, type Ostiary } from '../../support/ostiary.ts'
import { createDefaultCertificate } from '../../../src/proxy/default-certificate.ts'
import { backendsOf, certificateSecret, ingressOf, servicePort } from './objects.ts'
import { roundTrip, runScenario, type Exposed } from './round-trip.ts'
import {
  HOST_RULES,
  INGRESS_CLASS,
  LOAD_BALANCING,
  PATH_RULES,
  REQUEST_FEATURES,
  type ConformanceBackend,
  type ConformanceFeature,
} from './scenarios.ts'

interface Running extends Exposed {
  readonly ostiary: Ostiary
}

/** Ostiary on the Ingress of a feature, with an echo for each endpoint of its Services. */
async function start(feature: ConformanceFeature, endpoints = 1): Promise<Running> {
  const services = await Promise.all(backendsOf(feature).map((each) => echoes(feature, each, endpoints)))
  const secrets = feature.tlsHost === undefined ? [] : [await certificateSecret(feature.tlsHost)]
  const manifests = yaml(INGRESS_CLASS_OBJECT, ingressOf(feature, 'ostiary'), ...services.flat(), ...secrets)
  const ostiary = await startOstiary(manifests, {
    proxy: {
      https: { host: '127.0.0.1', port: 0 },
      defaultCertificate: await createDefaultCertificate(new Date()),
    },
  })
  return { ostiary, address: '127.0.0.1', ports: { http: ostiary.port, https: ostiary.httpsPort ?? 0 } }
}

const INGRESS_CLASS_OBJECT = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'IngressClass',
  metadata: { name: 'ostiary' },
  spec: { controller: 'ostiary.dev/ingress-controller' },
}

/** A Service and its endpoints. A slice has one list of ports, so that each endpoint is a slice of its own here. */
async function echoes(
  feature: ConformanceFeature,
  backend: ConformanceBackend,
  endpoints: number,
): Promise<object[]> {
  const { port, service } = backend
  const identity = { namespace: 'default', ingress: feature.ingress, service }
  const slices = Array.from({ length: endpoints }, async (_, index) => {
    const name = `${service}-${index}`
    const echo = await startEcho({ port: 0, host: '127.0.0.1', ...identity, pod: name })
    onTestFinished(() => echo.close())
    return {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name, labels: { 'kubernetes.io/service-name': service } },
      addressType: 'IPv4',
      endpoints: [{ addresses: ['127.0.0.1'] }],
      ports: [{ name: typeof port === 'string' ? port : '', port: echo.port }],
    }
  })
  const spec = { ports: [servicePort(backend, 3000)] }
  return [
    { apiVersion: 'v1', kind: 'Service', metadata: { name: service }, spec },
    ...(await Promise.all(slices)),
  ]
}

describe.each(REQUEST_FEATURES)('$name', (feature) => {
  test.each(feature.scenarios)('$name', async (scenario) => {
    await runScenario(await start(feature), scenario)
  })
})

describe('ingress_class', () => {
  test('an Ingress of a class that nobody has gets no address and serves nothing', async () => {
    const running = await start(INGRESS_CLASS)
    // Addresses are written for these alone.
    expect(running.ostiary.result().ingresses).toEqual([])
    for (const scenario of INGRESS_CLASS.scenarios) await runScenario(running, scenario)
  })
})

describe('load_balancing', () => {
  test('of ten endpoints none is missed', async () => {
    const { endpoints, feature, request, requests } = LOAD_BALANCING
    const running = await start(feature, endpoints)
    const pods = new Set<string | undefined>()
    for (let sent = 0; sent < requests; sent += 1) {
      const { captured, status } = await roundTrip(running, request)
      expect(status).toBe(200)
      pods.add(captured?.pod)
    }
    expect(pods.size).toBe(endpoints)
  })
})

test('the table has the 30 executions of the suite', () => {
  // And one each of ingress_class and load_balancing.
  expect(REQUEST_FEATURES.map(({ scenarios }) => scenarios.length)).toEqual([6, 6, 16])
})

describe('beyond the suite', () => {
  test.each([
    ['path', 'mixed-path-rules', '/foo/bar', 'foo-prefix'],
    ['path', 'trailing-slash-path-rules', '/foo/', 'foo-slash-exact'],
    ['path', 'trailing-slash-path-rules', '/aaa/bbbccc', undefined],
    ['host', 'FOO.bar.com', '/', 'foo-bar-com'],
    ['host', 'foo.bar.com', '/any/path', 'foo-bar-com'],
    ['host', '.foo.com', '/', undefined],
  ])('by %s: %s%s', async (by, host, path, service) => {
    const request = { scheme: 'https', method: 'GET', host, path } as const
    const { status, captured } = await roundTrip(
      await start(by === 'path' ? PATH_RULES : HOST_RULES),
      request,
    )
    const refused = host.startsWith('.') ? 400 : 404
    expect([status, captured?.service]).toEqual([service === undefined ? refused : 200, service])
  })
})
