import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Resources } from '../../src/api/resources.ts'
import { compile } from '../../src/compiler/compile.ts'
import { printResult } from '../../src/compiler/print.ts'
import type { Route, RoutingTable } from '../../src/table/routing-table.ts'
import {
  compileOptions,
  rawAttachments,
  rawIngress,
  rawObjects,
  resourcesOf,
  wildObjects,
} from '../compiler/arbitrary-resources.ts'
import { FILE_OPTIONS } from '../compiler/manifests.ts'

const PLUGINS = 'ostiary.dev/plugins'

function routesOf(table: RoutingTable): Route[] {
  return table.virtualHosts.flatMap(({ routes, defaultRoute }) =>
    defaultRoute ? [...routes, defaultRoute] : routes,
  )
}

function namesPlugins({ ingresses, services }: Resources, route: Route): boolean {
  const { namespace } = route.ingress
  const service = services.find(
    ({ metadata }) => metadata.namespace === namespace && metadata.name === route.service,
  )
  const canary = service?.metadata.annotations['ostiary.dev/canary-service']
  return [
    ...ingresses.filter(
      ({ metadata }) => metadata.namespace === namespace && metadata.name === route.ingress.name,
    ),
    ...services.filter(
      ({ metadata }) =>
        metadata.namespace === namespace && (metadata.name === route.service || metadata.name === canary),
    ),
  ].some(({ metadata }) => PLUGINS in metadata.annotations)
}

describe('compile', () => {
  test('is total: anything gives a table that survives a structured clone and can be printed', () => {
    fc.assert(
      fc.property(fc.oneof(wildObjects, rawObjects), compileOptions, (raws, options) => {
        const result = compile(resourcesOf(raws), options)
        expect(structuredClone(result)).toEqual(result)
        expect(printResult(result)).not.toContain('undefined')
      }),
      { numRuns: 150 },
    )
  })

  test('gives the same for the same objects in any order', () => {
    const shuffled = rawObjects.chain((raws) =>
      fc.tuple(
        fc.constant(raws),
        fc.shuffledSubarray(raws, { minLength: raws.length, maxLength: raws.length }),
      ),
    )
    fc.assert(
      fc.property(shuffled, compileOptions, ([raws, others], options) => {
        const one = compile(resourcesOf(raws), options)
        const other = compile(resourcesOf(others), options)
        // As text: key order counts too.
        expect(JSON.stringify(other)).toBe(JSON.stringify(one))
      }),
      { numRuns: 150 },
    )
  })

  test('never leaves a route open whose Ingress or Service names plugins in any way', () => {
    let named = 0
    const attached = fc.oneof({ weight: 2, arbitrary: rawAttachments }, { weight: 1, arbitrary: rawObjects })
    fc.assert(
      fc.property(attached, fc.oneof(fc.constant(FILE_OPTIONS), compileOptions), (raws, options) => {
        // One object per name: which of two counts is another matter.
        const resources = firstsOf(resourcesOf(raws))
        const { table } = compile(resources, options)
        for (const route of routesOf(table)) {
          if (!namesPlugins(resources, route)) continue
          named += 1
          if (route.action.kind !== 'forward') continue
          expect(route.action.policies.length).toBeGreaterThan(0)
        }
      }),
      { numRuns: 500 },
    )
    expect(named).toBeGreaterThan(50)
  })

  test('forwards only to upstreams and through policies that are in the table, with the secrets they name', () => {
    fc.assert(
      fc.property(rawObjects, compileOptions, (raws, options) => {
        const { table, secrets } = compile(resourcesOf(raws), options)
        for (const { action } of routesOf(table)) {
          if (action.kind !== 'forward') continue
          const { upstream, canary } = action
          for (const id of [upstream, canary?.upstream ?? upstream]) {
            expect(Object.keys(table.upstreams)).toContain(id)
          }
          for (const id of action.policies) expect(Object.keys(table.policies)).toContain(id)
        }
        const wanted = [
          ...Object.values(table.policies).flatMap(({ client }) => client?.secret ?? []),
          ...Object.values(table.upstreams).flatMap(
            ({ settings }) => settings?.tls?.clientCertificate?.privateKey ?? [],
          ),
        ]
        expect(Object.keys(secrets)).toEqual(expect.arrayContaining(wanted))
      }),
      { numRuns: 100 },
    )
  })

  test('leaves every other host as it is when an unrelated Ingress is added', () => {
    const unrelated = rawIngress.map((raw) => ({
      ...raw,
      metadata: { ...raw.metadata, namespace: 'unrelated' },
      spec: {
        ...raw.spec,
        rules: [
          { host: 'unrelated.example.org', ...(raw.spec.rules[0]?.http && { http: raw.spec.rules[0].http }) },
        ],
      },
    }))
    fc.assert(
      fc.property(rawObjects, unrelated, (raws, added) => {
        const before = compile(resourcesOf(raws), FILE_OPTIONS).table
        const after = compile(resourcesOf([...raws, added]), FILE_OPTIONS).table
        expect(after.virtualHosts.filter(({ host }) => host !== 'unrelated.example.org')).toEqual(
          before.virtualHosts,
        )
      }),
      { numRuns: 100 },
    )
  })
})

function firstsOf(resources: Resources): Resources {
  const firsts = <T extends { metadata: { namespace: string; name: string } }>(list: readonly T[]): T[] => [
    ...new Map(
      list.toReversed().map((each) => [`${each.metadata.namespace}/${each.metadata.name}`, each]),
    ).values(),
  ]
  return { ...resources, ingresses: firsts(resources.ingresses), services: firsts(resources.services) }
}
