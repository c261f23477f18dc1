import { expect, onTestFinished, test } from 'vitest'
import { createAdminServer } from '../../src/admin/admin-server.ts'

const reasons: Record<'notStarted' | 'notLive' | 'notReady', string | undefined> = {
  notStarted: undefined,
  notLive: undefined,
  notReady: undefined,
}

async function probe(path: string, accept = '*/*'): Promise<[status: number, body: string]> {
  const server = createAdminServer({
    notStarted: () => reasons.notStarted,
    notLive: () => reasons.notLive,
    notReady: () => reasons.notReady,
    metrics: (format) => Promise.resolve({ contentType: 'text/plain; version=0.0.4', text: `${format}\n` }),
  })
  onTestFinished(() => server.close())
  const url = (await server.listen({ host: '127.0.0.1', port: 0 })) + path
  const response = await fetch(url, { headers: { accept } })
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
  expect(await probe('/metrics')).toEqual([200, 'prometheus\n'])
  expect((await probe('/'))[0]).toBe(404)
})

test.each([
  // As Prometheus 2 and 3 ask.
  [
    'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
    'openmetrics',
  ],
  ['application/openmetrics-text', 'openmetrics'],
  ['Application/OpenMetrics-Text; q=0.3, text/plain; q=0.5', 'prometheus'],
  ['application/openmetrics-text;q=0', 'prometheus'],
  ['application/openmetrics-text;q=much', 'prometheus'],
  ['text/html,application/xhtml+xml,*/*;q=0.8', 'prometheus'],
])('/metrics for %s is %s', async (accept, format) => {
  expect((await probe('/metrics', accept))[1]).toBe(`${format}\n`)
})
