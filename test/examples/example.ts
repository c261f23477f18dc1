import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import {
  startAuthorizationServer,
  type AuthorizationServer,
  type AuthorizationServerOptions,
} from '../../deploy/demo/authorization-server/authorization-server.ts'
import { startEcho } from '../../deploy/demo/echo-upstream.ts'
import { createDefaultCertificate } from '../../src/proxy/default-certificate.ts'
import { createPrivateCa } from '../auth/authorization-server/private-ca.ts'
import { service, yaml } from '../support/manifests.ts'
import { startOstiary, type Ostiary } from '../support/ostiary.ts'

const EXAMPLES = fileURLToPath(new URL('../../deploy/examples/', import.meta.url))

/** The placeholder of every example, and what Okta's authorization server is below it. */
export const PLACEHOLDER_ISSUER = 'https://YOUR_OKTA_DOMAIN/oauth2/default'

/** An example as it runs in a test: its manifests as written, but for the issuer. */
export interface RunningExample {
  readonly ostiary: Ostiary
  readonly httpsPort: number
  readonly authorizationServer: AuthorizationServer
  /** Puts the issuer of the test in the place of the placeholder. */
  readonly fill: (text: string) => string
  /** The manifests, filled, as files. */
  readonly folder: string
  /** A folder with the `.curlrc` that leads `https://<host>` of the example to this Ostiary. */
  readonly curlHome: string
}

export interface ExampleOptions extends Omit<AuthorizationServerOptions, 'port'> {
  readonly host: string
}

/** The folder of an example. */
export function folderOf(example: string): string {
  return path.join(EXAMPLES, example)
}

/** Every example's name. */
export async function exampleNames(): Promise<readonly string[]> {
  const entries = await readdir(EXAMPLES, { withFileTypes: true })
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
}

/**
 * Runs an example with the clients and users that its README creates at Okta. What a cluster adds is added: the
 * EndpointSlice of the upstream, which is the demo's echo, and the TLS Secret.
 */
export async function runExample(
  example: string,
  { host, ...server }: ExampleOptions,
): Promise<RunningExample> {
  const authorizationServer = await startAuthorizationServer({ port: 0, ...server })
  onTestFinished(() => authorizationServer.close())
  const echo = await startEcho({ port: 0 })
  onTestFinished(() => echo.close())
  const fill = (text: string): string => text.replaceAll(PLACEHOLDER_ISSUER, authorizationServer.issuer)
  const folder = await filledCopy(example, fill)
  const pki = await createPrivateCa({ type: 2, value: host })
  const [, endpointSlice = {}] = service('httpbin', echo.port)
  const certificate = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'example-tls' },
    type: 'kubernetes.io/tls',
    stringData: { 'tls.crt': pki.cert, 'tls.key': pki.key },
  }
  await writeFile(path.join(folder, 'cluster.yaml'), yaml(endpointSlice, certificate))
  const manifests = await Promise.all(
    (await readdir(folder))
      .filter((name) => name.endsWith('.yaml'))
      .map((name) => readFile(path.join(folder, name), 'utf8')),
  )
  const ostiary = await startOstiary(manifests.join('\n---\n'), {
    proxy: {
      https: { host: '127.0.0.1', port: 0 },
      defaultCertificate: await createDefaultCertificate(new Date()),
    },
  })
  const { httpsPort = 0 } = ostiary
  const curlHome = await temporaryFolder()
  await writeFile(path.join(curlHome, 'ca.pem'), pki.ca)
  const lines = [
    `connect-to = ${host}:443:127.0.0.1:${httpsPort}`,
    `cacert = ${path.join(curlHome, 'ca.pem')}`,
  ]
  await writeFile(path.join(curlHome, '.curlrc'), lines.join('\n'))
  return { ostiary, httpsPort, authorizationServer, fill, folder, curlHome }
}

async function filledCopy(example: string, fill: (text: string) => string): Promise<string> {
  const folder = await temporaryFolder()
  for (const name of await readdir(folderOf(example))) {
    const text = await readFile(path.join(folderOf(example), name), 'utf8')
    await writeFile(path.join(folder, name), fill(text))
  }
  return folder
}

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'ostiary-example-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}
