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

function classOf(name: string, controller: string): unknown {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata: { name },
    spec: { controller },
  }
}

test('takes nothing by name where the IngressClass could be seen and is not there', () => {
  const named = ingress('named', { ingressClassName: 'ostiary' })
  const annotated = ingress('annotated', {}, { 'kubernetes.io/ingress.class': 'ostiary' })
  expect(hostsInCluster([named, annotated], { requireIngressClass: true })).toEqual([])
  expect(hostsInCluster([named, annotated], {})).toEqual(['annotated.example.com', 'named.example.com'])
})

test('shares no Ingress between two controller classes, whatever --ingress-class says', () => {
  const objects = [
    classOf('public', 'ostiary.dev/ingress-controller'),
    classOf('internal', 'ostiary.dev/internal'),
    ingress('a', { ingressClassName: 'public' }),
    ingress('b', { ingressClassName: 'internal' }),
    ingress('c', {}, { 'kubernetes.io/ingress.class': 'internal' }),
    ingress('d', { ingressClassName: 'ostiary' }),
  ]
  for (const ingressClass of ['ostiary', 'public', 'internal']) {
    const options = { ingressClass, requireIngressClass: true }
    expect(hostsInCluster(objects, options)).toEqual(['a.example.com'])
    expect(hostsInCluster(objects, { ...options, controllerClass: 'ostiary.dev/internal' })).toEqual([
      'b.example.com',
      'c.example.com',
    ])
  }
})
