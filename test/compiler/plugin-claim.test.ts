import { describe, expect, test } from 'vitest'
import { compile } from '../../src/compiler/compile.ts'
import type { CompileOptions } from '../../src/compiler/options.ts'
import { resourcesOf } from './arbitrary-resources.ts'
import { FILE_OPTIONS } from './manifests.ts'

const OURS = 'ostiary.dev/ingress-controller'
const INTERNAL = 'ostiary.dev/internal'

interface Named {
  readonly className: string
  /** Minutes after midnight. */
  readonly age: number
  readonly plugins?: string
  readonly service?: string
  readonly namespace?: string
}

function ingress(name: string, { className, age, plugins, service, namespace = 'shop' }: Named): unknown {
  const creationTimestamp = new Date(Date.UTC(2026, 0, 1, 0, age)).toISOString()
  const annotations = plugins === undefined ? {} : { 'ostiary.dev/plugins': plugins }
  const backend =
    service === undefined ? {} : { defaultBackend: { service: { name: service, port: { number: 80 } } } }
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, namespace, creationTimestamp, annotations },
    spec: { ingressClassName: className, rules: [{ host: `${name}.example.com` }], ...backend },
  }
}

const CLASSES = [
  ['public', OURS],
  ['internal', INTERNAL],
  ['nginx', 'k8s.io/ingress-nginx'],
].map(([name, controller]) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'IngressClass',
  metadata: { name },
  spec: { controller },
}))
const PLUGINS = ['okta', 'unused'].map((name) => ({
  apiVersion: 'ostiary.dev/v1alpha1',
  kind: 'OIDCPlugin',
  metadata: { name, namespace: 'shop' },
  spec: { issuer: 'https://issuer.example.com', authMethods: ['bearer'], audience: ['shop'] },
}))

function claims(objects: readonly unknown[], options: Partial<CompileOptions> = {}): object {
  const resources = resourcesOf([...CLASSES, ...PLUGINS, ...objects])
  const result = compile(resources, { ...FILE_OPTIONS, requireIngressClass: true, ...options })
  return Object.fromEntries(result.claims)
}

describe('the conditions of a plugin', () => {
  test('are ours where no other installation serves anything, whoever names it', () => {
    expect(claims([])).toEqual({})
    expect(claims([ingress('a', { className: 'public', age: 1, plugins: 'okta' })])).toEqual({})
    expect(claims([ingress('a', { className: 'nginx', age: 1, plugins: 'okta' })])).toEqual({})
  })

  test('are those of the installation that serves the oldest Ingress naming it, and both know', () => {
    const objects = [
      ingress('a', { className: 'internal', age: 2, plugins: 'okta' }),
      ingress('b', { className: 'public', age: 1, plugins: 'okta' }),
      ingress('c', { className: 'nginx', age: 0, plugins: 'okta' }),
    ]
    expect(claims(objects)).toEqual({ 'shop/unused': 'nobody' })
    expect(claims(objects, { controllerClass: INTERNAL })).toEqual({
      'shop/okta': 'others',
      'shop/unused': 'nobody',
    })
  })

  test('belong to whoever routes to a Service that names it, or names it from another namespace', () => {
    const service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'shop', annotations: { 'ostiary.dev/plugins': ' okta ,' } },
      spec: { ports: [{ port: 80 }] },
    }
    const others = { 'shop/okta': 'others', 'shop/unused': 'nobody' }
    expect(claims([service, ingress('a', { className: 'internal', age: 1, service: 'web' })])).toEqual(others)
    const far = ingress('a', { className: 'internal', age: 1, plugins: 'shop/okta', namespace: 'blog' })
    expect(claims([far])).toEqual(others)
    const near = ingress('a', { className: 'internal', age: 1, plugins: 'okta', namespace: 'blog' })
    expect(claims([near])).toEqual({ 'shop/okta': 'nobody', 'shop/unused': 'nobody' })
  })

  test('are ours where it is a default plugin of ours that no Ingress of theirs names', () => {
    const objects = [ingress('a', { className: 'internal', age: 1, plugins: 'okta' })]
    const options = { defaultPlugins: ['shop/okta', 'shop/unused'] }
    expect(claims(objects, options)).toEqual({ 'shop/okta': 'others' })
  })
})
