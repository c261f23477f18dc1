import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { PassThrough } from 'node:stream'
import { expect, onTestFinished, test } from 'vitest'
import { explainCommand } from '../../src/commands/explain.ts'
import { readExplainRequest } from '../../src/commands/explain-options.ts'
import { readSettings } from '../../src/settings/read-settings.ts'
import { watchedResources } from '../../src/source/cluster/watched-resource.ts'
import { ingress, service } from '../support/manifests.ts'
import { ScriptedApiServer, type RawObject } from '../support/scripted-api-server.ts'

const COLLECTIONS = watchedResources(['shop'])

function folderFile(text: string): string {
  const root = mkdtempSync(path.join(tmpdir(), 'ostiary-explain-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  const file = path.join(root, 'kubeconfig')
  writeFileSync(file, text)
  return file
}

test('a cluster is read, and nothing is written to it', async () => {
  await using api = await ScriptedApiServer.start(...COLLECTIONS.map(({ path: each }) => each))
  const open = ingress({ host: 'app.test', annotations: { 'ostiary.dev/public': 'true' } })
  for (const each of [...service('echo', 8080), open] as (RawObject & { readonly kind: string })[]) {
    const metadata = { ...each.metadata, namespace: 'shop', uid: `uid-${each.metadata.name}` }
    const { path: collection = '' } = COLLECTIONS.find(({ kind }) => kind === each.kind) ?? {}
    api.put(collection, { ...each, metadata })
  }
  const flags = {
    kubeconfig: folderFile(api.kubeConfig().exportConfig()),
    watchNamespace: ['shop'],
    watchIngressWithoutClass: true,
    cluster: true,
    output: 'json',
  }
  const { request, settings } = readExplainRequest(['https://app.test/'], flags)
  const output = new PassThrough({ encoding: 'utf8' })
  const told: string[] = []
  const { forwarded } = await explainCommand(request, readSettings(settings), {
    output,
    progress: { tell: (what) => void told.push(what), end() {} },
    userAgent: 'ostiary-test',
  })
  expect(forwarded).toBe(true)
  expect(JSON.parse(output.read() as string)).toMatchObject({
    outcome: { kind: 'forwarded', upstream: 'shop/echo/80', path: '/' },
  })
  expect(told[0]).toBe('reading the cluster')
  expect(new Set(api.requests.map(({ method }) => method))).toEqual(new Set(['GET']))
})
