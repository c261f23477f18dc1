import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { K3sContainer, type StartedK3sContainer } from '@testcontainers/k3s'
import { GenericContainer, Wait } from 'testcontainers'
import { ostiaryImage } from '../container/ostiary-image.ts'
import type { ProvidedCluster } from './provide-cluster.ts'

/** Networks of pods and Services that no usual cluster has, because this machine gets routes to them. */
const POD_NETWORK = '10.242.0.0/16'
const SERVICE_NETWORK = '10.243.0.0/16'

const SERVER = [
  'server',
  '--disable=traefik,servicelb,metrics-server',
  `--cluster-cidr=${POD_NETWORK}`,
  `--service-cidr=${SERVICE_NETWORK}`,
]

/**
 * Starts K3s in a container, with the image under test loaded into it and with routes from this machine to its pods
 * and Services, which the tests reach by their addresses. For Linux: elsewhere containers have no such addresses here.
 *
 * @throws {Error} Of Docker, when the image cannot be had or the container does not come up.
 */
export async function startK3s(image: string): Promise<ProvidedCluster> {
  const k3s = await new K3sContainer(image)
    .withCommand([...SERVER])
    .withAutoCleanup(false)
    .start()
  const folder = await mkdtemp(path.join(tmpdir(), 'ostiary-k3s-'))
  const stop = async (): Promise<void> => {
    await route(image, 'del', k3s).catch(() => {})
    await k3s.stop({ timeout: 0 })
    await rm(folder, { recursive: true })
  }
  try {
    const kubeconfig = path.join(folder, 'kubeconfig')
    await writeFile(kubeconfig, k3s.getKubeConfig(), { mode: 0o600 })
    await loadTestImage(k3s, folder)
    await route(image, 'replace', k3s)
    return { kubeconfig, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function loadTestImage(k3s: StartedK3sContainer, folder: string): Promise<void> {
  const name = await ostiaryImage()
  if (name === undefined) throw new Error('the image ostiary:test cannot be built')
  const archive = path.join(folder, 'image.tar')
  await promisify(execFile)('docker', ['save', '--output', archive, name])
  await k3s.copyFilesToContainer([{ source: archive, target: '/image.tar' }])
  const { exitCode, output } = await k3s.exec([
    'ctr',
    '--namespace',
    'k8s.io',
    'images',
    'import',
    '/image.tar',
  ])
  if (exitCode !== 0) throw new Error(`the image ${name} cannot be loaded into K3s: ${output.trim()}`)
}

/** Through a container in this machine's network, with the `ip` of the K3s image: so nobody has to be root here. */
async function route(image: string, verb: 'replace' | 'del', k3s: StartedK3sContainer): Promise<void> {
  const [network = ''] = k3s.getNetworkNames()
  const gateway = k3s.getIpAddress(network)
  for (const destination of [POD_NETWORK, SERVICE_NETWORK]) {
    const done = await new GenericContainer(image)
      .withNetworkMode('host')
      .withAddedCapabilities('NET_ADMIN')
      .withAutoCleanup(false)
      .withEntrypoint(['ip'])
      .withCommand(['route', verb, destination, 'via', gateway])
      .withWaitStrategy(Wait.forOneShotStartup())
      .start()
    await done.stop({ timeout: 0 })
  }
}
