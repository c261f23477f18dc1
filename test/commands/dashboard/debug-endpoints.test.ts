import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { rawRequest } from '../../support/raw-http.ts'
import { startOstiaryProcess } from '../../support/ostiary-file-process.ts'

const SECRET = 'not-for-anybody'
const MANIFESTS = `
apiVersion: v1
kind: Secret
metadata: { name: okta, labels: { ostiary.dev/secret: 'true' } }
stringData: { clientSecret: ${SECRET} }
---
apiVersion: ostiary.dev/v1alpha1
kind: OIDCPlugin
metadata: { name: okta }
spec:
  issuer: http://127.0.0.1:1
  insecureAllowHttp: true
  clientId: app
  clientSecretRef: { name: okta }
  audience: [api]
  authMethods: [bearer, introspection]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: app, annotations: { ostiary.dev/plugins: okta } }
spec:
  rules: [{ host: a.test, http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: app, port: { number: 80 } } } }] } }]
`

async function manifests(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'ostiary-debug-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await writeFile(path.join(folder, 'all.yaml'), MANIFESTS)
  return folder
}

test('there are none unless they are asked for', async () => {
  const ostiary = await startOstiaryProcess(await manifests())
  const response = await fetch(`http://127.0.0.1:${ostiary.dashboardPort}/debug/table`)
  expect(response.status).toBe(404)
})

test.each([[['--debug-endpoints']], [['--debug-endpoints', '--dashboard', 'false']]])(
  '%s shows the live table without a secret, and profiles of the thread that is asked for',
  async (flags) => {
    const ostiary = await startOstiaryProcess(await manifests(), ...flags)
    await expect.poll(() => ostiary.isReady()).toBe(true)
    const url = `http://127.0.0.1:${ostiary.dashboardPort}/debug`
    const table = await (await fetch(`${url}/table`)).text()
    expect(table).toContain('host: a.test')
    expect(table).toContain('default/okta')
    expect(table).not.toContain(SECRET)
    const ofHost = await (await fetch(`${url}/table?host=a.test`)).text()
    expect(ofHost).toMatch(/^host: a\.test\n/)
    const profile = (await (await fetch(`${url}/profile?seconds=1&thread=1`)).json()) as {
      readonly nodes: readonly unknown[]
    }
    expect(profile.nodes.length).toBeGreaterThan(0)
    expect((await fetch(`${url}/profile?seconds=1&thread=7`)).status).toBe(404)
    const heap = (await (await fetch(`${url}/heap?thread=1`)).json()) as { readonly snapshot: object }
    expect(heap.snapshot).toBeDefined()
    const foreign = await rawRequest(
      ostiary.dashboardPort,
      'GET /debug/table HTTP/1.1\r\nHost: evil.test\r\n\r\n',
    )
    expect(foreign.status).toBe(403)
    expect(await ostiary.isReady()).toBe(true)
  },
)
