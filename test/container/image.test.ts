import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Wait, type StartedTestContainer } from 'testcontainers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ingress, yaml } from '../support/manifests.ts'
import { ostiaryImage } from './ostiary-image.ts'
import {
  inspect,
  printed,
  remove,
  RestrictedContainer,
  sizeOfImage,
  terminate,
} from './restricted-container.ts'

/** `/hold` is answered in two parts, the second when somebody asks for `/release`. */
const ECHO = `
  const held = []
  require('node:http').createServer((request, response) => {
    if (request.url === '/release') for (const each of held) each.end('end')
    if (request.url.endsWith('/hold')) held.push(response) && response.write('beginning and ')
    else response.end(request.url)
  }).listen(3000)`

/** What the image adds to its base, in bytes; the base is what it is. */
const MAXIMUM_SIZE = 80 * 1024 * 1024
const BASE_IMAGE = 'node:26-bookworm-slim'

const image = await ostiaryImage()

describe.skipIf(image === undefined)('the image', () => {
  const started: StartedTestContainer[] = []
  let manifests: string
  let echo: StartedTestContainer
  let ostiary: StartedTestContainer
  let url: string

  beforeAll(async () => {
    const name = image ?? ''
    echo = await new RestrictedContainer(name)
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
    for (const container of started) await remove(container)
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

  test('says what it is', async () => {
    const { Config } = await inspect(ostiary)
    expect(Config.Labels).toMatchObject({
      'org.opencontainers.image.title': 'Ostiary',
      'org.opencontainers.image.description': expect.stringMatching(/Kubernetes ingress controller/),
      'org.opencontainers.image.licenses': 'Apache-2.0',
      'org.opencontainers.image.version': expect.stringMatching(/^\d+\.\d+\.\d+/),
      'org.opencontainers.image.revision': expect.stringMatching(/./),
    })
  })

  test('starts Node itself, and needs no shell', async () => {
    const { Config, HostConfig } = await inspect(ostiary)
    expect([Config.Entrypoint].flat()[0]).toBe('node')
    // It serves with these hidden.
    expect(HostConfig.Binds?.filter((each) => each.startsWith('/dev/null:'))).toHaveLength(2)
    const { exitCode } = await ostiary.exec(['/bin/sh', '-c', 'true'])
    expect(exitCode).not.toBe(0)
  })

  test('holds what production needs, and is not large', async () => {
    const missing = ['typescript', 'vitest'].map((each) => `/app/node_modules/${each}`)
    const look = `process.exit(${JSON.stringify(missing)}.some((each) => require('node:fs').existsSync(each)) ? 1 : 0)`
    expect(await ostiary.exec(['node', '-e', look])).toMatchObject({ exitCode: 0 })
    const beyond = (await sizeOfImage(image ?? '')) - (await sizeOfImage(BASE_IMAGE))
    console.info(`the image is ${(beyond / 1024 / 1024).toFixed(1)} MiB beyond ${BASE_IMAGE}`)
    expect(beyond).toBeLessThan(MAXIMUM_SIZE)
  })

  test('serves its dashboard with all that its pages ask for', async () => {
    const look = `
      const get = async (path) => {
        const response = await fetch('http://127.0.0.1:10255' + path)
        if (!response.ok) throw new Error(path + ': ' + response.status)
        return response.text()
      }
      get('/').then((page) => {
        const assets = [...page.matchAll(/(?:href|src)="(\\/assets\\/[^"]+)"/g)].map(([, path]) => path)
        if (assets.length < 3) throw new Error('only ' + assets)
        return Promise.all(assets.map(get))
      }).catch((error) => {
        console.error(error.message)
        process.exit(1)
      })`
    expect(await ostiary.exec(['node', '-e', look])).toMatchObject({ exitCode: 0, stderr: '' })
  })

  // Last: it ends the container.
  test('finishes what is under way at a SIGTERM and ends with 0, though it is the first process', async () => {
    const response = await fetch(`${url}/open/hold`)
    const body = response.text()
    const terminated = terminate(ostiary, 20_000)
    await expect.poll(() => printed(ostiary), { timeout: 10_000 }).toContain('stopping')
    await expect.poll(() => isRefused(`${url}/open/page`), { timeout: 10_000 }).toBe(true)
    await fetch(`http://${echo.getHost()}:${echo.getMappedPort(3000)}/release`)
    expect([response.status, await body]).toEqual([200, 'beginning and end'])
    await terminated
    const { State } = await inspect(ostiary)
    // The engine would have killed it after its time, which is 137.
    expect(State).toMatchObject({ Status: 'exited', ExitCode: 0, OOMKilled: false })
  })
})

async function isRefused(url: string): Promise<boolean> {
  try {
    await (await fetch(url, { headers: { connection: 'close' } })).text()
    return false
  } catch {
    return true
  }
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
