import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clusterRequirement, requirement } from '../support/requirements.ts'
import { apply, createNamespace, getJson, installCrds, kubectl, runProgram } from './kubectl.ts'
import { ingressClass, ingressFor, oidcPlugin } from './objects.ts'
import { OstiaryProcess } from './ostiary-process.ts'
import { writeServiceAccountKubeconfig } from './service-account.ts'

const HELM = process.env['HELM'] ?? 'helm'
const LIVE = { timeout: 45_000, interval: 100 }

function helmRequirement(): boolean {
  const { error } = spawnSync(HELM, ['version'])
  return requirement('helm', error === undefined, 'put it on the PATH, or name it by HELM')
}

describe.skipIf(clusterRequirement() || helmRequirement())("the leader with the chart's permissions", () => {
  let namespace: string
  let folder: string
  let ostiary: OstiaryProcess | undefined

  const inNamespace = (...args: string[]) => kubectl(['--namespace', namespace, ...args])
  let rendered = ''
  const render = () =>
    runProgram(HELM, [
      'template',
      namespace,
      'charts/ostiary',
      `--namespace=${namespace}`,
      // They are there, and may be of another release.
      '--set=crds.install=false',
      // What the process below asks for, which is of no release.
      '--set=sessionKeySecret=ostiary-session-keys',
      '--validate',
      '--show-only=templates/rbac.yaml',
      '--show-only=templates/serviceaccount.yaml',
    ])

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'ostiary-permissions-'))
    await installCrds()
    namespace = await createNamespace('ostiary-leader')
    rendered = await render()
    await kubectl(['apply', '-f', '-'], rendered)
    await apply(
      namespace,
      { apiVersion: 'v1', kind: 'Service', metadata: { name: namespace }, spec: { ports: [{ port: 80 }] } },
      ingressClass(namespace, 'ostiary.dev/ingress-controller'),
    )
    const kubeconfig = path.join(folder, 'kubeconfig')
    await writeServiceAccountKubeconfig(kubeconfig, namespace, namespace)
    ostiary = new OstiaryProcess([
      `--namespace=${namespace}`,
      `--kubeconfig=${kubeconfig}`,
      `--ingress-class=${namespace}`,
      `--publish-service=${namespace}/${namespace}`,
    ])
    await ostiary.ready()
  })

  afterAll(async () => {
    ostiary?.kill()
    if (folder !== undefined) await rm(folder, { recursive: true, force: true })
    if (namespace === undefined) return
    if (rendered !== '') await kubectl(['delete', '--ignore-not-found', '-f', '-'], rendered)
    await kubectl(['delete', 'ingressclass', namespace, '--ignore-not-found'])
    await kubectl(['delete', 'namespace', namespace, '--wait=false'])
  })

  test('writes conditions, the addresses of its Service, and Events', async () => {
    const annotated = { metadata: { name: 'orders', annotations: { 'ostiary.dev/plugin': 'typo' } } }
    await apply(
      namespace,
      oidcPlugin('okta', { issuer: 'https://issuer.invalid', authMethods: ['bearer'] }),
      {
        ...ingressFor('orders', { className: namespace, host: 'orders.example.test' }),
        ...annotated,
      },
    )
    await inNamespace('wait', '--for=condition=Programmed', 'oidcplugin/okta', '--timeout=45s')
    const { spec } = (await getJson(['service', namespace, '--namespace', namespace])) as {
      readonly spec: { readonly clusterIP: string }
    }
    const address = () =>
      inNamespace('get', 'ingress', 'orders', '-o', 'jsonpath={.status.loadBalancer.ingress[*].ip}')
    await expect.poll(address, LIVE).toBe(spec.clusterIP)
    const events = () => inNamespace('get', 'events.events.k8s.io', '-o', 'jsonpath={.items[*].reason}')
    await expect.poll(events, LIVE).toContain('UnknownAnnotation')
    expect(ostiary?.log).not.toMatch(/forbidden|cannot be (read|written|released)/i)
    expect(await ostiary?.stop()).toBe(0)
    expect(ostiary?.log).not.toMatch(/forbidden|cannot be (read|written|released)/i)
  })
})
