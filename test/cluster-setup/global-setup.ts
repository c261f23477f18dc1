import { spawnSync } from 'node:child_process'
import { provideCluster } from './provide-cluster.ts'

/** For vitest: runs once, before the workers start, which inherit the environment. */
export async function setup(): Promise<() => Promise<void>> {
  const { kubeconfig, stop } = await provideCluster({
    environment: process.env,
    hasProgram: (name) => spawnSync(name, ['--help']).error === undefined,
    // Docker's client is loaded where it is needed only.
    startK3s: async (image) => (await import('./k3s.ts')).startK3s(image),
  })
  process.env['KUBECONFIG'] = kubeconfig
  return stop
}
