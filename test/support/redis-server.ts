import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { freePort } from './free-port.ts'
import { requirement } from './requirements.ts'

/** True when tests with Redis must be skipped: redis-server (Debian: the package of that name) is not here. */
export function redisRequirement(): boolean {
  const isThere = spawnSync('redis-server', ['--version']).status === 0
  return requirement('redis-server', isThere, 'install it, for example with: apt-get install redis-server')
}

export interface RedisServerOptions {
  /** Default: a free one. */
  readonly port?: number
  /** Lines of redis.conf beyond the address. */
  readonly config?: readonly string[]
  /** A Sentinel instead of a server. */
  readonly sentinel?: boolean
  /** PEM texts: listens with TLS and without it no more. */
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string }
}

/** A redis-server process on loopback, in memory only. */
export class RedisProcess {
  readonly port: number
  readonly #options: RedisServerOptions
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'ostiary-redis-'))
  #child: ChildProcess | undefined

  private constructor(port: number, options: RedisServerOptions) {
    this.port = port
    this.#options = options
  }

  static async start(options: RedisServerOptions = {}): Promise<RedisProcess> {
    const redis = new RedisProcess(options.port ?? (await freePort()), options)
    await redis.start()
    return redis
  }

  /** Starts it again on its port after `kill`. */
  async start(): Promise<void> {
    const file = path.join(this.#folder, 'redis.conf')
    writeFileSync(file, this.#lines().join('\n'))
    const child = spawn('redis-server', [file, ...(this.#options.sentinel ? ['--sentinel'] : [])])
    this.#child = child
    const ready = this.#options.sentinel ? /Sentinel ID is|\+monitor/ : /Ready to accept connections/
    await new Promise<void>((resolve, reject) => {
      let output = ''
      child.stdout.on('data', (chunk: Buffer) => {
        output += chunk.toString()
        if (ready.test(output)) resolve()
      })
      child.once('error', reject)
      child.once('exit', () => reject(new Error(`redis-server ended: ${output}`)))
    })
  }

  /** Ends it as a crash would. */
  async kill(): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => {
      child.once('exit', resolve)
    })
    child.kill('SIGKILL')
    await ended
  }

  /** Stops it from answering, with its connections open, until `resume`. */
  pause(): void {
    this.#child?.kill('SIGSTOP')
  }

  resume(): void {
    this.#child?.kill('SIGCONT')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #lines(): string[] {
    const { tls, config = [] } = this.#options
    const lines = ['bind 127.0.0.1', `dir ${this.#folder}`, ...(this.#options.sentinel ? [] : ['save ""'])]
    if (tls === undefined) return [...lines, `port ${this.port}`, ...config]
    const files = { 'tls-ca-cert-file': tls.ca, 'tls-cert-file': tls.cert, 'tls-key-file': tls.key }
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(path.join(this.#folder, name), text)
      lines.push(`${name} ${path.join(this.#folder, name)}`)
    }
    return [...lines, 'port 0', `tls-port ${this.port}`, 'tls-auth-clients no', ...config]
  }
}
