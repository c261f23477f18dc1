import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { OstiaryError } from '../../errors.ts'
import { guardHost } from '../dashboard/host-guard.ts'
import { readSeconds, readThread } from './debug-query.ts'
import type { DebuggedThread, DebugSource } from './debug-source.ts'

interface DebugQuery {
  readonly host?: unknown
  readonly seconds?: unknown
  readonly thread?: unknown
}

const INDEX = `/debug/table?host=HOST          the live routing table, secrets by name only
/debug/profile?seconds=N&thread=K  CPU profile of N seconds (10; 60 at most) of proxy thread K, or of the main thread
/debug/heap?thread=K               heap snapshot, which holds every secret in memory
`

/**
 * Adds `/debug/…`: the live table, CPU profiles and heap snapshots. Under this machine's own names alone: where the
 * dashboard has a host of its own, whoever may see that must not read the memory. One profile or snapshot at a time, for
 * each costs the thread that it is of.
 */
export function addDebug(server: FastifyInstance, source: DebugSource): void {
  // Fastify would answer HEAD by taking a profile and throwing it away.
  const options = { onRequest: [guardHost([]), guardSite], exposeHeadRoute: false, errorHandler: answerError }
  const alone = oneAtATime()
  server.get('/debug', options, async (_request, reply) => answer(reply, 200, INDEX))
  server.get<{ Querystring: DebugQuery }>('/debug/table', options, async ({ query }, reply) => {
    const table = source.table(typeof query.host === 'string' ? query.host.toLowerCase() : undefined)
    if (table === undefined) return answer(reply, 404, 'The table has no such host.\n')
    return reply.type('application/yaml').send(table)
  })
  server.get<{ Querystring: DebugQuery }>('/debug/profile', options, async ({ query }, reply) => {
    const [thread, seconds] = [readThread(query.thread), readSeconds(query.seconds)]
    return alone(reply, async () => {
      const profile = await source.cpuProfile(thread, seconds * 1000)
      if (profile === undefined) return noThread(reply, thread)
      return download(reply, `${nameOf(thread)}.cpuprofile`).send(profile)
    })
  })
  server.get<{ Querystring: DebugQuery }>('/debug/heap', options, async ({ query }, reply) => {
    const thread = readThread(query.thread)
    return alone(reply, async () => {
      const snapshot = await source.heapSnapshot(thread)
      if (snapshot === undefined) return noThread(reply, thread)
      return download(reply, `${nameOf(thread)}.heapsnapshot`).send(snapshot)
    })
  })
}

function answerError(error: unknown, _request: FastifyRequest, reply: FastifyReply): void {
  const isAsked = error instanceof OstiaryError && error.code === 'ERR_SETTINGS_INVALID'
  answer(reply, isAsked ? 400 : 500, `${isAsked ? error.message : 'This could not be done.'}\n`)
}

/** No page of another site makes this process work, though it could not read the answer. */
async function guardSite({ headers }: FastifyRequest, reply: FastifyReply): Promise<void> {
  const site = headers['sec-fetch-site'] ?? 'none'
  if (site !== 'none' && site !== 'same-origin') await answer(reply, 403, 'Open this address by hand.\n')
}

/** @returns What runs something unless another is running. */
function oneAtATime(): (reply: FastifyReply, act: () => Promise<FastifyReply>) => Promise<FastifyReply> {
  let isBusy = false
  return async (reply, act) => {
    if (isBusy) return answer(reply, 409, 'Another profile or snapshot is under way: one at a time.\n')
    isBusy = true
    // Of a snapshot the answer is under way for longer than the handler.
    reply.raw.once('close', () => {
      isBusy = false
    })
    return act()
  }
}

function noThread(reply: FastifyReply, thread: DebuggedThread): FastifyReply {
  return answer(reply, 404, `There is no thread ${thread}: the metrics say which there are.\n`)
}

function nameOf(thread: DebuggedThread): string {
  return thread === 'main' ? 'main' : `proxy-thread-${thread}`
}

function download(reply: FastifyReply, name: string): FastifyReply {
  return reply.type('application/json').header('content-disposition', `attachment; filename="${name}"`)
}

function answer(reply: FastifyReply, status: number, text: string): FastifyReply {
  return reply.code(status).type('text/plain; charset=utf-8').send(text)
}
