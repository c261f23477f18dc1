import { Readable } from 'node:stream'
import { expect, onTestFinished, test } from 'vitest'
import { createDebugServer } from '../../../src/admin/debug/debug-server.ts'
import type { DebugSource } from '../../../src/admin/debug/debug-source.ts'

async function start(given: Partial<DebugSource> = {}): Promise<string> {
  const server = createDebugServer({
    table: (host) => (host === 'gone.test' ? undefined : `table of ${host ?? 'all'}\n`),
    cpuProfile: async (thread, durationMs) => (thread === 9 ? undefined : `profile ${thread} ${durationMs}`),
    heapSnapshot: async (thread) => (thread === 9 ? undefined : Readable.from([`heap ${thread}`])),
    ...given,
  })
  onTestFinished(() => server.close())
  return server.listen({ host: '127.0.0.1', port: 0 })
}

async function get(url: string, headers: Record<string, string> = {}): Promise<[number, string]> {
  const response = await fetch(url, { headers })
  return [response.status, await response.text()]
}

test.each([
  ['/debug/table', 200, 'table of all\n'],
  ['/debug/table?host=A.test', 200, 'table of a.test\n'],
  ['/debug/table?host=gone.test', 404, 'The table has no such host.\n'],
  ['/debug/profile', 200, 'profile main 10000'],
  ['/debug/profile?seconds=2&thread=1', 200, 'profile 1 2000'],
  ['/debug/profile?thread=9', 404, 'There is no thread 9: the metrics say which there are.\n'],
  ['/debug/profile?seconds=61', 400, 'seconds must be a whole number from 1 to 60\n'],
  ['/debug/profile?seconds=0', 400, 'seconds must be a whole number from 1 to 60\n'],
  ['/debug/profile?seconds=1e1', 400, 'seconds must be a whole number from 1 to 60\n'],
  ['/debug/heap?thread=0', 400, 'thread must be main, or the number of a proxy thread, from 1\n'],
  ['/debug/heap?thread=1&thread=2', 400, 'thread must be main, or the number of a proxy thread, from 1\n'],
  ['/debug/heap?thread=2', 200, 'heap 2'],
  ['/debug/heap?thread=9', 404, 'There is no thread 9: the metrics say which there are.\n'],
])('%s is %i', async (path, status, text) => {
  expect(await get((await start()) + path)).toEqual([status, text])
})

test('there is one at a time, until its answer is over', async () => {
  const finish = Promise.withResolvers<string>()
  const url = await start({ cpuProfile: () => finish.promise })
  const first = get(`${url}/debug/profile`)
  await expect.poll(() => get(`${url}/debug/heap`)).toEqual([409, expect.stringContaining('one at a time')])
  finish.resolve('profile')
  expect(await first).toEqual([200, 'profile'])
  await expect.poll(() => get(`${url}/debug/heap`)).toEqual([200, 'heap main'])
})

test('what fails says nothing of why, and leaves room for the next', async () => {
  const url = await start({ cpuProfile: () => Promise.reject(new Error('secret')) })
  expect(await get(`${url}/debug/profile`)).toEqual([500, 'This could not be done.\n'])
  await expect.poll(() => get(`${url}/debug/heap`)).toEqual([200, 'heap main'])
})

test('neither another host name nor a page of another site has an answer, and HEAD takes no profile', async () => {
  const url = await start()
  expect((await get(`${url}/debug/table`, { 'sec-fetch-site': 'cross-site' }))[0]).toBe(403)
  expect((await get(`${url}/debug/table`, { 'sec-fetch-site': 'none' }))[0]).toBe(200)
  expect((await fetch(`${url}/debug/profile`, { method: 'HEAD' })).status).toBe(404)
})
