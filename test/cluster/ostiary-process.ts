import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { request, type Dispatcher } from 'undici'
import { vi } from 'vitest'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

export interface Answer {
  readonly status: number
  readonly headers: Dispatcher.ResponseData['headers']
  readonly body: string
}

interface Ports {
  readonly http: number
  readonly https: number
  readonly admin: number
}

/** `ostiary run` as a process of this machine, on the cluster of KUBECONFIG and on ports that are free. */
export class OstiaryProcess {
  readonly #child: ChildProcess
  readonly #listening = Promise.withResolvers<Ports>()
  readonly #exited: Promise<number | string | null>
  /** What it logged so far. */
  log = ''

  /** @param env Variables that it has beside those of this process. */
  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const ports = ['http', 'https', 'admin'].flatMap((name) => [`--${name}-port`, '0'])
    const kubeconfig = ['--kubeconfig', process.env['KUBECONFIG'] ?? '']
    const all = [
      MAIN,
      'run',
      '--workers',
      '2',
      '--drain-timeout',
      '5s',
      // Nobody else sends it requests.
      '--shutdown-delay',
      '0s',
      ...ports,
      ...kubeconfig,
      ...args,
    ]
    this.#child = spawn(process.execPath, all, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    })
    const take = (chunk: Buffer): void => {
      this.log += chunk.toString()
      const found = portsIn(this.log)
      if (found !== undefined) this.#listening.resolve(found)
    }
    this.#child.stdout?.on('data', take)
    this.#child.stderr?.on('data', take)
    this.#exited = once(this.#child, 'exit').then(([code, signal]) => (code ?? signal) as number | string)
    void this.#exited.then(() => this.#listening.reject(new Error(`ostiary ended:\n${this.log}`)))
    this.#listening.promise.catch(() => {})
  }

  /** Where it listens. @throws {Error} With the log, when it ended instead. */
  ports(): Promise<Ports> {
    return this.#listening.promise
  }

  /** Resolves once `/readyz` says yes. */
  async ready(): Promise<void> {
    await this.ports()
    const check = async (): Promise<void> => {
      const { status, body } = await this.probe('/readyz')
      if (status !== 200) throw new Error(`not ready: ${body}${this.log}`)
    }
    await vi.waitFor(check, { timeout: 60_000, interval: 25 })
  }

  /** A GET to the proxy, as if `host` were its name. Redirects are not followed. */
  async get(host: string, path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const { http } = await this.ports()
    return answerOf(await request(`http://127.0.0.1:${http}${path}`, { headers: { ...headers, host } }))
  }

  async probe(path: '/livez' | '/readyz' | '/metrics'): Promise<Answer> {
    const { admin } = await this.ports()
    return answerOf(await request(`http://127.0.0.1:${admin}${path}`))
  }

  /** The exit code, or the signal that ended it, once it has ended by itself. */
  exited(): Promise<number | string | null> {
    return this.#exited
  }

  /** Sends SIGTERM. @returns The exit code, or the signal that ended it. */
  async stop(): Promise<number | string | null> {
    this.#child.kill('SIGTERM')
    return this.#exited
  }

  /** Ends it at once, if it still runs. */
  kill(): void {
    this.#child.kill('SIGKILL')
  }
}

async function answerOf({ statusCode, headers, body }: Dispatcher.ResponseData): Promise<Answer> {
  return { status: statusCode, headers, body: await body.text() }
}

/** The log names the ports in two lines: that of the probes, and that of the proxy. */
function portsIn(log: string): Ports | undefined {
  const admin = /"address":"http:\/\/[^"]*:(\d+)"/.exec(log)?.[1]
  const http = /"http":(\d+)/.exec(log)?.[1]
  const https = /"https":(\d+)/.exec(log)?.[1]
  if (admin === undefined || http === undefined || https === undefined) return undefined
  return { http: Number(http), https: Number(https), admin: Number(admin) }
}
