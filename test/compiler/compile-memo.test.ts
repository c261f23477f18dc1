import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import type { KubernetesObject, Resources } from '../../src/api/resources.ts'
import { CompileMemo } from '../../src/compiler/compile-memo.ts'
import { compile, type CompileOptions } from '../../src/compiler/compile.ts'
import { collectResources } from '../../src/source/collect-resources.ts'
import { compileOptions, rawAttachments, rawObjects, resourcesOf } from './arbitrary-resources.ts'
import { FILE_OPTIONS, readManifests } from './manifests.ts'

const FOLDER = path.join(import.meta.dirname, 'golden')

function objectsOf(resources: Resources): KubernetesObject[] {
  const { broken: _, ...lists } = resources
  return Object.values(lists).flat()
}

/** As text: the order of keys counts too. */
function textOf(resources: Resources, options: CompileOptions, memo?: CompileMemo): string {
  const { claims, ...result } = compile(resources, options, memo)
  return JSON.stringify([result, [...claims]], null, 1)
}

test('a compile after others gives what a first one would, whatever came and went between', () => {
  const pool = fc.tuple(rawObjects, rawObjects, rawAttachments).map((lists) => resourcesOf(lists.flat()))
  const steps = pool.chain((all) => {
    const objects = objectsOf(all)
    return fc.tuple(
      fc.constant(all.broken),
      fc.array(fc.subarray(objects, { minLength: Math.floor(objects.length / 2) }), {
        minLength: 2,
        maxLength: 5,
      }),
    )
  })
  fc.assert(
    fc.property(steps, compileOptions, ([broken, lists], options) => {
      const memo = new CompileMemo()
      for (const [index, objects] of lists.entries()) {
        const resources = collectResources(objects, index % 2 === 0 ? broken : [])
        expect(textOf(resources, options, memo)).toBe(textOf(resources, options))
      }
    }),
    { numRuns: 100 },
  )
})

describe.each(readdirSync(FOLDER).sort())('the golden %s', (name) => {
  const file = path.join(FOLDER, name, 'options.yaml')
  const overrides = existsSync(file) ? (parse(readFileSync(file, 'utf8')) as Partial<CompileOptions>) : {}
  const options = { ...FILE_OPTIONS, ...overrides }
  const all = readManifests(readFileSync(path.join(FOLDER, name, 'in.yaml'), 'utf8'))

  test('compiles the same after each of its objects was away', () => {
    const memo = new CompileMemo()
    const objects = objectsOf(all)
    const whole = textOf(all, options)
    for (const away of objects) {
      expect(textOf(all, options, memo)).toBe(whole)
      const rest = collectResources(
        objects.filter((each) => each !== away),
        all.broken,
      )
      expect(textOf(rest, options, memo)).toBe(textOf(rest, options))
    }
  })
})

describe('what did not change stays one object', () => {
  const host = (index: number): string => `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: app-${index}, annotations: {ostiary.dev/public: "true"}}
spec:
  rules: [{host: app-${index}.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: app-${index}, port: {number: 80}}}}]}}]
---
apiVersion: v1
kind: Service
metadata: {name: app-${index}}
spec: {ports: [{name: http, port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: app-${index}, labels: {kubernetes.io/service-name: app-${index}}}
addressType: IPv4
endpoints: [{addresses: [10.0.0.${index}]}]
ports: [{name: http, port: 8080}]
`
  const resources = readManifests([1, 2, 3].map(host).join('---\n'))

  test('where nothing did, all of the table', () => {
    const memo = new CompileMemo()
    const before = compile(resources, FILE_OPTIONS, memo).table
    const after = compile({ ...resources, services: [...resources.services] }, FILE_OPTIONS, memo).table
    expect(after.virtualHosts).toBe(before.virtualHosts)
    expect(after.upstreams).toBe(before.upstreams)
    expect(after.policies).toBe(before.policies)
  })

  test('where an endpoint did, every other host and upstream', () => {
    const memo = new CompileMemo()
    const before = compile(resources, FILE_OPTIONS, memo).table
    const [first, ...others] = resources.endpointSlices
    const moved = { ...first!, endpoints: [{ addresses: ['10.9.9.9'] }] }
    const after = compile({ ...resources, endpointSlices: [moved, ...others] }, FILE_OPTIONS, memo).table
    expect(after.upstreams['default/app-1/80']?.endpoints).toEqual([{ address: '10.9.9.9', port: 8080 }])
    for (const index of [2, 3]) {
      expect(after.upstreams[`default/app-${index}/80`]).toBe(before.upstreams[`default/app-${index}/80`])
      expect(after.virtualHosts[index - 1]).toBe(before.virtualHosts[index - 1])
    }
  })

  test('where a Service gets a floor that does not exist, the host is closed and no other changes', () => {
    const memo = new CompileMemo()
    const before = compile(resources, FILE_OPTIONS, memo).table
    const [first, ...others] = resources.services
    const annotations = { 'ostiary.dev/plugins': 'missing' }
    const guarded = { ...first!, metadata: { ...first!.metadata, annotations } }
    const after = compile({ ...resources, services: [guarded, ...others] }, FILE_OPTIONS, memo).table
    expect(after.virtualHosts[0]?.routes[0]?.action).toMatchObject({
      kind: 'closed',
      reason: 'PluginNotFound',
    })
    expect(after.virtualHosts[1]).toBe(before.virtualHosts[1])
  })
})

test("another installation's Service that comes to name a plugin takes its conditions over", () => {
  const resources = readManifests(`
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: internal}
spec: {controller: ostiary.dev/internal}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: theirs}
spec:
  ingressClassName: internal
  defaultBackend: {service: {name: web, port: {number: 80}}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{port: 80}]}
---
apiVersion: ostiary.dev/v1alpha1
kind: OIDCPlugin
metadata: {name: okta}
spec: {issuer: "https://idp.example.com"}
`)
  const memo = new CompileMemo()
  expect([...compile(resources, FILE_OPTIONS, memo).claims]).toEqual([['default/okta', 'nobody']])
  const [service] = resources.services
  const annotations = { 'ostiary.dev/plugins': 'okta' }
  const named = { ...service!, metadata: { ...service!.metadata, annotations } }
  const { claims } = compile({ ...resources, services: [named] }, FILE_OPTIONS, memo)
  expect([...claims]).toEqual([['default/okta', 'others']])
})
