import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { KubeConfig } from '@kubernetes/client-node'

/** A Kubernetes object, as far as this server looks into it. */
export interface RawObject {
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [field: string]: unknown }
  readonly [field: string]: unknown
}

export interface RecordedRequest {
  readonly method: string
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly authorization: string | undefined
  readonly contentType: string | undefined
  readonly body: string
}

type Verb = 'list' | 'watch' | 'get' | 'create' | 'update' | 'patch'

/** Answers one request in place of the server's own behaviour. */
export type Handler = (request: RecordedRequest, response: ServerResponse) => void

/** A watch that is open. */
export interface OpenWatch {
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  /** Sends one event as it is given, with whatever resource version it has. */
  event(type: string, object: unknown): void
  /** Sends bytes as they are: half lines, no JSON. */
  raw(text: string): void
  /** Ends the answer as a server does on its timeout. */
  end(): void
  /** Resets the connection. */
  reset(): void
}

interface LoggedEvent {
  readonly version: number
  readonly type: string
  readonly object: RawObject
}

/**
 * A stand-in for the Kubernetes API server: collections with lists in pages, watches that resume from a resource
 * version, creation, replacement, and patches of whole fields; and for any request a handler of the test's own, put in front by `once`.
 */
export class ScriptedApiServer {
  readonly requests: RecordedRequest[] = []
  readonly watches: OpenWatch[] = []
  connections = 0
  /** When set, every request without it is answered 401. */
  token: string | undefined
  /** Collections that exist; others are 404. */
  readonly #collections = new Map<string, Map<string, RawObject>>()
  readonly #events = new Map<string, LoggedEvent[]>()
  readonly #handlers: { readonly verb: string; readonly path: string; readonly handler: Handler }[] = []
  readonly #server: Server
  #version = 100

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(...collections: readonly string[]): Promise<ScriptedApiServer> {
    const server = createServer()
    const scripted = new ScriptedApiServer(server)
    for (const path of collections) scripted.install(path)
    server.on('connection', () => (scripted.connections += 1))
    server.on('request', (request, response) => void scripted.#serve(request, response))
    await once(server.listen(0, '127.0.0.1'), 'listening')
    return scripted
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  kubeConfig(token = 'token'): KubeConfig {
    const config = new KubeConfig()
    const cluster = { name: 'scripted', server: this.url, skipTLSVerify: true }
    config.loadFromClusterAndUser(cluster, { name: 'tester', token })
    return config
  }

  /** Makes a collection exist, as installing a CRD does. */
  install(path: string): void {
    this.#collections.set(path, this.#collections.get(path) ?? new Map())
  }

  /** Adds or replaces an object under a new resource version and tells all watches of the collection. */
  put(path: string, object: RawObject): RawObject {
    const collection = this.#collections.get(path) ?? new Map<string, RawObject>()
    this.#collections.set(path, collection)
    const key = keyOf(object)
    const type = collection.has(key) ? 'MODIFIED' : 'ADDED'
    const stamped = this.#stamp(object)
    collection.set(key, stamped)
    this.#record(path, type, stamped)
    return stamped
  }

  /** Deletes an object and tells all watches of the collection. */
  delete(path: string, object: RawObject): void {
    this.#collections.get(path)?.delete(keyOf(object))
    this.#record(path, 'DELETED', this.#stamp(object))
  }

  /** Changes a collection without telling anybody, as what happens while a watch is cut. */
  deleteSilently(path: string, object: RawObject): void {
    this.#version += 1
    this.#collections.get(path)?.delete(keyOf(object))
  }

  /** Lets the next matching request be answered by a handler. Handlers of one verb and path run in their order. */
  once(verb: Verb, path: string, handler: Handler): void {
    this.#handlers.push({ verb, path, handler })
  }

  requestsFor(verb: Verb, path: string): RecordedRequest[] {
    return this.requests.filter(
      (request) => verbOf(request, this.#collections) === verb && request.path === path,
    )
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await record(incoming)
    this.requests.push(request)
    const verb = verbOf(request, this.#collections)
    const index = this.#handlers.findIndex((each) => each.verb === verb && each.path === request.path)
    const [scripted] = index === -1 ? [] : this.#handlers.splice(index, 1)
    if (scripted !== undefined) return scripted.handler(request, response)
    if (this.token !== undefined && request.authorization !== `Bearer ${this.token}`) {
      return answerStatus(response, 401, 'Unauthorized')
    }
    this.#answer(verb, request, response)
  }

  #answer(verb: string, request: RecordedRequest, response: ServerResponse): void {
    if (verb === 'create') return this.#create(request, response)
    if (verb === 'get') return this.#get(request, response)
    if (verb === 'update') return this.#update(request, response)
    if (verb === 'patch') return this.#patch(request, response)
    const collection = this.#collections.get(request.path)
    if (collection === undefined) return answerStatus(response, 404, 'NotFound')
    if (verb === 'watch') return this.watch(request, response)
    const items = [...collection.values()].map(({ apiVersion: _, kind: __, ...item }) => item)
    const start = Number(request.query['continue'] ?? 0)
    const end = start + Number(request.query['limit'] ?? items.length)
    const next = end < items.length ? String(end) : undefined
    answerJson(response, 200, {
      kind: 'List',
      metadata: { resourceVersion: String(this.#version), ...(next && { continue: next }) },
      items: items.slice(start, end),
    })
  }

  /** The server's own watch: what happened after the asked version, then what happens. */
  watch(request: RecordedRequest, response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.flushHeaders()
    const watch: OpenWatch = {
      path: request.path,
      query: request.query,
      event: (type, object) => void response.write(`${JSON.stringify({ type, object })}\n`),
      raw: (text) => void response.write(text),
      end: () => void response.end(),
      reset: () => response.socket?.resetAndDestroy(),
    }
    this.watches.push(watch)
    response.on('close', () => this.watches.splice(this.watches.indexOf(watch), 1))
    const since = Number(request.query['resourceVersion'])
    for (const { version, type, object } of this.#events.get(request.path) ?? []) {
      if (version > since) watch.event(type, object)
    }
  }

  #create(request: RecordedRequest, response: ServerResponse): void {
    const object = JSON.parse(request.body) as RawObject
    const collection = this.#collectionOf(request.path)
    if (this.#collections.get(collection)?.has(keyOf(object)) === true) {
      return answerStatus(response, 409, 'AlreadyExists')
    }
    answerJson(response, 201, this.put(collection, object))
  }

  #get(request: RecordedRequest, response: ServerResponse): void {
    const found = this.object(request.path)
    if (found === undefined) return answerStatus(response, 404, 'NotFound')
    answerJson(response, 200, found)
  }

  /** The object at a path, as it is now. Namespaced paths are of collections in all namespaces too. */
  object(path: string): RawObject | undefined {
    const slash = path.lastIndexOf('/')
    const name = path.slice(slash + 1)
    const collection = this.#collectionOf(path.slice(0, slash))
    const namespace = /\/namespaces\/([^/]+)\//.exec(path)?.[1]
    return [...(this.#collections.get(collection)?.values() ?? [])].find(
      ({ metadata }) =>
        metadata.name === name &&
        (namespace === undefined || (metadata.namespace ?? namespace) === namespace),
    )
  }

  #collectionOf(path: string): string {
    return this.#collections.has(path) ? path : path.replace(/\/namespaces\/[^/]+/, '')
  }

  #update(request: RecordedRequest, response: ServerResponse): void {
    const before = this.object(request.path)
    if (before === undefined) return answerStatus(response, 404, 'NotFound')
    const after = JSON.parse(request.body) as RawObject
    const version = after.metadata['resourceVersion']
    if (version !== undefined && version !== before.metadata['resourceVersion']) {
      return answerStatus(response, 409, 'Conflict')
    }
    answerJson(response, 200, this.put(this.#collectionOf(parentOf(request.path)), after))
  }

  /** Replaces the top fields that are sent; of `/status` that one, noting its manager. A wrong uid is a conflict. */
  #patch(request: RecordedRequest, response: ServerResponse): void {
    const path = request.path.replace(/\/status$/, '')
    const before = this.object(path)
    if (before === undefined) return answerStatus(response, 404, 'NotFound')
    const { metadata, ...sent } = JSON.parse(request.body) as Partial<RawObject>
    if (metadata?.['uid'] !== undefined && metadata['uid'] !== before.metadata['uid']) {
      return answerStatus(response, 409, 'Conflict')
    }
    const { status: _, ...rest } = before
    const isStatus = path !== request.path
    const manager = { manager: request.query['fieldManager'], subresource: 'status' }
    const managedFields = sent['status'] === undefined ? [] : [manager]
    const after = isStatus
      ? { ...rest, ...sent, metadata: { ...before.metadata, managedFields } }
      : { ...before, ...sent }
    answerJson(response, 200, this.put(this.#collectionOf(parentOf(path)), after))
  }

  #stamp(object: RawObject): RawObject {
    this.#version += 1
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } }
  }

  #record(path: string, type: string, object: RawObject): void {
    const events = this.#events.get(path) ?? []
    this.#events.set(path, [...events, { version: this.#version, type, object }])
    for (const watch of this.watches) if (watch.path === path) watch.event(type, object)
  }
}

/** Answers with a metav1.Status. */
export function answerStatus(response: ServerResponse, code: number, reason: string, headers = {}): void {
  answerJson(
    response,
    code,
    { kind: 'Status', status: 'Failure', reason, message: `no: ${reason}`, code },
    headers,
  )
}

export function answerJson(response: ServerResponse, code: number, body: unknown, headers = {}): void {
  response.writeHead(code, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

function verbOf(request: RecordedRequest, collections: ReadonlyMap<string, unknown>): string {
  if (request.method === 'POST') return 'create'
  if (request.method === 'PUT') return 'update'
  if (request.method === 'PATCH') return 'patch'
  if (request.query['watch'] === 'true') return 'watch'
  const parent = parentOf(request.path)
  const isNamed = /\/namespaces\/[^/]+\/[^/]+\/[^/]+$/.test(request.path)
  return collections.has(parent) || isNamed ? 'get' : 'list'
}

async function record(incoming: IncomingMessage): Promise<RecordedRequest> {
  const url = new URL(incoming.url ?? '/', 'http://api')
  let body = ''
  for await (const chunk of incoming.setEncoding('utf8')) body += String(chunk)
  return {
    method: incoming.method ?? '',
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    authorization: incoming.headers.authorization,
    contentType: incoming.headers['content-type'],
    body,
  }
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'))
}

function keyOf({ metadata }: RawObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`
}
