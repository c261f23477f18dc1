import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { refusalPage } from '../../src/proxy/page.ts'

const HOSTILE = `<script>alert(1)</script><img src=x onerror="a">'&amp;</style>`

function header(headers: readonly string[], name: string): string | undefined {
  const at = headers.findIndex((each, i) => i % 2 === 0 && each.toLowerCase() === name)
  return at === -1 ? undefined : headers[at + 1]
}

describe('a refused navigation', () => {
  const page = refusalPage(403, {
    message: 'You may not open this page',
    reason: 'missing_group',
    who: 'alice@example.com',
    headers: [['set-cookie', 'a=1']],
  })

  test('is told who it is, why not and what to do', () => {
    expect(page.status).toBe(403)
    expect(page.body).toContain('<h1>You may not open this page</h1>')
    expect(page.body).toContain('<dt>Signed in as</dt><dd>alice@example.com</dd>')
    expect(page.body).toContain('You are not in a group that may open this page.')
    expect(page.body).toContain('ask whoever runs it')
    expect(page.body).toContain('403 Forbidden')
  })

  test('loads and runs nothing, is framed and kept by nobody', () => {
    const style = /<style>([^]*)<\/style>/.exec(page.body)?.[1] ?? ''
    const hash = createHash('sha256').update(style).digest('base64')
    const policy = header(page.headers, 'content-security-policy')?.split('; ')
    expect(policy).toEqual([
      "default-src 'none'",
      `style-src 'sha256-${hash}'`,
      "base-uri 'none'",
      "frame-ancestors 'none'",
      "form-action 'none'",
    ])
    expect(header(page.headers, 'content-type')).toBe('text/html; charset=utf-8')
    expect(header(page.headers, 'x-content-type-options')).toBe('nosniff')
    expect(header(page.headers, 'cache-control')).toBe('no-store')
    expect(header(page.headers, 'content-length')).toBe(String(Buffer.byteLength(page.body)))
    expect(header(page.headers, 'set-cookie')).toBe('a=1')
    expect(page.body).not.toMatch(/<script|<link|<img|<form| style=| on[a-z]+=/)
    expect(style).toContain('color-scheme:light dark')
  })
})

test('whatever comes from elsewhere is text', () => {
  const { body } = refusalPage(401, { message: HOSTILE, detail: HOSTILE, who: HOSTILE })
  expect(body).not.toMatch(/<script|<img|&amp;amp;amp;/)
  expect(body.match(/<\/style>/g)).toHaveLength(1)
  expect(body.match(/&lt;script&gt;alert\(1\)/g)).toHaveLength(4)
  expect(body).toContain('onerror=&quot;a&quot;&gt;&#39;&amp;amp;')
})

test('a page with nothing to say says its status', () => {
  const { body } = refusalPage(404)
  expect(body).toContain('<h1>Not Found</h1>')
  expect(body).not.toContain('Signed in as')
  expect(body).not.toContain('undefined')
})
