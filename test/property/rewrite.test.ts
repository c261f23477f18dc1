import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { PathRewriter } from '../../src/proxy/traffic/rewrite.ts'
import { normalPath } from '../../src/table/normal-path.ts'

const segment = fc.stringMatching(/^(?:[A-Za-z0-9_~!$&'()*+,;=:@-]|%(?:2[0-9AD]|3[0-9BC]|C3%A4)){1,8}$/)
const segments = fc.array(segment, { minLength: 1, maxLength: 4 })

/** A path of the route, spelt in another way that matches it. */
const spelt = (path: string, choices: readonly boolean[]): string =>
  path.replace(/[A-Za-z]/g, (letter, index: number) =>
    choices[index % choices.length] === true ? `%${letter.charCodeAt(0).toString(16)}` : letter,
  )

test('stripping takes the route off and no byte of what follows, however the route is spelt', () => {
  fc.assert(
    fc.property(segments, segments, fc.array(fc.boolean(), { minLength: 1 }), (route, rest, choices) => {
      const routePath = normalPath(`/${route.join('/')}`)
      const rewriter = new PathRewriter({ template: ['/', 1] }, routePath)
      const sent = `/${spelt(route.join('/'), choices)}`
      expect(rewriter.rewrite(`${sent}/${rest.join('/')}`)).toBe(`/${rest.join('/')}`)
      expect(rewriter.rewrite(sent)).toBe('/')
    }),
    { numRuns: 200 },
  )
})

test('a pattern gives the same as the language’s own, where that is safe', () => {
  const patterns = ['/([^/]+)/(.*)', '/a(/|$)(.*)', '/(?:x|y)([0-9]*)/?(.*)', '(/[a-z]+)*(/.*)']
  fc.assert(
    fc.property(fc.constantFrom(...patterns), fc.stringMatching(/^\/[axy0-9/b]{0,12}$/), (pattern, path) => {
      const rewriter = new PathRewriter({ template: ['<', 1, '|', 2, '>'], pattern }, '/')
      const own = new RegExp(`^(?:${pattern})$`).exec(path)
      expect(rewriter.rewrite(path)).toBe(own === null ? undefined : `<${own[1] ?? ''}|${own[2] ?? ''}>`)
    }),
    { numRuns: 300 },
  )
})

test('a pattern that would stall a backtracking engine takes no time', () => {
  const rewriter = new PathRewriter({ template: [1], pattern: '/((a+)+)+b' }, '/')
  expect(rewriter.rewrite(`/${'a'.repeat(2000)}`)).toBeUndefined()
})
