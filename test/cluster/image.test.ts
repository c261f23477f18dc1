import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Wait, type StartedTestContainer } from 'testcontainers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { request } from 'undici'
import { startEcho, type Echo } from '../../deploy/demo/echo-upstream.ts'
import { ostiaryImage } from '../container/ostiary-image.ts'
import {
  inspect,
  printed,
  remove,
  RestrictedContainer,
  terminate,
} from '../container/restricted-container.ts'
import { clusterRequirement } from '../support/requirements.ts'
import { hostAddress } from './host-address.ts'
import { apply, createNamespace, getJson, installCrds, kubectl } from './kubectl.ts'
import { ingressClass, ingressFor, serviceTo } from './objects.ts'

const LIVE = { timeout: 30_000, interval: 50 }

const image = clusterRequirement() ? undefined : await ostiaryImage()

/** By Docker beside the cluster, with a kubeconfig; as a pod it is in the chart's tests. */
describe.skipIf(image === undefined)('the image against a cluster', () => {
  const address = hostAddress()
  let namespace: string
  let folder: string
  let echo: Echo
  let container: StartedTestContainer | undefined
  let port: number

  beforeAll(async () => {
    await installCrds()
    namespace = await createNamespace('ostiary-image')
    echo = await startEcho({ port: 0, host: address })
    folder = await mkdtemp(path.join(tmpdir(), 'ostiary-kubeconfig-'))
    await chmod(folder, 0o755)
    // Whole in one file, which the user of the image may read.
    const kubeconfig = await kubectl(['config', 'view', '--raw', '--flatten', '--minify'])
    await writeFile(path.join(folder, 'config'), kubeconfig, { mode: 0o644 })
    const controller = `ostiary.dev/${namespace}`
    await apply(namespace, ingressClass(namespace, controller), ...serviceTo('echo', address, echo.port))
    const flags = ['namespace', 'watch-namespace'].flatMap((flag) => [`--${flag}`, namespace])
    const ports = ['http', 'https', 'admin'].flatMap((name) => [`--${name}-port`, '0'])
    container = await new RestrictedContainer(image ?? '')
      // The API server may be on this machine's loopback.
      .withNetworkMode('host')
      .withBindMounts([{ source: folder, target: '/kubeconfig', mode: 'ro' }])
      .withCommand([
        'run',
        '--kubeconfig',
        '/kubeconfig/config',
        '--controller-class',
        controller,
        ...flags,
        ...ports,
      ])
      .withWaitStrategy(Wait.forLogMessage('snapshot published'))
      .start()
    port = Number(/"http":(\d+)/.exec(await printed(container))?.[1])
  })

  afterAll(async () => {
    if (container !== undefined) await remove(container)
    await echo?.close()
    if (folder !== undefined) await rm(folder, { recursive: true })
    if (namespace === undefined) return
    await kubectl(['delete', 'ingressclass', namespace, '--ignore-not-found'])
    await kubectl(['delete', 'namespace', namespace, '--wait=false'])
  })

  async function get(host: string) {
    const { statusCode, body } = await request(`http://127.0.0.1:${port}/page`, { headers: { host } })
    return { status: statusCode, body: await body.text() }
  }

  test('serves what is applied', async () => {
    const host = 'image.example.test'
    await apply(namespace, ingressFor('app', { className: namespace, host }))
    await expect.poll(async () => (await get(host)).status, LIVE).toBe(200)
    expect(JSON.parse((await get(host)).body)).toMatchObject({ path: '/page', host })
  })

  test('ends with 0 at a SIGTERM, and has given up its Lease', async () => {
    await terminate(container!, 30_000)
    const { State } = await inspect(container!)
    expect(State).toMatchObject({ Status: 'exited', ExitCode: 0 })
    const { items } = (await getJson(['leases', '--namespace', namespace])) as {
      readonly items: readonly { readonly spec: { readonly holderIdentity?: string } }[]
    }
    expect(items.map(({ spec }) => spec.holderIdentity)).toEqual([undefined])
  })
})
