import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { GenericContainer, getContainerRuntimeClient, Wait, type StartedTestContainer } from 'testcontainers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ingress, yaml } from '../support/manifests.ts'
import { ostiaryImage } from './ostiary-image.ts'

const ECHO = `require('node:http').createServer((request, response) => response.end(request.url)).listen(3000)`

/**
 * As the chart runs it: nothing of the file system is writable, and root's privileges are out of reach. Ryuk, which
 * would remove containers of a killed test, is not started, because its image cannot be pulled everywhere.
 */
class RestrictedContainer extends GenericContainer {
  constructor(image: string) {
    super(image)
    this.hostConfig.ReadonlyRootfs = true
    this.withDroppedCapabilities('ALL').withSecurityOpt('no-new-privileges').withAutoCleanup(false)
  }
}

const image = await ostiaryImage()

describe.skipIf(image === undefined)('the image', () => {
  const started: StartedTestContainer[] = []
  let manifests: string
  let ostiary: StartedTestContainer
  let url: string

  beforeAll(async () => {
    const name = image ?? ''
    const echo = await new RestrictedContainer(name)
      .withEntrypoint(['node', '-e', ECHO])
      .withCommand([])
      .withExposedPorts(3000)
      .withWaitStrategy(Wait.forHttp('/', 3000).withReadTimeout(100))
      .start()
    started.push(echo)
    manifests = await writeManifests(echo.getIpAddress(echo.getNetworkNames()[0] ?? ''))
    ostiary = await new RestrictedContainer(name)
      .withCommand(['run', '--manifests', '/manifests'])
      .withBindMounts([{ source: manifests, target: '/manifests', mode: 'ro' }])
      .withExposedPorts(8080, 10_254)
      .withWaitStrategy(Wait.forHttp('/readyz', 10_254).forStatusCode(200).withReadTimeout(100))
      .start()
    started.push(ostiary)
    url = `http://${ostiary.getHost()}:${ostiary.getMappedPort(8080)}`
  }, 300_000)

  afterAll(async () => {
    for (const container of started) await container.stop()
    if (manifests !== undefined) await rm(manifests, { recursive: true })
  })

  test('is no root, which Kubernetes can tell by its number', async () => {
    const { Config } = await inspect(ostiary)
    expect(Config.User).toMatch(/^[1-9]\d*:[1-9]\d*$/)
  })

  test('forwards an open route', async () => {
    const response = await fetch(`${url}/open/page`)
    expect([response.status, await response.text()]).toEqual([200, '/open/page'])
  })

  test('closes a route whose plugin is missing', async () => {
    const response = await fetch(`${url}/closed`)
    expect(response.status).toBe(503)
    expect(await response.json()).toMatchObject({ status: 503 })
  })

  test('sees a manifest that changes', async () => {
    const file = path.join(manifests, 'later.yaml')
    await writeFile(file, yaml(ingress({ name: 'later', path: '/later' })))
    await expect.poll(async () => (await fetch(`${url}/later`)).status, { timeout: 10_000 }).toBe(200)
  })

  // Last: it ends the container.
  test('ends with 0 at a SIGTERM, though it is the first process of the container', async () => {
    await ostiary.stop({ remove: false, timeout: 15_000 })
    const { State } = await inspect(ostiary)
    expect(State).toMatchObject({ Status: 'exited', ExitCode: 0, OOMKilled: false })
    await (await container(ostiary)).remove({ v: true })
    started.pop()
  })
})

async function container(of: StartedTestContainer) {
  const { container: client } = await getContainerRuntimeClient()
  return client.getById(of.getId())
}

async function inspect(of: StartedTestContainer) {
  return (await container(of)).inspect()
}

/** A directory that any user may read, with an open route and one whose plugin is missing. */
async function writeManifests(echoAddress: string): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'ostiary-image-'))
  await chmod(directory, 0o755)
  const objects = [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'echo' },
      spec: { ports: [{ name: 'http', port: 80 }] },
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'echo-1', labels: { 'kubernetes.io/service-name': 'echo' } },
      addressType: 'IPv4',
      endpoints: [{ addresses: [echoAddress] }],
      ports: [{ name: 'http', port: 3000 }],
    },
    ingress({ name: 'open', path: '/open' }),
    ingress({ name: 'closed', path: '/closed', annotations: { 'ostiary.dev/plugins': 'missing' } }),
  ]
  await writeFile(path.join(directory, 'routes.yaml'), yaml(...objects))
  return directory
}
