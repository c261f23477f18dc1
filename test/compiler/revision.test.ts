import { expect, test } from 'vitest'
import { compile } from '../../src/compiler/compile.ts'
import type { CompileResult } from '../../src/compiler/options.ts'
import { printResult } from '../../src/compiler/print.ts'
import { resourcesOf } from './arbitrary-resources.ts'
import { FILE_OPTIONS } from './manifests.ts'

interface Changes {
  readonly spec?: object
  readonly plugin?: object
  readonly secret?: object
  readonly value?: string
}

function compileWith({ spec, plugin, secret, value = 'hush' }: Changes): CompileResult {
  const raws = [
    {
      apiVersion: 'ostiary.dev/v1alpha1',
      kind: 'OIDCPlugin',
      metadata: { name: 'web', namespace: 'default', ...plugin },
      spec: {
        issuer: 'https://idp.example.com',
        clientId: 'web',
        clientSecretRef: { name: 'web' },
        ...spec,
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'web', namespace: 'default', labels: { 'ostiary.dev/secret': 'true' }, ...secret },
      stringData: { clientSecret: value },
    },
  ]
  return compile(resourcesOf(raws), FILE_OPTIONS)
}

function revision(changes: Changes): string {
  return compileWith(changes).table.policies['default/web']!.revision
}

test('stays while nothing changes, and changes with spec, generation, UID and secret', () => {
  const revisions = [
    revision({}),
    revision({ spec: { leeway: 1 } }),
    revision({ plugin: { generation: 2 } }),
    revision({ plugin: { uid: 'u1' } }),
    revision({ value: 'other' }),
    revision({ secret: { uid: 's1', resourceVersion: '1' } }),
    revision({ secret: { uid: 's1', resourceVersion: '2' } }),
    revision({ secret: { uid: 's2', resourceVersion: '2' } }),
  ]
  expect(new Set(revisions).size).toBe(revisions.length)
  expect(revision({})).toBe(revisions[0])
})

test('tells nothing about a secret that has a version, nor when it is printed', () => {
  const secret = { uid: 's1', resourceVersion: '1' }
  expect(revision({ secret, value: 'one' })).toBe(revision({ secret, value: 'two' }))
  expect(printResult(compileWith({ value: 'one' }))).toBe(printResult(compileWith({ value: 'two' })))
})

test('puts the value into the secret table alone, under the name that the policy has', () => {
  const { table, secrets } = compileWith({})
  const id = table.policies['default/web']!.client!.secret!
  expect(secrets).toEqual({ [id]: 'hush' })
  expect(JSON.stringify(table)).not.toContain('hush')
})

test('leaves out the secret of a plugin that is not accepted', () => {
  const { table, secrets } = compileWith({ spec: { groupsRequired: ['"'] } })
  expect(table.policies).toEqual({})
  expect(secrets).toEqual({})
})
