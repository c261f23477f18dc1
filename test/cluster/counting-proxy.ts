import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'

export interface CountedRequest {
  readonly method: string
  /** With the query. */
  readonly path: string
}

/** Stands between one process and the API server, with the administrator's rights, and notes what is asked for. */
export class CountingProxy {
  readonly requests: CountedRequest[] = []
  readonly #kubectl: ChildProcess
  readonly #server: Server
  readonly #folder: string

  private constructor(child: ChildProcess, upstreamPort: number, folder: string) {
    this.#kubectl = child
    this.#folder = folder
    this.#server = createServer((incoming, response) => this.#forward(incoming, response, upstreamPort))
  }

  static async start(): Promise<CountingProxy> {
    const child = spawn('kubectl', ['proxy', '--port=0'], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
    const port = Number(/:(\d+)$/.exec(line)?.[1])
    const folder = await mkdtemp(path.join(tmpdir(), 'ostiary-counting-'))
    const proxy = new CountingProxy(child, port, folder)
    await once(proxy.#server.listen(0, '127.0.0.1'), 'listening')
    await writeFile(proxy.kubeconfig, JSON.stringify(proxy.#config()))
    return proxy
  }

  get kubeconfig(): string {
    return path.join(this.#folder, 'kubeconfig')
  }

  /** All that changes something, but for the Lease, which its holder renews every other second. */
  get writes(): CountedRequest[] {
    return this.requests.filter(({ method, path: asked }) => method !== 'GET' && !asked.includes('/leases'))
  }

  /** The objects, as `ingresses/name`, whose status was written. */
  get statusWrites(): string[] {
    return this.writes.flatMap(({ path: asked }) => /\/([^/]+\/[^/]+)\/status\?/.exec(asked)?.[1] ?? [])
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    this.#kubectl.kill()
    await rm(this.#folder, { recursive: true, force: true })
  }

  #config(): object {
    const { port } = this.#server.address() as AddressInfo
    const cluster = { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true }
    return {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'c', cluster }],
      users: [{ name: 'u', user: {} }],
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'c',
    }
  }

  #forward(incoming: IncomingMessage, response: ServerResponse, port: number): void {
    const { method = '', url = '' } = incoming
    this.requests.push({ method, path: url })
    const headers = { ...incoming.headers, host: `127.0.0.1:${port}` }
    const outgoing = request({ host: '127.0.0.1', port, method, path: url, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      response.flushHeaders()
      answer.pipe(response)
      answer.on('error', () => response.destroy())
    })
    outgoing.on('error', () => response.destroy())
    response.on('close', () => outgoing.destroy())
    incoming.pipe(outgoing)
  }
}
