import { expect, test } from 'vitest'
import { compile } from '../../src/compiler/compile.ts'
import { FILE_OPTIONS, readManifests } from './manifests.ts'

/** What is removed from requests on an open route to the Service that a plugin with this spec guards. */
function removedBeside(spec: string): readonly string[] | undefined {
  const path = (name: string): string => `
        paths:
          - { path: /${name}, pathType: Prefix, backend: { service: { name: web, port: { number: 80 } } } }`
  const { table } = compile(
    readManifests(`apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: guarded, annotations: { ostiary.dev/plugins: okta } }
spec:
  rules:
    - http:${path('guarded')}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: open }
spec:
  rules:
    - http:${path('open')}
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { ports: [{ port: 80 }] }
---
apiVersion: ostiary.dev/v1alpha1
kind: OIDCPlugin
metadata: { name: okta }
spec: ${spec}
`),
    FILE_OPTIONS,
  )
  return table.virtualHosts[0]?.routes.find(({ path }) => path === '/open')?.removeHeaders
}

const ISSUER = 'issuer: https://acme.okta.com'

test.each([
  ['is sound', `{ ${ISSUER}, upstreamHeadersClaims: [sub], upstreamHeadersNames: [X_User] }`],
  ['has a field that does not exist', `{ ${ISSUER}, isuer: x, upstreamHeadersNames: [X_User, 3, null] }`],
  ['misspells the very field', `{ ${ISSUER}, upstreamHeaderNames: [X-User, Host, authorization, 'a b'] }`],
  ['has a bad nested header', `{ ${ISSUER}, upstreamHeaders: [{ header: x-user, path: 3 }, 4] }`],
  ['lacks its issuer', '{ upstreamAccessTokenHeader: "X-User:bearer" }'],
])('the headers that a plugin maps are removed on open routes of its Service when it %s', (_, spec) => {
  expect(removedBeside(spec)).toEqual(['x-user'])
})

test('a spec that is nothing maps nothing', () => {
  for (const spec of ['3', '[]', 'null', '{ upstreamHeaders: null }']) expect(removedBeside(spec)).toEqual([])
})
