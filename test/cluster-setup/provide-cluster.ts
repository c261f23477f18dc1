import { messageOf } from '../../src/errors.ts'

/** What the cluster tests run against. */
export interface ProvidedCluster {
  /** What `kubectl` and `ostiary` find it by: one file, or several joined as KUBECONFIG has them. */
  readonly kubeconfig: string
  /** Ends what was started for the tests, and nothing else. */
  readonly stop: () => Promise<void>
}

export interface ClusterSurroundings {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Whether a program can be run. */
  readonly hasProgram: (name: string) => boolean
  /** Starts a cluster that has the image under test. */
  readonly startK3s: (image: string) => Promise<ProvidedCluster>
}

/** A minor version that `shared` clusters and the chart's `kubeVersion` know. */
const K3S_IMAGE = 'rancher/k3s:v1.36.1-k3s1'
const A_CLUSTER =
  'the kubeconfig of a cluster whose objects may be changed and whose nodes have the image ostiary:test'

/**
 * The cluster of KUBECONFIG where that is set; else K3s, from the image that OSTIARY_TEST_K3S_IMAGE names.
 *
 * @throws {Error} With the remedy, where there is neither, or no kubectl.
 */
export async function provideCluster(surroundings: ClusterSurroundings): Promise<ProvidedCluster> {
  const { environment, hasProgram, startK3s } = surroundings
  if (!hasProgram('kubectl')) {
    throw new Error('the cluster tests need kubectl, which is not on the PATH: install it')
  }
  const { KUBECONFIG: kubeconfig = '' } = environment
  if (kubeconfig !== '') return { kubeconfig, stop: async () => {} }
  const image = environment['OSTIARY_TEST_K3S_IMAGE'] || K3S_IMAGE
  try {
    return await startK3s(image)
  } catch (error) {
    throw new Error(
      `no cluster for the tests: KUBECONFIG is not set, and K3s did not start from ${image} (${messageOf(error)}).\n` +
        `Set KUBECONFIG to ${A_CLUSTER},\n` +
        'or start a Docker Engine that can pull that image, or name one that it has by OSTIARY_TEST_K3S_IMAGE.',
      { cause: error },
    )
  }
}
