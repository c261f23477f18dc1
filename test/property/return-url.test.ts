import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { returnTarget, sameOriginTarget } from '../../src/auth/relying-party/return-target.ts'
import { factsOf } from '../auth/relying-party/browser.ts'
import { locationOf, LoginWorld } from '../auth/relying-party/login-fixture.ts'

const ORIGIN = 'https://app.example.com'
const SEEDS = [
  '//evil',
  '/\\evil',
  '/%5cevil',
  '/%2f/evil',
  '/%09/evil',
  '/\t/evil',
  '/\n/evil',
  '/.//evil',
  '/a/..//evil',
  '/%2e%2e//evil',
  'https://evil/',
  'javascript:alert(1)',
  '/ok?next=//evil',
]

const hostile = fc
  .array(
    fc.constantFrom(
      '/',
      '\\',
      '//',
      '.',
      '..',
      '%2f',
      '%5c',
      '%09',
      '%0a',
      '%00',
      '%2e',
      '%25',
      '%',
      '\t',
      '\n',
      ' ',
      '@',
      ':',
      '?',
      '#',
      ';',
      '&',
      '=',
      'evil.example',
      'https:',
      'a',
      '\u00e9',
      '\u2028',
      '\u0000',
    ),
    { maxLength: 10 },
  )
  .map((parts) => parts.join(''))
const target = fc.oneof(
  fc.constantFrom(...SEEDS),
  hostile,
  hostile.map((text) => `/${text}`),
  fc.webPath(),
)

/** Decodes as a careless reader might, any number of times. */
function decodings(text: string): string[] {
  const found = [text]
  for (let round = 0; round < 2; round += 1) {
    const last = found.at(-1)!
    found.push(
      last.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    )
  }
  return found
}

describe('a return target', () => {
  it('stays on the origin for every reader, byte for byte', () => {
    fc.assert(
      fc.property(target, (text) => {
        const result = returnTarget(text)
        if (result === undefined) return
        expect(result).toBe(text)
        for (const reading of decodings(result.split('?', 1)[0]!)) {
          expect(new URL(reading, ORIGIN).origin).toBe(ORIGIN)
        }
        expect(new URL(result, ORIGIN).origin).toBe(ORIGIN)
        expect(new URL(ORIGIN + result).origin).toBe(ORIGIN)
        expect(result).toMatch(/^\/[!-~]*$/)
      }),
      { numRuns: 3000 },
    )
  })

  it('given by a person, as a path or as a URL, stays on the origin too', () => {
    const facts = factsOf(`${ORIGIN}/oauth2/start`)
    const prefix = fc.constantFrom(
      '',
      ORIGIN,
      `${ORIGIN}:443`,
      `${ORIGIN}.`,
      `${ORIGIN}@`,
      'https://',
      'HTTPS://',
    )
    fc.assert(
      fc.property(prefix, target, (origin, text) => {
        const result = sameOriginTarget(origin + text, facts)
        if (result === undefined) return
        expect(returnTarget(result)).toBe(result)
        expect(new URL(result, ORIGIN).origin).toBe(ORIGIN)
        expect(new URL(origin + text, ORIGIN).origin).toBe(ORIGIN)
      }),
      { numRuns: 3000 },
    )
  })

  it('is every path and query that a browser sends', () => {
    const path = fc.webPath().map((text) => text.replace(/^\/+/, ''))
    const query = fc.option(fc.webQueryParameters())
    fc.assert(
      fc.property(path, query, (path, query) => {
        const sent = new URL(`${ORIGIN}/a/${path}${query === null ? '' : `?${query}`}`)
        expect(returnTarget(sent.pathname + sent.search)).toBe(sent.pathname + sent.search)
      }),
      { numRuns: 500 },
    )
  })

  it('is where a whole login ends, or else the root', async () => {
    await fc.assert(
      fc.asyncProperty(target, async (text) => {
        const world = new LoginWorld()
        const facts = { ...world.browser.go(`${ORIGIN}/`), target: text }
        const started = await world.relyingParty.startLogin(world.snapshot, world.policy, facts)
        world.browser.take(started, facts)
        const decision = await world.callback(world.server.authorize(locationOf(started)))
        expect(locationOf(decision)).toBe(returnTarget(text) ?? '/')
        expect(new URL(locationOf(decision), ORIGIN).origin).toBe(ORIGIN)
      }),
      { numRuns: 60 },
    )
  })
})
