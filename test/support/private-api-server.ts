import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { freePort } from './free-port.ts'

/** As controller-runtime's envtest has it. */
const ASSETS = process.env['KUBEBUILDER_ASSETS'] ?? ''
const HOST = '127.0.0.1'
/** On a busy machine its start takes a while. */
const READY = { attempts: 450, pauseMs: 200 }

/** How to provide what {@link hasApiServer} misses. */
export const API_SERVER_REMEDY =
  'put etcd and kube-apiserver on the PATH, or name their folder by KUBEBUILDER_ASSETS'

/** Whether etcd and kube-apiserver are on this machine. */
export function hasApiServer(): boolean {
  return ['etcd', 'kube-apiserver'].every(isThere)
}

function isThere(name: string): boolean {
  return existsSync(path.join(ASSETS, name)) || spawnSync(name, ['--version']).error === undefined
}

function start(name: string, args: readonly string[]): ChildProcess {
  const file = existsSync(path.join(ASSETS, name)) ? path.join(ASSETS, name) : name
  return spawn(file, args, { stdio: 'ignore' })
}

/**
 * A real API server that nobody else uses, on its own etcd and on free ports of this machine, to be loaded, killed and
 * started at will. Nothing else runs on it: no controllers, no nodes.
 */
export class PrivateApiServer {
  readonly #folder: string
  readonly #etcdPort: number
  readonly #etcd: ChildProcess
  readonly #port: number
  #server: ChildProcess | undefined
  #token = ''

  private constructor(folder: string, etcdPort: number, port: number, etcd: ChildProcess) {
    this.#folder = folder
    this.#etcdPort = etcdPort
    this.#port = port
    this.#etcd = etcd
  }

  static async create(): Promise<PrivateApiServer> {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'ostiary-api-server-'))
    const [etcdPort, peerPort, port] = [await freePort(), await freePort(), await freePort()]
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

  get url(): string {
    return urlOf(this.#port)
  }

  /** What counts now, with all permissions. */
  get token(): string {
    return this.#token
  }

  /** PEM, for clients that make connections of their own. */
  get certificateAuthority(): string {
    return readFileSync(this.#certificate, 'utf8')
  }

  /** Reads its token from a file, as a pod does, each time that it is loaded. */
  get kubeconfig(): string {
    return path.join(this.#folder, 'kubeconfig')
  }

  /** What a server takes that is started from now on. The file with the client's token is left for {@link handOutToken}. */
  async rotateToken(): Promise<void> {
    this.#token = randomBytes(16).toString('hex')
    const line = `${this.#token},admin,admin,"system:masters"\n`
    await writeFile(path.join(this.#folder, 'tokens.csv'), line, { mode: 0o600 })
  }

  /** Gives the client the token that counts now. */
  async handOutToken(): Promise<void> {
    await writeFile(path.join(this.#folder, 'token'), this.#token, { mode: 0o600 })
  }

  /** Starts it where its clients know it, and waits until it is ready. */
  async start(): Promise<void> {
    await this.startSilently()
    await this.handOutToken()
    const tokenFile = path.join(this.#folder, 'token')
    await this.#writeKubeconfig(this.kubeconfig, this.#port, { tokenFile })
  }

  /** As {@link start}, but leaves the client with whatever token it has. */
  async startSilently(): Promise<void> {
    this.#server = this.#run(this.#port)
    await this.#ready(this.#port, this.#server)
  }

  /** Lets a server run beside, which no client knows, for as long as something is done by its kubeconfig. */
  async behindTheScenes(act: (kubeconfig: string) => Promise<void>): Promise<void> {
    const port = await freePort()
    const server = this.#run(port)
    await this.#ready(port, server)
    const kubeconfig = path.join(this.#folder, `kubeconfig-${port}`)
    await this.#writeKubeconfig(kubeconfig, port, { token: this.#token })
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

  get #certificate(): string {
    return path.join(this.#folder, 'certs', 'apiserver.crt')
  }

  #run(port: number): ChildProcess {
    const key = path.join(this.#folder, 'sa.key')
    return start('kube-apiserver', [
      `--etcd-servers=http://${HOST}:${this.#etcdPort}`,
      `--bind-address=${HOST}`,
      `--advertise-address=${HOST}`,
      `--secure-port=${port}`,
      `--cert-dir=${path.join(this.#folder, 'certs')}`,
      '--service-cluster-ip-range=10.97.0.0/16',
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-signing-key-file=${key}`,
      `--service-account-key-file=${key}`,
      `--token-auth-file=${path.join(this.#folder, 'tokens.csv')}`,
      '--authorization-mode=RBAC',
      // No controller makes the account that it would ask for.
      '--disable-admission-plugins=ServiceAccount',
    ])
  }

  async #writeKubeconfig(file: string, port: number, user: object): Promise<void> {
    const cluster = { server: urlOf(port), 'certificate-authority': this.#certificate }
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'own', cluster }],
      users: [{ name: 'admin', user }],
      contexts: [{ name: 'own', context: { cluster: 'own', user: 'admin' } }],
      'current-context': 'own',
    }
    await writeFile(file, JSON.stringify(config), { mode: 0o600 })
  }

  async #ready(port: number, server: ChildProcess): Promise<void> {
    for (let attempt = 0; attempt < READY.attempts; attempt += 1) {
      if (server.exitCode !== null) throw new Error(`kube-apiserver ended with ${server.exitCode}`)
      if (existsSync(this.#certificate) && (await this.#answers(port))) return
      await pause(READY.pauseMs)
    }
    throw new Error('kube-apiserver was not ready within 90 seconds')
  }

  /** Its namespaces come a moment after it says that it is ready. */
  async #answers(port: number): Promise<boolean> {
    const dispatcher = new Agent({ connect: { ca: this.certificateAuthority } })
    const headers = { authorization: `Bearer ${this.#token}` }
    const isFound = async (target: string): Promise<boolean> => {
      const { statusCode, body } = await request(urlOf(port) + target, { dispatcher, headers })
      await body.dump()
      return statusCode === 200
    }
    try {
      return (await isFound('/readyz')) && (await isFound('/api/v1/namespaces/default'))
    } catch {
      return false
    } finally {
      await dispatcher.destroy()
    }
  }
}

function urlOf(port: number): string {
  return `https://${HOST}:${port}`
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}
