import type { ServerResponse } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { createDefaultCertificate } from '../../src/proxy/default-certificate.ts'
import { ManualTimers } from '../support/manual-timers.ts'
import { RawClient, rawRequest } from '../support/raw-http.ts'
import { everythingOn, GET, noAuthorizer, proxy, upstream, type RunningProxy } from './support.ts'

async function draining(port: number): Promise<{ running: RunningProxy; timers: ManualTimers }> {
  const timers = new ManualTimers()
  return { running: await proxy(everythingOn(port), {}, noAuthorizer, timers), timers }
}

async function connected(port: number): Promise<RawClient> {
  const client = await RawClient.open(port)
  onTestFinished(() => client.close())
  return client
}

test('closing lets a request finish, ends its connection and refuses new ones', async () => {
  let resolveKept: (response: ServerResponse) => void = () => {}
  const kept = new Promise<ServerResponse>((resolve) => {
    resolveKept = resolve
  })
  const { port } = await upstream((_, response) => resolveKept(response))
  const { running, timers } = await draining(port)
  const client = await connected(running.port)
  client.write(GET)
  const response = await kept
  response.write('begun, ')
  await client.until((text) => text.includes('begun'))
  const closed = running.server.close({ drainMs: 60_000 })
  await expect(RawClient.open(running.port)).rejects.toThrow(/ECONNREFUSED/)
  timers.advance(5000)
  response.end('finished')
  expect((await client.response()).body).toBe('begun, finished')
  await client.closed()
  await closed
})

test('a request that comes on an idle connection when the drain has begun is answered, as the last one there', async () => {
  const { port } = await upstream((_, response) => response.end('served'))
  const { running } = await draining(port)
  const [used, fresh] = [await connected(running.port), await connected(running.port)]
  used.write(GET)
  expect((await used.response()).headers['connection']).toBe('keep-alive')
  const closed = running.server.close({ drainMs: 60_000 })
  for (const client of [used, fresh]) {
    client.write(GET)
    const response = await client.response()
    expect(response).toMatchObject({ status: 200, body: 'served' })
    expect(response.headers['connection']).toBe('close')
    await client.closed()
  }
  await closed
})

test('connections that stay idle are closed after a quarter of the drain, and none is kept for 10 s', async () => {
  const { port } = await upstream((_, response) => response.end('served'))
  const { running, timers } = await draining(port)
  const used = await connected(running.port)
  used.write(GET)
  await used.response()
  const fresh = await connected(running.port)
  // The server knows of it by then.
  await rawRequest(running.port, GET)
  const closed = running.server.close({ drainMs: 12_000 })
  timers.advance(2999)
  expect([used.socket.readableEnded, fresh.socket.readableEnded]).toEqual([false, false])
  timers.advance(1)
  await Promise.all([used.closed(), fresh.closed(), closed])
})

test('closing cuts what does not finish in time', async () => {
  const came = Promise.withResolvers<void>()
  const { port } = await upstream(() => came.resolve())
  const { running, timers } = await draining(port)
  const client = await RawClient.open(running.port)
  client.write(GET)
  await came.promise
  const closed = running.server.close({ drainMs: 60_000 })
  timers.advance(60_000)
  await closed
  expect(await client.closed()).toBe('')
})

test('a TLS client that has said nothing yet is idle, too', async () => {
  const { port } = await upstream((_, response) => response.end('served'))
  const timers = new ManualTimers()
  const defaultCertificate = await createDefaultCertificate(new Date())
  const options = { https: { port: 0 }, defaultCertificate }
  const running = await proxy(everythingOn(port), options, noAuthorizer, timers)
  const silent = await connected(running.https ?? 0)
  const speaking = await RawClient.openTls({ port: running.https, servername: 'example.com' })
  speaking.write(GET)
  expect((await speaking.response()).status).toBe(200)
  const closed = running.server.close({ drainMs: 60_000 })
  timers.advance(5000)
  expect(await silent.closed()).toBe('')
  await speaking.closed()
  await closed
})
