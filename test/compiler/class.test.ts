import { expect, test } from 'vitest'
import type { CompileOptions } from '../../src/compiler/options.ts'
import { compile } from '../../src/compiler/compile.ts'
import { FILE_OPTIONS } from './manifests.ts'
import { resourcesOf } from './arbitrary-resources.ts'

/** In a cluster objects have no origin. */
function hostsInCluster(raws: readonly unknown[], options: Partial<CompileOptions>): string[] {
  const { table } = compile(resourcesOf(raws), { ...FILE_OPTIONS, takeClasslessIngresses: false, ...options })
  return table.virtualHosts.map(({ host }) => host)
}

function ingress(name: string, spec: object = {}, annotations: object = {}): unknown {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, namespace: 'default', annotations },
    spec: { ...spec, rules: [{ host: `${name}.example.com` }] },
  }
}

const foreignDefault = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'IngressClass',
  metadata: { name: 'nginx', annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } },
  spec: { controller: 'k8s.io/ingress-nginx' },
}

test('leaves class-less Ingresses of a cluster alone', () => {
  expect(hostsInCluster([ingress('bare')], {})).toEqual([])
})

test('takes them where it is told to, whatever class is marked as default by now', () => {
  expect(hostsInCluster([ingress('bare'), foreignDefault], { takeClasslessIngresses: true })).toEqual([
    'bare.example.com',
  ])
})

test('lets the field decide over the legacy annotation', () => {
  const both = ingress('both', { ingressClassName: 'nginx' }, { 'kubernetes.io/ingress.class': 'ostiary' })
  expect(hostsInCluster([both], { takeClasslessIngresses: true })).toEqual([])
})

test('matches the configured class name where its object cannot be seen', () => {
  const named = ingress('named', { ingressClassName: 'edge' })
  expect(hostsInCluster([named], { ingressClass: 'edge' })).toEqual(['named.example.com'])
  expect(hostsInCluster([named], {})).toEqual([])
})
