import { expect, test } from 'vitest'
import { provideCluster, type ClusterSurroundings } from './provide-cluster.ts'

function surroundings(changes: Partial<ClusterSurroundings>): ClusterSurroundings {
  return {
    environment: {},
    hasProgram: () => true,
    startK3s: () => Promise.reject(new Error('K3s was not expected')),
    ...changes,
  }
}

test('the cluster of KUBECONFIG is used, and nothing is started or stopped', async () => {
  const environment = { KUBECONFIG: '/one:/two', OSTIARY_TEST_K3S_IMAGE: 'unused' }
  const cluster = await provideCluster(surroundings({ environment }))
  expect(cluster.kubeconfig).toBe('/one:/two')
  await expect(cluster.stop()).resolves.toBeUndefined()
})

test.each([
  ['nothing is set', {}, /^rancher\/k3s:v1\.\d+\.\d+-k3s1$/],
  ['KUBECONFIG is empty', { KUBECONFIG: '' }, /^rancher\/k3s:/],
  ['an image is named', { OSTIARY_TEST_K3S_IMAGE: 'registry.example/k3s:1' }, /^registry\.example\/k3s:1$/],
])('K3s is started where %s, and is the tests’ to stop', async (_, environment, image) => {
  const events: string[] = []
  const startK3s = async (name: string) => {
    events.push(name)
    return {
      kubeconfig: '/made',
      stop: async () => {
        events.push('stopped')
      },
    }
  }
  const cluster = await provideCluster(surroundings({ environment, startK3s }))
  expect(cluster.kubeconfig).toBe('/made')
  await cluster.stop()
  expect(events).toEqual([expect.stringMatching(image), 'stopped'])
})

test('where K3s does not start the message says why, and what to do', async () => {
  const startK3s = () => Promise.reject(new Error('pull access denied'))
  const failure = provideCluster(surroundings({ startK3s }))
  await expect(failure).rejects.toThrow(/KUBECONFIG is not set.*rancher\/k3s:.*\(pull access denied\)/)
  await expect(failure).rejects.toThrow(/Set KUBECONFIG to .*OSTIARY_TEST_K3S_IMAGE/s)
})

test('without kubectl there is no use in a cluster', async () => {
  const hasProgram = (name: string) => name !== 'kubectl'
  const environment = { KUBECONFIG: '/one' }
  await expect(provideCluster(surroundings({ environment, hasProgram }))).rejects.toThrow(/install it/)
})
