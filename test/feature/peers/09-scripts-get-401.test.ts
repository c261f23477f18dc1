import { expect, test } from 'vitest'
import { startLoginApp } from '../../support/login-app.ts'

interface Problem {
  readonly status: number
  readonly message: string
}

type Row = readonly [name: string, method: string, headers: Record<string, string>]

const ROWS: readonly Row[] = [
  ['fetch', 'GET', { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty', accept: '*/*' }],
  ['fetch that accepts HTML', 'GET', { 'sec-fetch-mode': 'cors', accept: 'text/html' }],
  ['XMLHttpRequest', 'GET', { 'x-requested-with': 'XMLHttpRequest', accept: 'application/json' }],
  ['jQuery', 'GET', { 'x-requested-with': 'XMLHttpRequest', accept: 'text/html, */*; q=0.01' }],
  ['a script tag', 'GET', { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' }],
  ['an image', 'GET', { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image', accept: 'text/html' }],
  ['a frame', 'GET', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe', accept: 'text/html' }],
  ['curl', 'GET', { accept: '*/*' }],
  ['HEAD', 'HEAD', { accept: 'text/html' }],
  ['OPTIONS', 'OPTIONS', { accept: 'text/html' }],
  ['a JSON POST', 'POST', { accept: 'application/json', 'content-type': 'application/json' }],
  ['event streams', 'GET', { accept: 'text/event-stream', 'sec-fetch-mode': 'cors' }],
]

test('peers 9: what is no navigation gets 401 and problem+json', async () => {
  const { browser } = await startLoginApp()
  for (const [name, method, headers] of ROWS) {
    const answer = await browser.send('/app', { method, headers })
    expect([name, answer.status, answer.headers.get('location')]).toEqual([name, 401, null])
    expect(answer.headers.getSetCookie(), name).toEqual([])
    expect(answer.headers.get('www-authenticate'), name).toMatch(/^Bearer realm="[^"]+"$/)
    expect(answer.headers.get('content-type'), name).toBe('application/problem+json')
    if (method === 'HEAD') continue
    expect((await answer.json()) as Problem, name).toMatchObject({ status: 401, message: 'Unauthorized' })
  }
})
