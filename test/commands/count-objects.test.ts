import { expect, test } from 'vitest'
import { countObjects } from '../../src/commands/count-objects.ts'
import { compile } from '../../src/compiler/compile.ts'
import { FILE_OPTIONS, readManifests } from '../compiler/manifests.ts'

const MANIFESTS = `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: good, namespace: shop }
spec:
  rules: [{ host: a.test, http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: web, port: { number: 80 } } } }] } }]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: typo, namespace: shop, annotations: { ostiary.dev/plugin: okta } }
spec:
  rules: [{ host: b.test, http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: web, port: { number: 80 } } } }] } }]
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop }
spec: { ports: [{ port: 80 }] }
---
apiVersion: ostiary.dev/v1alpha1
kind: OIDCPlugin
metadata: { name: okta, namespace: shop }
spec: { issuer: 'https://example.okta.com/oauth2/default', audience: ['api://default'], authMethods: [bearer] }
---
apiVersion: ostiary.dev/v1alpha1
kind: OIDCPlugin
metadata: { name: broken, namespace: shop }
spec: { issuer: 'https://example.okta.com/oauth2/default', isuer: typo }
`

test('objects are counted by kind and by whether they are accepted', () => {
  expect(countObjects(compile(readManifests(MANIFESTS), FILE_OPTIONS))).toEqual([
    { kind: 'Ingress', state: 'accepted', count: 1 },
    { kind: 'Ingress', state: 'refused', count: 1 },
    { kind: 'OIDCPlugin', state: 'accepted', count: 1 },
    { kind: 'OIDCPlugin', state: 'refused', count: 1 },
    { kind: 'Consumer', state: 'accepted', count: 0 },
    { kind: 'Consumer', state: 'refused', count: 0 },
  ])
})
