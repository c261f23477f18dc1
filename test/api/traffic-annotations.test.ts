import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseAnnotations } from '../../src/api/annotations.ts'
import { TRAFFIC_ANNOTATIONS } from '../../src/api/traffic-annotations.ts'
import { ours } from '../support/traffic-app.ts'

const read = (annotations: Record<string, string>) => parseAnnotations('Ingress', ours(annotations))

describe('what cannot be taken is a problem with its place, and does nothing', () => {
  test.each<[Record<string, string>, string]>([
    [{ 'strip-path': 'yes' }, 'strip-path'],
    [{ 'rewrite-target': '' }, 'rewrite-target'],
    [{ 'rewrite-target': 'x' }, 'rewrite-target'],
    [{ 'rewrite-target': '/a//b' }, 'rewrite-target'],
    [{ 'rewrite-target': '/a/./b' }, 'rewrite-target'],
    [{ 'rewrite-target': '/a?b=$1' }, 'rewrite-target'],
    [{ 'rewrite-target': '/a#b' }, 'rewrite-target'],
    [{ 'rewrite-target': '/a%2fb' }, 'rewrite-target'],
    [{ 'rewrite-target': '/a b' }, 'rewrite-target'],
    [{ 'rewrite-target': '/\\evil' }, 'rewrite-target'],
    [{ 'rewrite-target': '/$' }, 'rewrite-target'],
    [{ 'rewrite-target': '/$x' }, 'rewrite-target'],
    [{ 'rewrite-target': '/$0' }, 'rewrite-target'],
    [{ 'rewrite-target': '/$1', 'rewrite-pattern': '/x' }, 'rewrite-target'],
    // Twenty thousand times a path of 16 KiB is 300 MB for one request, which ends the thread of everybody.
    [{ 'rewrite-target': `/${'$1'.repeat(10)}` }, 'rewrite-target'],
    [{ 'rewrite-target': `/${'a'.repeat(1024)}` }, 'rewrite-target'],
    [{ 'rewrite-target': '/$3', 'rewrite-pattern': '/(x)(y)' }, 'rewrite-target'],
    [{ 'rewrite-target': '/', 'rewrite-pattern': '' }, 'rewrite-pattern'],
    [{ 'rewrite-target': '/', 'rewrite-pattern': '/(' }, 'rewrite-pattern'],
    [{ 'rewrite-target': '/', 'rewrite-pattern': '/(a)\\1' }, 'rewrite-pattern'],
    [{ 'rewrite-target': '/', 'rewrite-pattern': '/(?!a).*' }, 'rewrite-pattern'],
    [{ 'rewrite-target': '/', 'rewrite-pattern': '/(a{200}){200}' }, 'rewrite-pattern'],
    [{ 'rewrite-target': '/', 'rewrite-pattern': '/(.*a){60}' }, 'rewrite-pattern'],
    [{ 'rewrite-target': '/', 'rewrite-pattern': `/${'a'.repeat(256)}` }, 'rewrite-pattern'],
    [{ 'rewrite-pattern': '/x' }, 'rewrite-pattern'],
    [{ 'upstream-host': 'a b' }, 'upstream-host'],
    [{ 'upstream-host': 'a.example:0' }, 'upstream-host'],
    [{ 'upstream-host': 'a.example:65536' }, 'upstream-host'],
    [{ 'upstream-host': 'a.example\r\nX: y' }, 'upstream-host'],
    [{ 'upstream-host': 'user@a.example' }, 'upstream-host'],
    [{ 'upstream-host': 'a.example', 'preserve-host': 'true' }, 'preserve-host'],
    [{ 'permanent-redirect': '/elsewhere' }, 'permanent-redirect'],
    [{ 'permanent-redirect': 'javascript:alert(1)' }, 'permanent-redirect'],
    [{ 'permanent-redirect': 'https://a.example/\r\nSet-Cookie: b=c' }, 'permanent-redirect'],
    [{ 'permanent-redirect': 'https://a.example/x$request_uri' }, 'permanent-redirect'],
    [{ 'permanent-redirect': 'https://a.example/?to=$request_uri' }, 'permanent-redirect'],
    [{ 'permanent-redirect': 'https://$host/' }, 'permanent-redirect'],
    [{ 'permanent-redirect': 'https://$request_uri' }, 'permanent-redirect'],
    [{ 'permanent-redirect': 'https://user@a.example' }, 'permanent-redirect'],
    [{ 'permanent-redirect-code': '301' }, 'permanent-redirect-code'],
    [{ 'allow-source-range': '' }, 'allow-source-range'],
    [{ 'allow-source-range': '10.0.0.0/8, everybody' }, 'allow-source-range'],
    [{ 'allow-source-range': '010.0.0.0/8' }, 'allow-source-range'],
    [{ 'deny-source-range': '::ffff:10.0.0.0/90' }, 'deny-source-range'],
    [{ 'deny-source-range': 'fe80::1%eth0' }, 'deny-source-range'],
    [
      { 'deny-source-range': Array.from({ length: 1001 }, (_, i) => `10.0.${i >> 8}.${i & 255}`).join() },
      'deny-source-range',
    ],
    [{ 'cors-allow-origin': '' }, 'cors-allow-origin'],
    [
      { 'cors-allow-origin': Array.from({ length: 65 }, (_, i) => `https://a${i}.example`).join() },
      'cors-allow-origin',
    ],
    [{ 'cors-allow-origin': '*, https://a.example' }, 'cors-allow-origin'],
    [{ 'cors-allow-origin': 'https://*' }, 'cors-allow-origin'],
    [{ 'cors-allow-origin': 'https://a*.example.com' }, 'cors-allow-origin'],
    [{ 'cors-allow-origin': 'https://a.example:99999' }, 'cors-allow-origin'],
    [{ 'cors-allow-origin': 'https://user@a.example' }, 'cors-allow-origin'],
    [{ 'cors-allow-origin': 'a.example' }, 'cors-allow-origin'],
    [{ 'cors-allow-origin': 'https://a.example', 'cors-allow-methods': 'GET POST' }, 'cors-allow-methods'],
    [{ 'cors-allow-origin': 'https://a.example', 'cors-allow-headers': 'X:Y' }, 'cors-allow-headers'],
    [{ 'cors-allow-origin': 'https://a.example', 'cors-max-age': '600' }, 'cors-max-age'],
    [
      {
        'cors-allow-origin': 'https://a.example',
        'cors-allow-credentials': 'true',
        'cors-allow-headers': '*',
      },
      'cors-allow-credentials',
    ],
    [{ 'cors-allow-credentials': 'true' }, 'cors-allow-credentials'],
    [{ 'rate-limit': '10' }, 'rate-limit'],
    [{ 'rate-limit': '0/1s' }, 'rate-limit'],
    [{ 'rate-limit': '10/100ms' }, 'rate-limit'],
    [{ 'rate-limit': '10/25h' }, 'rate-limit'],
    [{ 'rate-limit': '10/1s per user' }, 'rate-limit'],
    [{ 'rate-limit': '10/60s, 20/1m' }, 'rate-limit'],
    [{ 'max-body-size': '1MB' }, 'max-body-size'],
    [{ 'max-body-size': '-1' }, 'max-body-size'],
    [{ 'request-headers-set': '' }, 'request-headers-set'],
    [{ 'request-headers-set': 'X-A' }, 'request-headers-set'],
    [{ 'request-headers-set': 'X-A:' }, 'request-headers-set'],
    [{ 'request-headers-set': 'X A: b' }, 'request-headers-set'],
    [{ 'request-headers-set': 'X_A: b' }, 'request-headers-set'],
    [{ 'request-headers-set': 'X-A: ä' }, 'request-headers-set'],
    [{ 'request-headers-set': 'X-A: b\0c' }, 'request-headers-set'],
    [{ 'request-headers-set': 'X-A: b\nx-a: c' }, 'request-headers-set'],
    [{ 'request-headers-add': 'X-A: b\n'.repeat(33) }, 'request-headers-add'],
    [{ 'response-headers-remove': 'a b' }, 'response-headers-remove'],
  ])('%o', (annotations, name) => {
    const { problems, traffic } = read(annotations)
    expect(problems.map((problem) => problem.path)).toEqual([`metadata.annotations[ostiary.dev/${name}]`])
    expect(problems[0]?.message).toMatch(/^[a-z]/)
    const others = Object.keys(annotations).filter((each) => each.startsWith('cors') && each !== name)
    if (others.length === 0) expect(traffic).toBeUndefined()
  })

  test.each([
    'Host',
    'Content-Length',
    'Transfer-Encoding',
    'connection',
    'TE',
    'Upgrade',
    'Sec-WebSocket-Key',
    'Expect',
    'X-Forwarded-For',
    'X-Forwarded-User',
    'X-Forwarded-Prefix',
    'X-Consumer-Username',
    'X-Auth-Request-Groups',
    'X-Userinfo',
    'X-Access-Token',
    'X-ID-Token',
    'X-Credential-Identifier',
    'X-Anonymous-Consumer',
    'X-Authenticated-Groups',
    'Ssl-Client-Verify',
    'Client-Cert-Chain',
  ])('%s is for no Ingress to edit in requests', (name) => {
    for (const act of ['set', 'add'] as const) {
      expect(read({ [`request-headers-${act}`]: `${name}: x` }).problems).toHaveLength(1)
    }
    expect(read({ 'request-headers-remove': name }).problems).toHaveLength(1)
  })

  test.each(['Authorization', 'Cookie', 'Forwarded', 'X-Real-IP', 'X-Original-URL', 'Content-Type', 'Proxy'])(
    '%s can be removed from requests, but not said',
    (name) => {
      expect(read({ 'request-headers-set': `${name}: x` }).problems).toHaveLength(1)
      expect(read({ 'request-headers-add': `${name}: x` }).problems).toHaveLength(1)
      expect(read({ 'request-headers-remove': name }).problems).toEqual([])
    },
  )

  test.each(['Set-Cookie', 'Content-Encoding', 'RateLimit'])(
    '%s can be removed from responses, but not said',
    (name) => {
      expect(read({ 'response-headers-set': `${name}: x` }).problems).toHaveLength(1)
      expect(read({ 'response-headers-remove': name }).problems).toEqual([])
    },
  )

  test.each(['proxy/identity-headers.ts', 'hop-by-hop-fields.ts'])(
    'nothing that %s names can be set',
    (file) => {
      const source = readFileSync(path.join(import.meta.dirname, '../../src', file), 'utf8')
      const names = [...source.matchAll(/^ {2}'([a-z0-9-]+)',$/gm)].map(([, name]) => name!)
      expect(names.length).toBeGreaterThan(10)
      for (const name of names) {
        expect([name, read({ 'request-headers-set': `${name}: x` }).problems.length]).toEqual([name, 1])
      }
    },
  )
})

