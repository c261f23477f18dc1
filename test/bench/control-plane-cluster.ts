import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { parse } from 'yaml'
import type { PrivateApiServer } from '../support/private-api-server.ts'
import { benchObjects, namespaceObjects, type BenchObject, type BenchWorld } from './control-plane-objects.ts'

const CRDS = path.join(import.meta.dirname, '../../crds')
const CONCURRENCY = 48

/** An API server under our control, that is filled and changed. */
export class BenchCluster {
  readonly #server: Pick<PrivateApiServer, 'url' | 'token' | 'certificateAuthority'>
  readonly #agent: Agent
  #count = 0

  constructor(server: Pick<PrivateApiServer, 'url' | 'token' | 'certificateAuthority'>) {
    this.#server = server
    this.#agent = new Agent({ connections: CONCURRENCY, connect: { ca: server.certificateAuthority } })
  }

  /** Installs our own kinds. */
  async install(): Promise<void> {
    const collection = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
    for (const file of readdirSync(CRDS)) {
      await this.#create({ collection, body: parse(readFileSync(path.join(CRDS, file), 'utf8')) as object })
    }
    for (const plural of ['oidcplugins', 'consumers']) {
      const isServed = async (): Promise<boolean> =>
        (await this.#send('GET', `/apis/ostiary.dev/v1alpha1/${plural}`)).status === 200
      while (!(await isServed())) await pause(50)
    }
  }

  /** Adds Ingresses with all that belongs to them until there are so many. */
  async grow(count: number, world: BenchWorld): Promise<void> {
    for (const each of namespaceObjects(count)) await this.#create(each)
    const objects = benchObjects(this.#count, count, world)
    const work = async (): Promise<void> => {
      for (const each of objects) await this.#create(each)
    }
    await Promise.all(Array.from({ length: CONCURRENCY }, work))
    this.#count = count
  }

  /** Changes fields of an object. */
  async patch(object: string, change: object): Promise<void> {
    const { status, text } = await this.#send('PATCH', object, change, 'application/merge-patch+json')
    if (status !== 200) throw new Error(`PATCH ${object}: ${status} ${text}`)
  }

  /** Changes something that Ostiary does not look at, which costs the API server as much. */
  async patchUnrelated(turn: number): Promise<void> {
    const target = '/api/v1/namespaces/default/configmaps/bench?fieldManager=bench&force=true'
    const body = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'bench' },
      data: { turn: String(turn) },
    }
    const { status, text } = await this.#send('PATCH', target, body, 'application/apply-patch+yaml')
    if (status >= 300) throw new Error(`PATCH ${target}: ${status} ${text}`)
  }

  /** How many statuses were applied so far, by whomever. */
  async statusWrites(): Promise<number> {
    const { text } = await this.#send('GET', '/metrics')
    const lines = text.split('\n').filter((line) => line.startsWith('apiserver_request_total{'))
    return lines
      .filter((line) => line.includes('subresource="status"') && line.includes('verb="APPLY"'))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
  }

  async close(): Promise<void> {
    await this.#agent.destroy()
  }

  async #create({ collection, body }: BenchObject): Promise<void> {
    const { status, text } = await this.#send('POST', collection, body)
    if (status !== 201 && status !== 409) throw new Error(`POST ${collection}: ${status} ${text}`)
  }

  async #send(
    method: 'GET' | 'POST' | 'PATCH',
    target: string,
    body?: object,
    type = 'application/json',
  ): Promise<{ readonly status: number; readonly text: string }> {
    const { url, token } = this.#server
    const answer = await request(url + target, {
      method,
      dispatcher: this.#agent,
      headers: { authorization: `Bearer ${token}`, 'content-type': type },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    return { status: answer.statusCode, text: await answer.body.text() }
  }
}
