import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { ApiServer } from '../../src/source/cluster/api-server.ts'
import { createClusterSource } from '../../src/source/cluster/cluster-source.ts'
import { loadKubeConfig } from '../../src/source/cluster/kube-config.ts'
import { getOrCreateSessionKeys } from '../../src/source/cluster/session-key-secret.ts'
import { followSessionKeys, newSessionKey, type SessionKeys } from '../../src/source/session-key.ts'
import { createNamespace, deleteNamespace, installCrds, kubectl } from '../support/kubectl.ts'
import { clusterRequirement } from '../support/requirements.ts'

const logger = pino({ level: 'silent' })

function reveal(keys: SessionKeys): string[] {
  return keys.map((key) => key.reveal())
}

describe.skipIf(clusterRequirement())('the session key Secret on a real API server', () => {
  let namespace: string
  const api = new ApiServer(() => loadKubeConfig(process.env['KUBECONFIG']))

  beforeAll(() => {
    installCrds()
    namespace = createNamespace('ostiary-keys')
  })

  afterAll(async () => {
    await api.close()
    deleteNamespace(namespace)
  })

  test('is made once by replicas that start together, and its rotation is followed', async () => {
    const { signal } = new AbortController()
    const options = { api, namespace, name: 'session-keys', logger }
    const all = await Promise.all(Array.from({ length: 5 }, () => getOrCreateSessionKeys(options, signal)))
    expect(new Set(all.flatMap(reveal)).size).toBe(1)
    const [first = ''] = reveal(all[0] ?? [])

    const source = createClusterSource({ api, logger, watchNamespaces: [namespace] })
    const controller = new AbortController()
    await source.start(() => {}, controller.signal)
    const follow = followSessionKeys({ namespace, name: 'session-keys' }, all[0] ?? [], logger)
    await vi.waitFor(() => expect(source.current().secrets).toHaveLength(1), { timeout: 30_000 })
    expect(reveal(follow(source.current()))).toEqual([first])

    const fresh = newSessionKey().reveal()
    const patch = JSON.stringify({ stringData: { keys: `${fresh}\n${first}\n` } })
    kubectl(['-n', namespace, 'patch', 'secret', 'session-keys', '-p', patch])
    await vi.waitFor(() => expect(reveal(follow(source.current()))).toEqual([fresh, first]), {
      timeout: 30_000,
    })
    controller.abort()
    await source.stopped()
  })
})
