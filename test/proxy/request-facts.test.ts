import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { request as send } from 'undici'
import { expect, test } from 'vitest'
import { readAuthority } from '../../src/proxy/request-authority.ts'
import { createRequestFacts, type ProxyRequestFacts } from '../../src/proxy/request-facts.ts'
import { readTarget } from '../../src/proxy/request-target.ts'
import { createTrustedProxies } from '../../src/proxy/trusted-proxies.ts'
import { raw } from './raw-headers.ts'

test('facts are those of the request, and its form is read once', async () => {
  const seen = Promise.withResolvers<readonly [ProxyRequestFacts, ...(URLSearchParams | undefined)[]]>()
  const server = createServer((request, response) => {
    const authority = readAuthority(request.rawHeaders, request.url ?? '')
    const target = readTarget(request.url ?? '')
    if (!authority.ok || !target.ok) throw new Error('not accepted')
    const view = createTrustedProxies(['127.0.0.0/8', '::1']).view('127.0.0.1', false, request.headers)
    const facts = createRequestFacts(request, authority, target, view)
    expect(facts.bufferedBody).toBeUndefined()
    Promise.all([facts.form(), facts.form()])
      .then((forms) => seen.resolve([facts, ...forms]), seen.reject)
      .finally(() => response.end())
  }).listen(0)
  await once(server, 'listening')
  const { body } = await send(`http://localhost:${(server.address() as AddressInfo).port}/%7Ea?q=%7E`, {
    method: 'POST',
    headers: [
      ...raw('Host: Shop.Example:81', 'Content-Type: application/x-www-form-urlencoded'),
      ...raw('X-Many: 1', 'x-many: 2', 'X-Forwarded-Proto: https', 'X-Forwarded-For: 203.0.113.5'),
    ],
    body: 'a=1',
  })
  await body.dump()
  const [facts, ...forms] = await seen.promise
  server.close()
  expect(facts).toMatchObject({
    method: 'POST',
    scheme: 'https',
    host: 'shop.example',
    authority: 'shop.example:81',
    target: '/%7Ea?q=%7E',
    path: '/~a',
    query: 'q=%7E',
    clientAddress: '203.0.113.5',
  })
  expect(facts.headers['x-many']).toBe('1, 2')
  expect(forms.map((form) => form?.get('a'))).toEqual(['1', '1'])
  expect(facts.bufferedBody?.toString()).toBe('a=1')
})
