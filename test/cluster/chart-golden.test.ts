import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import {
  cases,
  GOLDEN,
  NAMESPACES,
  objectsIn,
  podOf,
  render,
  valuesOf,
  withoutCrds,
  type ManifestObject,
} from '../chart/render.ts'
import { clusterRequirement } from '../support/requirements.ts'
import { helm, helmRequirement } from './helm.ts'
import { createNamespace, kubectl } from './kubectl.ts'
import { MONITORING_CRDS } from './monitoring-crds.ts'

const skippedHelm = helmRequirement()

describe.skipIf(skippedHelm)('what the chart renders', () => {
  test.each(cases)('%s is as it was', async (name) => {
    const file = path.join(GOLDEN, name, 'rendered.yaml')
    const rendered = withoutCrds(await render('--values', valuesOf(name)))
    if (process.env['GOLDEN_UPDATE'] === '1') writeFileSync(file, rendered)
    expect(rendered).toBe(existsSync(file) ? readFileSync(file, 'utf8') : '')
  })

  test.each(cases)('%s is the same each time, and passes lint', async (name) => {
    const flags = ['--values', valuesOf(name)]
    expect(await render(...flags)).toBe(await render(...flags))
    expect(await helm('default', 'lint', 'charts/ostiary', '--strict', ...flags)).toContain(
      '0 chart(s) failed',
    )
  })

  const CRDS = ['ostiary.dev_consumers.yaml', 'ostiary.dev_oidcplugins.yaml']

  test('the CRDs are those of crds/, kept at an uninstall', async () => {
    const rendered = objectsIn(await render()).filter(({ kind }) => kind === 'CustomResourceDefinition')
    const expected = CRDS.map((file) => parse(readFileSync(`crds/${file}`, 'utf8')) as ManifestObject)
    expect(rendered.map(({ spec }) => spec)).toEqual(expected.map(({ spec }) => spec))
    const { name } = expected[0]!.metadata
    expect(rendered[0]!.metadata).toMatchObject({ name, annotations: { 'helm.sh/resource-policy': 'keep' } })
  })

  test('the CRDs go with the release when they are not to be kept, and may be left out', async () => {
    const unkept = await render('--set=crds.keep=false', '--set=crds.annotations.note=text')
    expect(unkept).not.toContain('resource-policy')
    const [crd] = objectsIn(unkept).filter(({ kind }) => kind === 'CustomResourceDefinition')
    expect(crd?.metadata).toMatchObject({ annotations: { note: 'text' } })
    expect(await render('--set=crds.install=false')).not.toContain('CustomResourceDefinition')
  })

  test.each([
    ['a name that nobody knows', ['requirePlugins=true'], /requirePlugins/],
    ['a name in a map that nobody knows', ['service.htpp.port=80'], /htpp/],
    ['a kind of workload that there is not', ['kind=StatefulSet'], /kind/],
    ['text for a switch', ['requirePlugin=yes'], /requirePlugin/],
    ['a plugin without its namespace', ['defaultPlugins={okta}'], /defaultPlugins/],
    ['a certificate without its namespace', ['defaultSslCertificate=wildcard'], /defaultSslCertificate/],
    ['a proxy by name', ['trustedProxies={proxy.example}'], /trustedProxies/],
    ['a digest that is none', ['image.digest=sha256:0123'], /digest/],
    ['a tag in the repository', ['image.repository=ostiary@sha256:0'], /repository/],
    ['a controller of somebody else', ['ingressClass.controller=k8s.io/ingress-nginx'], /controller/],
    ['a port that needs root', ['containerPorts.http=80'], /containerPorts/],
    ['a port twice', ['containerPorts.http=8443'], /must be different ports/],
    ['a port of the dashboard that is taken', ['dashboard.port=10254'], /must be different ports/],
    ['a dashboard for everybody', ['dashboard.host=ops.example.com'], /need each other/],
    ['a plugin that guards nothing', ['dashboard.plugin=ops/staff'], /need each other/],
    [
      "a host of the dashboard on the node's loopback address",
      ['hostNetwork=true', 'dashboard.host=ops.example.com', 'dashboard.plugin=ops/staff'],
      /dashboard.host needs dashboard.enabled/,
    ],
    ['a flag without dashes', ['extraArgs={require-plugin}'], /extraArgs/],
    ['several pods that all lead', ['leaderElect=false', 'replicas=2'], /leaderElect: false/],
    ['a DaemonSet whose pods all lead', ['leaderElect=false', 'kind=DaemonSet'], /leaderElect: false/],
    ['a DaemonSet that scales', ['kind=DaemonSet', 'autoscaling.enabled=true'], /needs kind: Deployment/],
    ['fewer pods at most than at least', ['autoscaling.enabled=true', 'autoscaling.maxReplicas=1'], /below/],
    [
      'a grace period that ends before the drain',
      ['shutdownDelaySeconds=10', 'drainTimeoutSeconds=60', 'terminationGracePeriodSeconds=69'],
      /together \(70\)/,
    ],
    ['host ports on the network of the host', ['hostPort.enabled=true', 'hostNetwork=true'], /exclude/],
    [
      'an alert that there is not',
      ['prometheusRule.enabled=true', 'prometheusRule.disabled={Typo}'],
      /no alert Typo/,
    ],
    ['a selector that ends an expression', ['prometheusRule.selector=job="a"} or vector(1)'], /selector/],
    ['a runbook that is no address', ['prometheusRule.runbookUrl=docs'], /runbookUrl/],
    ['a share above all', ['prometheusRule.thresholds.serverErrorRatio=5'], /serverErrorRatio/],
    ['a Service without a port', ['service.http.enabled=false', 'service.https.enabled=false'], /neither/],
    ['addresses of nodes by Roles', ['rbac.scope=namespaced', 'publishNodeAddresses=true'], /rbac\.scope/],
    [
      'a certificate where nobody looks',
      ['watchNamespaces={team-a}', 'defaultSslCertificate=team-b/wildcard'],
      /add team-b to watchNamespaces/,
    ],
  ])('refuses %s', async (_, settings, message) => {
    await expect(render(...settings.map((each) => `--set=${each}`))).rejects.toThrow(message)
  })

  test('takes what a chart that it is a part of gives it', async () => {
    expect(await render('--set=global.domain=example.com', '--set=enabled=true')).toBe(await render())
  })

  test.each(cases.filter((name) => /namespaced|network-policy-of-namespaces/.test(name)))(
    '%s has nothing of the whole cluster',
    async (name) => {
      const objects = objectsIn(await render('--values', valuesOf(name)))
      const withoutNamespace = objects.filter(({ metadata }) => metadata.namespace === undefined)
      expect(withoutNamespace).toEqual([])
    },
  )
})

