import { AsyncLocalStorage } from 'node:async_hooks'
import replyFrom from '@fastify/reply-from'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { Client, type Dispatcher } from 'undici'
import { systemClock } from '../../../clock.ts'
import { originOf, type DataPlaneAddress } from './data-plane.ts'
import { viewExchange, viewRequest, type ExchangeView } from './exchange-view.ts'
import type { SentRequest } from './sent-request.ts'

/** For all of it: a page waits for it. */
const TIMEOUT_MS = 10_000
const SHOWN_BODY_BYTES = 1024
const MAXIMUM_HEADER_BYTES = 64 * 1024

/** Sends through the data plane and calls back with what came, when the page is to be written. */
export type Send = (reply: FastifyReply, sent: SentRequest, done: (exchange: ExchangeView) => void) => void

/** Gives the server the way through the data plane of this process, and through nothing else. */
export function createSend(server: FastifyInstance, dataPlane: DataPlaneAddress): Send {
  const current = new AsyncLocalStorage<SentRequest>()
  void server.register(replyFrom, {
    disableCache: true,
    disableRequestLogging: true,
    undici: dispatcherTo(dataPlane, current) as never,
  })
  return (reply, sent, done) => {
    const origin = originOf(dataPlane, sent.scheme)
    const failed = (problem: string): void => {
      done({ request: viewRequest(sent), answer: { problem } })
    }
    if (origin === undefined) return failed(`This process has no listener for ${sent.scheme}.`)
    const startedAt = systemClock.monotonic()
    current.run(sent, () =>
      reply.from('/', {
        method: sent.method as never,
        body: null,
        timeout: TIMEOUT_MS,
        queryString: () => '',
        getUpstream: () => origin,
        // Nothing of the browser's request goes along, least of all the cookies of the dashboard.
        rewriteRequestHeaders: () => headersOf(sent.fields),
        // Nothing of the answer becomes ours.
        rewriteHeaders: () => ({}),
        // Without this, an answer with 503 is asked for ten times more.
        retryDelay: () => null,
        onError: (_reply, { error }) => failed(problemOf(error)),
        onResponse: (_request, _reply, response) => {
          void arrive(response as unknown as Response, startedAt, { sent, failed, done })
        },
      }),
    )
  }
}

async function arrive(
  { headers, statusCode: status, stream }: Response,
  startedAt: number,
  { done, failed, sent }: { sent: SentRequest; failed: (problem: string) => void; done: Parameters<Send>[2] },
): Promise<void> {
  try {
    const start = await readStart(stream)
    done(viewExchange(sent, { ...start, headers, status, durationMs: systemClock.monotonic() - startedAt }))
  } catch (error) {
    failed(problemOf(error))
  }
}

/** What reply-from gives, whatever its types say. */
interface Response {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string | string[]>>
  readonly stream: AsyncIterable<Buffer>
}

type Callback = (error: Error | null, response?: Dispatcher.ResponseData) => void

/**
 * Takes what reply-from makes of a request, but for what a URL would have changed: the target's bytes, and the name for
 * the handshake. A connection each, so that none is used for two names.
 */
function dispatcherTo(
  dataPlane: DataPlaneAddress,
  current: AsyncLocalStorage<SentRequest>,
): { request(options: Dispatcher.RequestOptions, callback: Callback): void } {
  return {
    request(options, callback) {
      const sent = current.getStore()
      const origin = sent && originOf(dataPlane, sent.scheme)
      if (origin === undefined) return callback(new Error('there is no such listener'))
      const client = new Client(origin, {
        allowH2: false,
        maxHeaderSize: MAXIMUM_HEADER_BYTES,
        // Our own listener, on this machine, whose certificate is for other names, or for none yet.
        connect: { rejectUnauthorized: false, timeout: TIMEOUT_MS, servername: sent?.serverName ?? '' },
      })
      const close = (): void => void client.destroy().catch(() => undefined)
      const { body, headers, headersTimeout, method } = options
      const request = {
        method,
        headers: headers ?? null,
        body: body ?? null,
        path: sent?.target ?? '/',
        headersTimeout: headersTimeout ?? TIMEOUT_MS,
        bodyTimeout: TIMEOUT_MS,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      }
      client.request(request, (error, response) => {
        // undici gives a response without a body beside an error, whatever its types say.
        if (error === null) response.body.once('close', close)
        else close()
        callback(error, response)
      })
    },
  }
}

function headersOf(fields: SentRequest['fields']): Record<string, string | string[]> {
  const grouped = Map.groupBy(fields, ([name]) => name.toLowerCase())
  return Object.fromEntries(
    [...grouped].map(([name, [first, ...more]]) => [
      name,
      more.length === 0 ? (first?.[1] ?? '') : [first?.[1] ?? '', ...more.map(([, value]) => value)],
    ]),
  )
}

async function readStart(stream: AsyncIterable<Buffer>): Promise<{ body: Buffer; isCut: boolean }> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of stream) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > SHOWN_BODY_BYTES) break
  }
  const body = Buffer.concat(chunks)
  return { body: body.subarray(0, SHOWN_BODY_BYTES), isCut: body.length > SHOWN_BODY_BYTES }
}

/** In words of ours: messages of the network name addresses. */
function problemOf(error: unknown): string {
  const { cause = error } = error as { readonly cause?: unknown }
  const { code = '', name } = cause as { readonly code?: string; readonly name?: string }
  if (name === 'TimeoutError' || code.includes('TIMEOUT'))
    return `No answer came within ${TIMEOUT_MS / 1000} s.`
  if (code === 'ECONNREFUSED') return 'The listener of the data plane takes no connection.'
  if (code === 'UND_ERR_INVALID_ARG')
    return 'A request like this cannot be sent: its fields contradict each other.'
  return `The data plane closed the connection without an answer${code === '' ? '' : ` (${code})`}.`
}
