import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { backendsOf, certificateSecret, ingressOf, servicePort } from '../conformance/ingress/objects.ts'
import { roundTrip, runScenario, type Exposed } from '../conformance/ingress/round-trip.ts'
import {
  INGRESS_CLASS,
  LOAD_BALANCING,
  REQUEST_FEATURES,
  type ConformanceFeature,
} from '../conformance/ingress/scenarios.ts'
import { clusterRequirement } from '../support/requirements.ts'
import { echoPods, echoSource } from './echo-pods.ts'
import { helm, helmRequirement, installChart } from './helm.ts'
import { apply, createNamespace, getJson, installCrds, kubectl } from './kubectl.ts'

const RELEASE = 'conformance'
const LIVE = { timeout: 60_000, interval: 100 }

/**
 * The scenarios of ingress-controller-conformance against the chart, as the suite runs them: real pods behind Services,
 * requests to ports 80 and 443 of the address that the Ingress's status shows.
 */
describe.skipIf(clusterRequirement() || helmRequirement())(
  'the conformance of the Ingress controller',
  () => {
    let home: string
    const namespaces: string[] = []

    beforeAll(async () => {
      await installCrds()
      home = await createNamespace('ostiary-conformance')
      namespaces.push(home)
      // A controller of its own, so that no other release in the cluster serves these Ingresses, or has its own served.
      const controller = `ostiary.dev/${home}`
      const values = {
        'ingressClass.name': home,
        'ingressClass.controller': controller,
        'crds.install': 'false',
      }
      await installChart(home, RELEASE, values)
    })

    afterAll(async () => {
      if (home === undefined) return
      await helm(home, 'uninstall', RELEASE, '--ignore-not-found')
      await kubectl(['delete', 'namespace', ...namespaces, '--wait=false', '--ignore-not-found'])
    })

    /** The background of a feature, in a namespace of its own. */
    async function give(feature: ConformanceFeature): Promise<string> {
      const namespace = await createNamespace(`ostiary-${feature.ingress}`)
      namespaces.push(namespace)
      const { ingress } = feature
      const pods = backendsOf(feature).flatMap((backend) => {
        const { service } = backend
        return echoPods({ name: `${ingress}-${service}`, service, ingress, port: servicePort(backend, 3000) })
      })
      const secrets = feature.tlsHost === undefined ? [] : [await certificateSecret(feature.tlsHost)]
      await apply(namespace, await echoSource(), ...pods, ...secrets)
      await podsReady(namespace)
      await apply(namespace, ingressOf(feature, home))
      return namespace
    }

    const podsReady = (namespace: string) =>
      kubectl(['--namespace', namespace, 'rollout', 'status', 'deployment', '--timeout=120s'])

    /** Without waiting for its end, as the suite: Ingresses of a namespace that is being deleted must not count. */
    const take = (namespace: string) => kubectl(['delete', 'namespace', namespace, '--wait=false'])

    async function addressOf(namespace: string, ingress: string): Promise<string | undefined> {
      const { status } = (await getJson(['ingress', ingress, '--namespace', namespace])) as RawIngress
      const first = status?.loadBalancer?.ingress?.[0]
      return first?.ip ?? first?.hostname
    }

    async function exposed(namespace: string, ingress: string): Promise<Exposed> {
      const address = await vi.waitFor(async () => {
        const found = await addressOf(namespace, ingress)
        if (found === undefined) throw new Error(`the Ingress ${ingress} has no address yet`)
        return found
      }, LIVE)
      return { address, ports: { http: 80, https: 443 } }
    }

    describe.each(REQUEST_FEATURES)('$name', (feature) => {
      let namespace: string
      let where: Exposed

      beforeAll(async () => {
        namespace = await give(feature)
        where = await exposed(namespace, feature.ingress)
      })

      afterAll(async () => {
        if (namespace !== undefined) await take(namespace)
      })

      test.each(feature.scenarios)('$name', async (scenario) => {
        await runScenario(where, scenario)
      })
    })

    describe('load_balancing', () => {
      const { endpoints, feature, request, requests } = LOAD_BALANCING

      /** The pods that answer so many requests, each on a connection of its own. */
      async function answering(where: Exposed): Promise<number> {
        const pods = new Set<string>()
        for (let sent = 0; sent < requests; sent += 1) {
          const { captured, status } = await roundTrip(where, request)
          if (status !== 200 || captured === undefined) throw new Error(`answered with ${status}`)
          pods.add(captured.pod)
        }
        return pods.size
      }

      test('of ten pods none is missed, and no request fails while they come', async () => {
        const namespace = await give(feature)
        const where = await exposed(namespace, feature.ingress)
        expect(await answering(where)).toBe(1)
        const deployment = `deployment/${feature.ingress}-${feature.defaultBackend.service}`
        await kubectl(['--namespace', namespace, 'scale', deployment, `--replicas=${endpoints}`])
        // The suite waits for a minute; here it is over when all have been seen once.
        await expect.poll(() => answering(where), LIVE).toBe(endpoints)
        expect(await answering(where)).toBe(endpoints)
        await take(namespace)
      })
    })

    describe('ingress_class', () => {
      test('an Ingress of a class that nobody has gets no address and serves nothing', async () => {
        const namespace = await give(INGRESS_CLASS)
        // What came later is exposed, so that the former was seen.
        const later = {
          ...INGRESS_CLASS,
          ingress: 'later',
          rules: [{ ...INGRESS_CLASS.rules![0]!, host: 'later' }],
        }
        await apply(namespace, ingressOf({ ...later, ingressClassName: home }, home))
        const where = await exposed(namespace, later.ingress)
        expect(await addressOf(namespace, INGRESS_CLASS.ingress)).toBeUndefined()
        for (const scenario of INGRESS_CLASS.scenarios) await runScenario(where, scenario)
        await take(namespace)
      })
    })
  },
)

interface RawIngress {
  readonly status?: {
    readonly loadBalancer?: {
      readonly ingress?: readonly { readonly ip?: string; readonly hostname?: string }[]
    }
  }
}
