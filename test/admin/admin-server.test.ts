import { expect, onTestFinished, test } from 'vitest'
import { createAdminServer } from '../../src/admin/admin-server.ts'

const reasons: Record<'notStarted' | 'notLive' | 'notReady', string | undefined> = {
  notStarted: undefined,
  notLive: undefined,
  notReady: undefined,
}

async function probe(path: string): Promise<[status: number, body: string]> {
  const server = createAdminServer({
    notStarted: () => reasons.notStarted,
    notLive: () => reasons.notLive,
    notReady: () => reasons.notReady,
    metrics: () => Promise.resolve({ contentType: 'text/plain; version=0.0.4', text: 'a 1\n' }),
  })
  onTestFinished(() => server.close())
  const response = await fetch((await server.listen({ host: '127.0.0.1', port: 0 })) + path)
  return [response.status, await response.text()]
}

test.each([
  ['/startupz', 'notStarted'],
  ['/livez', 'notLive'],
  ['/readyz', 'notReady'],
] as const)('%s is 200 until there is a reason against it, which is told', async (path, question) => {
  expect(await probe(path)).toEqual([200, 'ok\n'])
  reasons[question] = 'proxy thread 2 has not answered for 30 s'
  onTestFinished(() => {
    reasons[question] = undefined
  })
  expect(await probe(path)).toEqual([503, 'proxy thread 2 has not answered for 30 s\n'])
})

test('/metrics is the text of all threads, and nothing else is there', async () => {
  expect(await probe('/metrics')).toEqual([200, 'a 1\n'])
  expect((await probe('/'))[0]).toBe(404)
})
