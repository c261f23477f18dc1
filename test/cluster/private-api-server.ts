import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { vi } from 'vitest'
import { requirement } from '../support/requirements.ts'
import { kubectl } from './kubectl.ts'

const ASSETS = process.env['KUBEBUILDER_ASSETS'] ?? ''
const HOST = '127.0.0.1'
/** On a busy machine its start takes a while. */
const COME_UP = { timeout: 90_000, interval: 200 }

/** For `describe.skipIf`: whether etcd and kube-apiserver are absent. */
export function apiServerRequirement(): boolean {
  const reason = 'put both on the PATH, or name their folder by KUBEBUILDER_ASSETS'
  return requirement('etcd or kube-apiserver', ['etcd', 'kube-apiserver'].every(isThere), reason)
}

function isThere(name: string): boolean {
  return existsSync(path.join(ASSETS, name)) || spawnSync(name, ['--version']).error === undefined
}

function start(name: string, args: readonly string[]): ChildProcess {
  const file = existsSync(path.join(ASSETS, name)) ? path.join(ASSETS, name) : name
  return spawn(file, args, { stdio: 'ignore' })
}

/**
 * An API server of a test's own, on its own etcd and on free ports of this machine, to be killed and started at will.
 * Nothing else runs on it: no controllers, no nodes.
 */
export class PrivateApiServer {
  readonly #folder: string
  readonly #etcdPort: number
  readonly #etcd: ChildProcess
  readonly #port: number
  #server: ChildProcess | undefined

  private constructor(folder: string, etcdPort: number, port: number, etcd: ChildProcess) {
    this.#folder = folder
    this.#etcdPort = etcdPort
    this.#port = port
    this.#etcd = etcd
  }

  static async create(): Promise<PrivateApiServer> {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'ostiary-api-server-'))
    const [etcdPort = 0, peerPort = 0, port = 0] = await freePorts(3)
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    await writeFile(path.join(folder, 'sa.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }))
    const peer = `http://${HOST}:${peerPort}`
    const etcd = start('etcd', [
      '--data-dir',
      path.join(folder, 'etcd'),
      '--unsafe-no-fsync',
      '--log-level=error',
      `--listen-client-urls=http://${HOST}:${etcdPort}`,
      `--advertise-client-urls=http://${HOST}:${etcdPort}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=default=${peer}`,
    ])
    const created = new PrivateApiServer(folder, etcdPort, port, etcd)
    await created.rotateToken()
    return created
  }

  /** Reads its token from a file, as a pod does, each time that it is loaded. */
  get kubeconfig(): string {
    return path.join(this.#folder, 'kubeconfig')
  }

  /** What a server takes that is started from now on. The file with the client's token is left for {@link handOutToken}. */
  async rotateToken(): Promise<void> {
    const token = randomBytes(16).toString('hex')
    await writeFile(path.join(this.#folder, 'tokens.csv'), `${token},admin,admin,"system:masters"\n`)
  }

  /** Gives the client the token that counts now. */
  async handOutToken(): Promise<void> {
    const [token = ''] = (await readFile(path.join(this.#folder, 'tokens.csv'), 'utf8')).split(',')
    await writeFile(path.join(this.#folder, 'token'), token, { mode: 0o600 })
  }

  /** Starts it where its clients know it, and waits until it is ready. */
  async start(): Promise<void> {
    this.#server = await this.#run(this.#port)
    await this.handOutToken()
    const token = path.join(this.#folder, 'token')
    await this.#writeKubeconfig(this.kubeconfig, this.#port, { tokenFile: token })
    await this.#ready(this.kubeconfig)
  }

  /** As {@link start}, but leaves the client with whatever token it has. */
  async startSilently(): Promise<void> {
    this.#server = await this.#run(this.#port)
    await this.#ready(await this.#ownKubeconfig(this.#port))
  }

  /** Lets a server run beside, which no client knows, for as long as something is done by its kubeconfig. */
  async behindTheScenes(act: (kubeconfig: string) => Promise<void>): Promise<void> {
    const [port = 0] = await freePorts(1)
    const server = await this.#run(port)
    const kubeconfig = await this.#ownKubeconfig(port)
    await this.#ready(kubeconfig)
    await act(kubeconfig)
    await end(server)
  }

  /** SIGKILL: connections are reset, and nobody is told. */
  async kill(): Promise<void> {
    if (this.#server !== undefined) await end(this.#server)
  }

  /** Connections stay, and nothing is answered. */
  stall(): void {
    this.#server?.kill('SIGSTOP')
  }

  goOn(): void {
    this.#server?.kill('SIGCONT')
  }

  async close(): Promise<void> {
    await Promise.all([this.kill(), end(this.#etcd)])
    await rm(this.#folder, { recursive: true, force: true })
  }

  async #run(port: number): Promise<ChildProcess> {
    const key = path.join(this.#folder, 'sa.key')
    return start('kube-apiserver', [
      `--etcd-servers=http://${HOST}:${this.#etcdPort}`,
      `--bind-address=${HOST}`,
      `--secure-port=${port}`,
      `--cert-dir=${path.join(this.#folder, 'certs')}`,
      '--service-cluster-ip-range=10.97.0.0/16',
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-signing-key-file=${key}`,
      `--service-account-key-file=${key}`,
      `--token-auth-file=${path.join(this.#folder, 'tokens.csv')}`,
      '--authorization-mode=RBAC',
    ])
  }

  async #ownKubeconfig(port: number): Promise<string> {
    const [token = ''] = (await readFile(path.join(this.#folder, 'tokens.csv'), 'utf8')).split(',')
    const file = path.join(this.#folder, `kubeconfig-${port}`)
    await this.#writeKubeconfig(file, port, { token })
    return file
  }

  async #writeKubeconfig(file: string, port: number, user: object): Promise<void> {
    const certificate = path.join(this.#folder, 'certs', 'apiserver.crt')
    await vi.waitFor(() => {
      if (!existsSync(certificate)) throw new Error('kube-apiserver has made no certificate')
    }, COME_UP)
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        { name: 'own', cluster: { server: `https://${HOST}:${port}`, 'certificate-authority': certificate } },
      ],
      users: [{ name: 'admin', user }],
      contexts: [{ name: 'own', context: { cluster: 'own', user: 'admin' } }],
      'current-context': 'own',
    }
    await writeFile(file, JSON.stringify(config), { mode: 0o600 })
  }

  async #ready(kubeconfig: string): Promise<void> {
    const get = (what: string) => kubectl(['--kubeconfig', kubeconfig, 'get', what])
    await vi.waitFor(() => get('--raw=/readyz'), COME_UP)
    await vi.waitFor(() => get('namespace/default'), COME_UP)
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer()
      await new Promise<void>((resolve) => {
        server.listen(0, HOST, resolve)
      })
      return server
    }),
  )
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => void server.close(resolve))))
  return ports
}
