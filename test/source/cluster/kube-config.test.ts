import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { loadKubeConfig } from '../../../src/source/cluster/kube-config.ts'

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
