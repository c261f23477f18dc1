import { expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { readCluster } from '../../src/commands/read-cluster.ts'
import { readDoctorRequest } from '../../src/commands/doctor-options.ts'
import { watchedResources } from '../../src/source/cluster/watched-resource.ts'
import { ScriptedApiServer, type RawObject } from '../support/scripted-api-server.ts'
import { examine, file, loginManifests, startServer } from './setup.ts'

const COLLECTIONS = watchedResources(['shop'])

test('a plugin of a cluster is examined with the Secret and the Ingress of its namespace', async () => {
  const server = await startServer()
  await using api = await ScriptedApiServer.start(...COLLECTIONS.map(({ path }) => path))
  for (const document of parseAllDocuments(loginManifests(server.issuer))) {
    const object = document.toJS() as RawObject & { readonly kind: string }
    const path = COLLECTIONS.find(({ kind }) => kind === object.kind)?.path
    if (path !== undefined) api.put(path, inShop(object))
  }
  const kubeconfig = await file(api.kubeConfig().exportConfig(), 'kubeconfig')
  const flags = { kubeconfig, namespace: 'shop', allowLoopbackIssuers: true, watchIngressWithoutClass: true }
  const { failures, report, one } = await examine('', 'app', flags)
  expect([report.plugin, failures]).toEqual(['shop/app', 0])
  expect(one('redirect URI')[0]).toBe('ok')
  expect(api.watches).toEqual([])
})

test('with a Role alone, nothing that belongs to the cluster is read', async () => {
  const server = await startServer()
  // A collection that is not there is as one that may not be read.
  const own = COLLECTIONS.filter(({ path }) => path.includes('/namespaces/shop/'))
  await using api = await ScriptedApiServer.start(...own.map(({ path }) => path))
  for (const document of parseAllDocuments(loginManifests(server.issuer))) {
    const object = document.toJS() as RawObject & { readonly kind: string }
    const path = own.find(({ kind }) => kind === object.kind)?.path
    if (path !== undefined) api.put(path, inShop(object))
  }
  const kubeconfig = await file(api.kubeConfig().exportConfig(), 'kubeconfig')
  const flags = { kubeconfig, allowLoopbackIssuers: true, watchIngressWithoutClass: true }
  const { failures, report } = await examine('', 'shop/app', { ...flags, withoutClusterRights: true })
  expect([report.plugin, failures]).toEqual(['shop/app', 0])
  await expect(readCluster(kubeconfig, { watchNamespaces: ['shop'], patienceMs: 500 })).rejects.toThrow(
    /ingressclasses/,
  )
})

test('in a cluster a loopback issuer is refused, as Ostiary refuses it', async () => {
  const server = await startServer()
  await using api = await ScriptedApiServer.start(...COLLECTIONS.map(({ path }) => path))
  const plugin = parseAllDocuments(loginManifests(server.issuer))
    .map((document) => document.toJS() as RawObject)
    .filter(({ kind }) => ['OIDCPlugin', 'Secret'].includes(String(kind)))
  for (const object of plugin) {
    api.put(COLLECTIONS.find(({ kind }) => kind === object['kind'])?.path ?? '', inShop(object))
  }
  const kubeconfig = await file(api.kubeConfig().exportConfig(), 'kubeconfig')
  const { one } = await examine('', 'shop/app', { kubeconfig })
  expect(one('discovery')).toEqual([
    'failed',
    expect.stringContaining('ADDRESS_REFUSED'),
    expect.stringContaining('--allow-loopback-issuers'),
  ])
  expect(server.faults.calls).toEqual([])
})

test('without the CRDs it says what cannot be read, and does not wait for ever', async () => {
  const paths = COLLECTIONS.map(({ path }) => path).filter((path) => !path.includes('ostiary.dev'))
  await using api = await ScriptedApiServer.start(...paths)
  const kubeconfig = await file(api.kubeConfig().exportConfig(), 'kubeconfig')
  await expect(readCluster(kubeconfig, { watchNamespaces: ['shop'], patienceMs: 500 })).rejects.toMatchObject(
    {
      code: 'ERR_SOURCE_UNAVAILABLE',
      message: expect.stringContaining('oidcplugins.ostiary.dev'),
    },
  )
})

test('flags are judged', () => {
  expect(readDoctorRequest('app', {}).request).toEqual({ namespace: 'default', name: 'app', output: 'text' })
  expect(readDoctorRequest('shop/app', {}).request).toMatchObject({ namespace: 'shop', name: 'app' })
  expect(() => readDoctorRequest('shop/app', { namespace: 'other' })).toThrow(/not in --namespace other/)
  expect(() => readDoctorRequest('app', { url: 'ftp://x' })).toThrow(/--url/)
  expect(() => readDoctorRequest('app', { output: 'xml' })).toThrow(/--output/)
})

function inShop(object: RawObject): RawObject {
  return {
    ...object,
    metadata: { ...object.metadata, namespace: 'shop', uid: `uid-${object.metadata.name}` },
  }
}
