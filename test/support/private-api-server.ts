import { spawn, type ChildProcess } from 'node:child_process'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { stringify } from 'yaml'
import { freePort } from './free-port.ts'

/** A real API server that nobody else uses: it may be loaded, killed and started again. */
export interface PrivateApiServer {
  /** File that leads to it with all permissions. */
  readonly kubeconfig: string
  readonly url: string
  readonly token: string
  /** PEM, for clients that make connections of their own. */
  readonly certificateAuthority: string
  /** Ends the API server at once, as a crash does; its objects stay. */
  kill(): Promise<void>
  /** Starts it again after `kill`, at the same address; resolves when it is ready. */
  start(): Promise<void>
  /** Ends everything and removes the objects. */
  close(): Promise<void>
}

/**
 * The folder of `etcd` and `kube-apiserver`: KUBEBUILDER_ASSETS, as controller-runtime's envtest has it. `undefined`
 * where it is not set, or they are not in there.
 */
export function apiServerBinaries(): string | undefined {
  const folder = process.env['KUBEBUILDER_ASSETS']
  const isThere = folder !== undefined && existsSync(path.join(folder, 'kube-apiserver'))
  return isThere && existsSync(path.join(folder, 'etcd')) ? folder : undefined
}

/** Starts etcd and an API server on free ports of loopback, without controllers. @param binaries Their folder. */
export async function startPrivateApiServer(binaries: string): Promise<PrivateApiServer> {
  const folder = mkdtempSync(path.join(tmpdir(), 'ostiary-api-server-'))
  const [client, peer, port] = [await freePort(), await freePort(), await freePort()]
  const token = randomBytes(16).toString('hex')
  const url = `https://127.0.0.1:${port}`
  const kubeconfig = path.join(folder, 'kubeconfig')
  const certificate = path.join(folder, 'certs/apiserver.crt')
  const tokens = path.join(folder, 'tokens.csv')
  const key = path.join(folder, 'service-account.key')
  writeFileSync(tokens, `${token},admin,admin,"system:masters"\n`, { mode: 0o600 })
  writeFileSync(key, privateKeyPem(), { mode: 0o600 })
  writeFileSync(kubeconfig, kubeConfigText(url, certificate, token), { mode: 0o600 })
  const etcd = run(path.join(binaries, 'etcd'), etcdFlags(path.join(folder, 'etcd'), client, peer))
  let server: ChildProcess | undefined

  const kill = async (): Promise<void> => {
    await end(server)
    server = undefined
  }
  const start = async (): Promise<void> => {
    server = run(path.join(binaries, 'kube-apiserver'), [
      `--etcd-servers=http://127.0.0.1:${client}`,
      `--secure-port=${port}`,
      '--bind-address=127.0.0.1',
      '--advertise-address=127.0.0.1',
      '--service-cluster-ip-range=10.96.0.0/16',
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-signing-key-file=${key}`,
      `--service-account-key-file=${key}`,
      `--cert-dir=${path.dirname(certificate)}`,
      `--token-auth-file=${tokens}`,
      '--authorization-mode=RBAC',
      // No controller makes the account that it would ask for.
      '--disable-admission-plugins=ServiceAccount',
    ])
    await ready(url, certificate, token, server)
  }
  const close = async (): Promise<void> => {
    await kill()
    await end(etcd)
    rmSync(folder, { recursive: true })
  }
  try {
    await start()
  } catch (error) {
    await close()
    throw error
  }
  return {
    kubeconfig,
    url,
    token,
    certificateAuthority: readFileSync(certificate, 'utf8'),
    kill,
    start,
    close,
  }
}

function etcdFlags(folder: string, client: number, peer: number): string[] {
  const [clientUrl, peerUrl] = [`http://127.0.0.1:${client}`, `http://127.0.0.1:${peer}`]
  return [
    `--data-dir=${folder}`,
    `--listen-client-urls=${clientUrl}`,
    `--advertise-client-urls=${clientUrl}`,
    `--listen-peer-urls=${peerUrl}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=default=${peerUrl}`,
    '--log-level=error',
    // What is lost with this machine is lost on purpose.
    '--unsafe-no-fsync',
  ]
}

function run(command: string, flags: readonly string[]): ChildProcess {
  return spawn(command, flags, { stdio: 'ignore' })
}

async function end(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

async function ready(url: string, certificate: string, token: string, server: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt += 1) {
    if (server.exitCode !== null) throw new Error(`kube-apiserver ended with ${server.exitCode}`)
    if (existsSync(certificate)) {
      const dispatcher = new Agent({ connect: { ca: readFileSync(certificate) } })
      const headers = { authorization: `Bearer ${token}` }
      const isReady = await request(`${url}/readyz`, { dispatcher, headers }).then(
        async ({ statusCode, body }) => {
          await body.dump()
          return statusCode === 200
        },
        () => false,
      )
      await dispatcher.destroy()
      if (isReady) return
    }
    await pause(100)
  }
  throw new Error('kube-apiserver was not ready within a minute')
}

function kubeConfigText(server: string, certificate: string, token: string): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'private', cluster: { server, 'certificate-authority': certificate } }],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'private', context: { cluster: 'private', user: 'admin' } }],
    'current-context': 'private',
  })
}

function privateKeyPem(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return privateKey.export({ type: 'pkcs8', format: 'pem' })
}
