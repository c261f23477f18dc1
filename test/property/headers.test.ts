import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { foldHeaderName, isIdentityHeader } from '../../src/proxy/identity-headers.ts'
import type { ConnectionView } from '../../src/proxy/trusted-proxies.ts'
import { upstreamRequestHeaders } from '../../src/proxy/upstream-headers.ts'

const view: ConnectionView = {
  clientAddress: '203.0.113.5',
  scheme: 'https',
  forwardedFor: '203.0.113.5',
  forwardedProto: 'https',
  trusted: false,
}

const IDENTITY = `x-consumer-id x-consumer-username x-consumer-custom-id x-consumer-groups x-userinfo
  x-credential-identifier x-anonymous-consumer x-authenticated-groups x-id-token x-access-token
  x-auth-request-user x-auth-request- x-forwarded-user x-forwarded-email x-forwarded-groups
  x-forwarded-preferred-username x-forwarded-access-token x-mapped-claim`.split(/\s+/)
const identity = fc.constantFrom(...IDENTITY)

/** The name in any mix of cases, dashes and underscores. */
function spelling(name: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc
    .tuple(name, fc.infiniteStream(fc.boolean()))
    .map(([text, bits]) =>
      text.replaceAll(/./g, (character) => (bits.next().value === true ? respell(character) : character)),
    )
}

function respell(character: string): string {
  return character === '-' ? '_' : character.toUpperCase()
}

const unrelated = fc.constantFrom('accept', 'X-Trace', 'content-type', 'Range', 'x_y', 'X-Consumer', 'origin')
const value = fc.stringMatching(/^[a-z0-9 ,;=]{0,8}$/)
const field = fc.oneof(
  fc.tuple(spelling(identity), fc.constant('root')),
  fc.tuple(unrelated, value),
  fc.tuple(
    fc.constantFrom('Connection', 'connection'),
    fc.constantFrom('close', 'keep-alive', 'x-hop, Host'),
  ),
  fc.tuple(fc.constantFrom('TE', 'Upgrade', 'X-Hop', 'Transfer-Encoding', 'Forwarded'), value),
)
const request = fc.array(field, { maxLength: 12 }).map((fields) => ['Host', 'a.test', ...fields.flat()])

function forward(rawHeaders: readonly string[]): string[] {
  return upstreamRequestHeaders({
    rawHeaders,
    connectionView: view,
    authority: 'a.test',
    removeHeaders: ['x-mapped-claim'],
    edits: { removeHeaders: [], setHeaders: [['x-consumer-id', 'alice']], removeCookies: () => false },
  })
}

function pairs(headers: readonly string[]): (readonly [string, string])[] {
  return headers.flatMap((name, i) => (i % 2 === 0 ? [[name, headers[i + 1] ?? ''] as const] : []))
}

test('no identity header that a client sends survives, in whatever spelling', () => {
  fc.assert(
    fc.property(request, (sent) => {
      const claims = pairs(forward(sent)).filter(
        ([name]) => isIdentityHeader(foldHeaderName(name)) || foldHeaderName(name) === 'x-mapped-claim',
      )
      expect(claims).toEqual([['x-consumer-id', 'alice']])
    }),
    { numRuns: 500 },
  )
})

test('forwarding what was forwarded changes nothing', () => {
  fc.assert(
    fc.property(request, (sent) => {
      const once = forward(sent)
      expect(forward(once)).toEqual(once)
    }),
    { numRuns: 500 },
  )
})

test('unrelated fields all pass, in their order', () => {
  fc.assert(
    fc.property(request, (sent) => {
      const names = ['accept', 'X-Trace', 'content-type', 'Range', 'x_y', 'X-Consumer', 'origin']
      const only = (headers: readonly string[]) => pairs(headers).filter(([name]) => names.includes(name))
      expect(only(forward(sent))).toEqual(only(sent))
      expect(forward(sent).slice(0, 2)).toEqual(['Host', 'a.test'])
    }),
    { numRuns: 500 },
  )
})
