import { describe, expect, it } from 'vitest'
import { isNavigation } from '../../src/auth/navigation.ts'
import { factsOf } from './relying-party/browser.ts'

const NAVIGATE = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', 'sec-fetch-site': 'none' }

function judge(headers: Record<string, string | string[]>, method = 'GET'): boolean {
  return isNavigation(factsOf('https://app.example.com/', { headers, method }))
}

describe('isNavigation', () => {
  it('takes a GET of a document', () => {
    expect(judge(NAVIGATE)).toBe(true)
    expect(judge({ ...NAVIGATE, accept: 'application/json' })).toBe(true)
  })

  it.each<[string, Record<string, string | string[]>]>([
    ['fetch', { ...NAVIGATE, 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty', accept: 'text/html' }],
    ['a frame', { ...NAVIGATE, 'sec-fetch-dest': 'iframe', accept: 'text/html' }],
    ['an image', { ...NAVIGATE, 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }],
    ['a mode without destination', { 'sec-fetch-mode': 'navigate', accept: 'text/html' }],
    ['some other Sec-Fetch header alone', { 'sec-fetch-site': 'none', accept: 'text/html' }],
    ['a repeated header', { ...NAVIGATE, 'sec-fetch-mode': ['navigate', 'navigate'], accept: 'text/html' }],
  ])('refuses %s', (_, headers) => {
    expect(judge(headers)).toBe(false)
  })

  it('goes by Accept where no Sec-Fetch header came', () => {
    expect(judge({ accept: 'text/html,application/xhtml+xml,*/*;q=0.8' })).toBe(true)
    expect(judge({ accept: 'Text/HTML' })).toBe(true)
    for (const accept of ['*/*', 'application/json', '']) expect(judge({ accept })).toBe(false)
    expect(judge({})).toBe(false)
  })

  it('knows scripts by X-Requested-With, and WebViews, which send it too, for browsers', () => {
    const accept = 'text/html, */*; q=0.01'
    expect(judge({ accept, 'x-requested-with': 'XMLHttpRequest' })).toBe(false)
    expect(judge({ accept, 'x-requested-with': 'org.example.app' })).toBe(true)
  })

  it.each(['HEAD', 'POST', 'OPTIONS', 'get', 'PROPFIND'])('refuses %s', (method) => {
    expect(judge({ ...NAVIGATE, accept: 'text/html' }, method)).toBe(false)
  })
})
