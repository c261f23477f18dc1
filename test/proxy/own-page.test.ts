import { describe, expect, test } from 'vitest'
import { ownPage } from '../../src/proxy/own-page.ts'

const HOSTILE = `"><script>alert(1)</script><img src=x onerror=a>'&`

function header(headers: readonly string[], name: string): string | undefined {
  const at = headers.findIndex((each, index) => index % 2 === 0 && each.toLowerCase() === name)
  return at === -1 ? undefined : headers[at + 1]
}

describe('pages of our own', () => {
  test.each([
    ['continue', ownPage(200, { name: 'continue', location: `/a?${HOSTILE}` }, [])],
    ['confirm', ownPage(200, { name: 'confirm_sign_out', action: `/a?${HOSTILE}`, who: HOSTILE }, [])],
    ['signed out', ownPage(200, { name: 'signed_out', signIn: `/a?${HOSTILE}` }, [])],
  ])('%s: whatever comes from elsewhere is text', (_name, { body, headers }) => {
    expect(body).not.toMatch(/<script|<img|onerror=a>/)
    expect(body).toContain('&quot;&gt;&lt;script&gt;')
    expect(header(headers, 'content-security-policy')).toContain("default-src 'none'")
    expect(header(headers, 'content-security-policy')).toContain("frame-ancestors 'none'")
  })

  test('the page with a form lets it be sent, and the Origin with it; the others have none', () => {
    const form = ownPage(200, { name: 'confirm_sign_out', action: '/oauth2/sign_out' }, [])
    expect(header(form.headers, 'content-security-policy')).not.toContain('form-action')
    expect(header(form.headers, 'referrer-policy')).toBe('same-origin')
    const plain = ownPage(200, { name: 'signed_out' }, [])
    expect(header(plain.headers, 'content-security-policy')).toContain("form-action 'none'")
    expect(header(plain.headers, 'referrer-policy')).toBe('no-referrer')
    expect(plain.body).not.toContain('<form')
  })

  test('a header of the decision replaces that of the page', () => {
    const { headers } = ownPage(200, { name: 'signed_out' }, [
      ['referrer-policy', 'origin'],
      ['cache-control', 'private, no-store'],
    ])
    expect(headers.filter((each) => each.toLowerCase() === 'referrer-policy')).toHaveLength(1)
    expect(headers.filter((each) => each.toLowerCase() === 'cache-control')).toHaveLength(1)
  })
})