describe('what can be taken', () => {
  test('is read with its defaults', () => {
    const { traffic, problems } = read({
      'cors-allow-origin': 'HTTPS://App.Example.com:443,capacitor://localhost,http://[::1]:3000',
      'rate-limit': '10/1s,  100/1h  per   consumer',
      'max-body-size': '8Mi',
      'permanent-redirect': 'https://a.example$request_uri',
    })
    expect(problems).toEqual([])
    expect(traffic).toMatchObject({
      cors: {
        allowOrigins: ['capacitor://localhost', 'http://[::1]:3000', 'https://app.example.com'],
        allowCredentials: false,
        maxAgeSeconds: 600,
      },
      rateLimits: [
        { requests: 10, windowSeconds: 1, per: 'address' },
        { requests: 100, windowSeconds: 3600, per: 'consumer' },
      ],
      maximumBodyBytes: 8 * 1024 * 1024,
      redirect: { status: 308, location: 'https://a.example', appendsTarget: true },
    })
  })

  test('is for Ingresses: a Service says nothing of its routes', () => {
    expect(parseAnnotations('Service', ours({ 'strip-path': 'true' })).problems).toMatchObject([
      { reason: 'UnknownAnnotation' },
    ])
  })
})

describe('an unknown name', () => {
  test.each([
    ['cors-allow-origins', 'cors-allow-origin'],
    ['Rate-Limit', 'rate-limit'],
    ['maxbodysize', 'max-body-size'],
  ])('%s is told what it may have meant', (name, meant) => {
    expect(read({ [name]: 'x' }).problems[0]?.message).toBe(
      `is not known on Ingress; did you mean ostiary.dev/${meant}?`,
    )
  })

  test('among very many costs no more than to say so', () => {
    const many = Object.fromEntries(
      Array.from({ length: 20_000 }, (_, i) => [`rate-limit${i.toString(36)}`, 'x']),
    )
    const { problems } = read(many)
    expect(problems).toHaveLength(20_000)
    expect(problems.filter(({ message }) => message.includes('did you mean'))).toHaveLength(8)
  })

  test('that is near to none is told nothing', () => {
    expect(read({ 'configuration-snippet': 'x' }).problems[0]?.message).toBe('is not known on Ingress')
  })
})

test('every one is in the documentation', () => {
  const text = readFileSync(path.join(import.meta.dirname, '../../docs/annotations.md'), 'utf8')
  for (const name of TRAFFIC_ANNOTATIONS) expect(text).toContain(`| \`${name}\` `)
})
