import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import { RawClient, rawRequest } from '../support/raw-http.ts'
import { aHost, aRoute, aSnapshot, aTable } from '../support/snapshot.ts'
import { ALLOW, everythingOn, GET, noAuthorizer, proxy, upstream } from './support.ts'

test('a thousand publishes under load fail no request', async () => {
  const one = await upstream((_, response) => response.end('one'))
  const other = await upstream((_, response) => response.end('other'))
  const running = await proxy(everythingOn(one.port))
  const publishes = { done: false }
  const load = Array.from({ length: 8 }, async () => {
    const client = await RawClient.open(running.port)
    const seen = new Set<string>()
    let requests = 0
    while (!publishes.done || requests < 20) {
      client.write(GET)
      const response = await client.response()
      seen.add(`${response.status} ${response.body}`)
      requests += 1
    }
    client.close()
    return seen
  })
  for (let i = 0; i < 1000; i += 1) {
    running.server.publish(everythingOn(i % 2 === 0 ? other.port : one.port))
    if (i % 5 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  publishes.done = true
  const seen = new Set((await Promise.all(load)).flatMap((each) => [...each]))
  expect([...seen].sort()).toEqual(['200 one', '200 other'])
})

test('a request keeps the snapshot it started with, also when its endpoint is gone by then', async () => {
  const old = await upstream((_, response) => response.end('old'))
  const current = await upstream((_, response) => response.end('new'))
  let allow: (() => void) | undefined
  let asked: () => void = () => {}
  const wasAsked = new Promise<void>((resolve) => {
    asked = resolve
  })
  const route = aRoute('web', {
    action: { kind: 'forward', upstream: 'default/web/80', policies: ['default/plugin'] },
  })
  const table = (port: number) => aTable([aHost('example.com', [route])], { web: [port] })
  const running = await proxy(
    aSnapshot(table(old.port)),
    {},
    {
      ...noAuthorizer,
      authorize: () => {
        if (allow !== undefined) return ALLOW
        asked()
        return new Promise((resolve) => {
          allow = () => resolve(ALLOW)
        })
      },
    },
  )
  const waiting = rawRequest(running.port, GET)
  await wasAsked
  running.server.publish(aSnapshot(table(current.port)))
  expect((await rawRequest(running.port, GET)).body).toBe('new')
  allow?.()
  expect((await waiting).body).toBe('old')
})

test('a removed endpoint finishes what it has, then its connections close', async () => {
  let resolveKept: (response: ServerResponse) => void = () => {}
  const kept = new Promise<ServerResponse>((resolve) => {
    resolveKept = resolve
  })
  const removed = await upstream((request, response) => {
    if (request.url === '/slow') resolveKept(response)
    else response.end('ok')
  })
  const running = await proxy(everythingOn(removed.port))
  await rawRequest(running.port, GET)
  const slow = rawRequest(running.port, GET.replace('/ ', '/slow '))
  const response = await kept
  running.server.publish(everythingOn())
  expect((await rawRequest(running.port, GET)).status).toBe(503)
  const { socket } = response
  response.end('finished')
  expect((await slow).body).toBe('finished')
  if (socket !== null && !socket.destroyed) await once(socket, 'close')
})

test('a publish that keeps an endpoint keeps its connections', async () => {
  const sockets = new Set<unknown>()
  const { port } = await upstream((request, response) => {
    sockets.add(request.socket)
    response.end()
  })
  const running = await proxy(everythingOn(port))
  for (let i = 0; i < 5; i += 1) {
    expect((await rawRequest(running.port, GET)).status).toBe(200)
    running.server.publish(everythingOn(port))
  }
  expect(sockets.size).toBe(1)
})

test('requests one after another go round all endpoints, over publishes too', async () => {
  const names = ['a', 'b', 'c']
  const ports: number[] = []
  for (const name of names) ports.push((await upstream((_, response) => response.end(name))).port)
  const running = await proxy(everythingOn(...ports))
  const seen: string[] = []
  for (let i = 0; i < 6; i += 1) {
    seen.push((await rawRequest(running.port, GET)).body)
    running.server.publish(everythingOn(...ports))
  }
  expect(seen).toEqual([...names, ...names])
})

test('an endpoint may be a name', async () => {
  const { port } = await upstream((request, response) => response.end(request.headers.host))
  const table = aTable([aHost('example.com', [aRoute('web')])], { web: [{ address: 'localhost', port }] })
  const running = await proxy(aSnapshot(table))
  expect(await rawRequest(running.port, GET)).toMatchObject({ status: 200, body: 'example.com' })
})