describe.skipIf(clusterRequirement() || skippedHelm)('the API server', () => {
  /** The namespaces of this test by those in the cases. */
  const mine = new Map<string, string>()
  let restricted = ''
  const madeCrds: string[] = []

  beforeAll(async () => {
    for (const name of NAMESPACES) mine.set(name, await createNamespace(`chart-${name}`))
    restricted = mine.get('ostiary-system') ?? ''
    await kubectl(['label', 'namespace', restricted, 'pod-security.kubernetes.io/enforce=restricted'])
    for (const crd of MONITORING_CRDS) {
      const { name } = crd.metadata
      // Where the operator is installed, its own are better.
      if ((await kubectl(['get', 'crd', name, '--ignore-not-found', '-o', 'name'])) !== '') continue
      await kubectl(['create', '-f', '-'], JSON.stringify(crd))
      madeCrds.push(name)
      await kubectl(['wait', '--for=condition=Established', '--timeout=60s', `crd/${name}`])
    }
  })

  afterAll(async () => {
    if (mine.size > 0) await kubectl(['delete', 'namespace', ...mine.values(), '--wait=false'])
    if (madeCrds.length > 0) await kubectl(['delete', 'crd', ...madeCrds, '--wait=false'])
  })

  async function inMyNamespaces(name: string): Promise<string> {
    let manifests = await render('--values', valuesOf(name))
    for (const [theirs, ours] of mine)
      manifests = manifests.replaceAll(new RegExp(`\\b${theirs}\\b`, 'g'), ours)
    return manifests
  }

  test.each(cases)('takes every object of %s', async (name) => {
    const manifests = await inMyNamespaces(name)
    const flags = ['--server-side', '--force-conflicts', '--dry-run=server', '--validate=strict']
    const output = await kubectl(['apply', ...flags, '-f', '-'], manifests)
    const taken = output.trim().split('\n')
    expect(taken).toHaveLength(objectsIn(manifests).length)
  })

  const onTheHost = ['daemon-set-on-host-ports', 'host-network']

  async function createPod(name: string): Promise<string> {
    const { metadata, spec } = podOf(objectsIn(await inMyNamespaces(name)))
    // These have to be there before a pod that names them.
    for (const absent of ['runtimeClassName', 'serviceAccountName']) delete spec[absent]
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name: 'pod' }, spec }
    return kubectl(['--namespace', restricted, 'create', '--dry-run=server', '-f', '-'], JSON.stringify(pod))
  }

  test.each(cases.filter((name) => !onTheHost.includes(name)))(
    'takes the pod of %s where restricted is enforced',
    async (name) => {
      expect(await createPod(name)).toContain('pod/pod created')
    },
  )

  test.each(onTheHost)('refuses the pod of %s there, for its ports of the host alone', async (name) => {
    await expect(createPod(name)).rejects.toThrow(
      /violates PodSecurity "restricted:latest": (host namespaces \([^)]*\), )?hostPort \([^)]*\)$/,
    )
  })
})
