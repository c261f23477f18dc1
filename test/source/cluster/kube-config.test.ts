import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { ApiServer } from '../../../src/source/cluster/api-server.ts'
import { loadKubeConfig } from '../../../src/source/cluster/kube-config.ts'
import { ScriptedApiServer } from '../../support/scripted-api-server.ts'

function kubeConfigFile(text: string): string {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'ostiary-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const file = path.join(directory, 'kubeconfig')
  writeFileSync(file, text)
  return file
}

function text(cluster: string, context = 'c'): string {
  return `apiVersion: v1
kind: Config
clusters: [{ name: c, cluster: ${cluster} }]
users: [{ name: u, user: { token: hunter2 } }]
contexts: [{ name: c, context: { cluster: c, user: u } }]
current-context: ${context}
`
}

test('a kubeconfig gives its cluster', () => {
  const config = loadKubeConfig(kubeConfigFile(text('{ server: "https://api.example.com" }')))
  expect(config.getCurrentCluster()?.server).toBe('https://api.example.com')
})

test('a tokenFile is read as kubectl does: beside the kubeconfig, before a token, and anew when it is refused', async () => {
  const paths = '/api/v1/services'
  await using server = await ScriptedApiServer.start(paths)
  const cluster = `{ server: "${server.url}", insecure-skip-tls-verify: true }`
  const file = kubeConfigFile(text(cluster).replace('token: hunter2', 'token: hunter2, tokenFile: the-token'))
  const tokenFile = path.join(path.dirname(file), 'the-token')
  writeFileSync(tokenFile, 'first\n')
  server.token = 'first'
  const api = new ApiServer(() => loadKubeConfig(file))
  onTestFinished(() => api.close())
  const { signal } = new AbortController()
  await api.json({ path: paths, signal })

  server.token = 'second'
  writeFileSync(tokenFile, 'second\n')
  await expect(api.json({ path: paths, signal })).rejects.toMatchObject({ status: 401 })
  await api.json({ path: paths, signal })
  expect(server.requests.map(({ authorization }) => authorization)).toEqual(
    ['first', 'first', 'second'].map((token) => `Bearer ${token}`),
  )
})

test.each([
  ['is not there', undefined, /ENOENT/],
  ['is no YAML', 'users: [{ token: "hunter2', /not a kubeconfig/],
  ['has no context', text('{ server: "https://a" }', 'other'), /current-context/],
  ['names no URL', text('{ server: api }'), /no URL/],
  ['names an http server', text('{ server: "http://a" }'), /use https/],
])('a kubeconfig that %s is refused with the reason, not with its content', (_, content, reason) => {
  const file = content === undefined ? '/nonexistent/kubeconfig' : kubeConfigFile(content)
  expect(() => loadKubeConfig(file)).toThrow(
    expect.objectContaining({ code: 'ERR_SOURCE_UNAVAILABLE', message: expect.stringMatching(reason) }),
  )
  expect(() => loadKubeConfig(file)).not.toThrow(/hunter2/)
})
