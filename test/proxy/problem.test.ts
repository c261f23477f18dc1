import { expect, test } from 'vitest'
import { problem } from '../../src/proxy/problem.ts'
import { raw } from './raw-headers.ts'

function fields(headers: readonly string[]): Record<string, string> {
  const map: Record<string, string> = {}
  for (let i = 0; i < headers.length; i += 2) map[(headers[i] ?? '').toLowerCase()] = headers[i + 1] ?? ''
  return map
}

test('a bare status says its phrase', () => {
  const { status, headers, body } = problem(404)
  expect(status).toBe(404)
  expect(JSON.parse(body)).toEqual({
    type: 'about:blank',
    title: 'Not Found',
    status: 404,
    message: 'Not Found',
  })
  expect(fields(headers)).toEqual({
    'content-type': 'application/problem+json',
    'content-length': String(Buffer.byteLength(body)),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    server: 'ostiary',
  })
})

test('says what it is told', () => {
  const { headers, body } = problem(401, {
    message: 'Nö',
    detail: 'Send a bearer token.',
    reason: 'no_credential',
    headers: [
      ['www-authenticate', 'Bearer'],
      ['www-authenticate', 'Basic'],
      ['cache-control', 'private, no-store'],
    ],
  })
  expect(JSON.parse(body)).toMatchObject({
    title: 'Unauthorized',
    message: 'Nö',
    detail: 'Send a bearer token.',
    reason: 'no_credential',
  })
  expect(headers.slice(-6)).toEqual(
    raw('www-authenticate: Bearer', 'www-authenticate: Basic', 'cache-control: private, no-store'),
  )
  expect(headers).not.toContain('no-store')
  expect(fields(headers)['content-length']).toBe(String(Buffer.byteLength(body)))
})

test('a status without phrase is still answered', () => {
  expect(JSON.parse(problem(499).body)).toMatchObject({ status: 499, title: 'Error' })
})
