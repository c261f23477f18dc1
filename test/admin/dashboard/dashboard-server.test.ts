import { request } from 'undici'
import { describe, expect, test } from 'vitest'
import { broken, fakeSource, HOSTILE } from './fake-source.ts'
import { formToken, PAGES, postForm, startDashboard } from './support.ts'

describe('who may read', () => {
  test.each([
    ['127.0.0.1', 200],
    ['localhost:10255', 200],
    ['LOCALHOST', 200],
    ['[::1]:8080', 200],
    ['dash.example.com', 200],
    ['dash.example.com:8443', 200],
    ['evil.example.com', 403],
    ['127.0.0.1.evil.example.com', 403],
    ['x.dash.example.com', 403],
    ['dash.example.com.', 403],
    ['127.0.0.1@evil.example.com', 403],
    ['127.0.0.1:80:80', 403],
    ['', 403],
  ])('a request for the host %s is answered %i', async (host, status) => {
    const url = await startDashboard({ allowedHosts: ['dash.example.com'] })
    for (const path of ['/', '/api/overview', '/assets/x', '/explain']) {
      const { body, statusCode } = await request(`${url}${path}`, { headers: { host } })
      const text = await body.text()
      expect(statusCode === 404 ? 200 : statusCode).toBe(status)
      expect(text.includes('not served under this host name')).toBe(status === 403)
    }
  })

  test('a forwarded host is not believed', async () => {
    const url = await startDashboard({ allowedHosts: ['dash.example.com'] })
    const headers = { host: 'evil.example.com', 'x-forwarded-host': 'dash.example.com' }
    expect((await request(url, { headers })).statusCode).toBe(403)
  })
})

describe('every answer', () => {
  test.each([...PAGES, '/api/overview', '/nowhere', '/routes?offset=x'])(
    '%s runs nothing but our own scripts and is kept nowhere',
    async (path) => {
      const response = await fetch(`${await startDashboard()}${path}`)
      const policy = response.headers.get('content-security-policy') ?? ''
      expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'")
      expect(policy).toContain("frame-ancestors 'none'; base-uri 'none'")
      expect(policy).not.toContain('unsafe')
      expect(response.headers.get('x-content-type-options')).toBe('nosniff')
      expect(response.headers.get('cache-control')).toBe('no-store')
      const referrer = path.startsWith('/explain') ? 'same-origin' : 'no-referrer'
      expect(response.headers.get('referrer-policy')).toBe(referrer)
    },
  )

  test.each(PAGES)('%s has neither inline script nor style, and escapes hostile names', async (path) => {
    const text = await (await fetch(`${await startDashboard()}${path}`)).text()
    expect(text).not.toContain(HOSTILE)
    expect(text).not.toMatch(/<script(?![^>]* src="\/assets\/)/)
    expect(text).not.toMatch(/<img src=x|<style|\sstyle=|\son[a-z]+="/)
    expect(text).not.toContain('undefined')
    expect(text).not.toContain('[object')
  })

  test('the hostile names are there as text', async () => {
    const text = await (await fetch(`${await startDashboard()}/plugin?id=shop%2Fokta`)).text()
    expect(text).toContain('&quot;&gt;&lt;script&gt;alert(1)')
  })

  test('a search comes back as text, in its field and in links', async () => {
    const url = await startDashboard()
    const text = await (await fetch(`${url}/routes?search=${encodeURIComponent(HOSTILE)}`)).text()
    expect(text).toContain('value="&quot;&gt;&lt;script&gt;')
    expect(text).not.toContain(HOSTILE)
  })
})

describe('methods', () => {
  test.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'])(
    '%s changes nothing',
    async (method) => {
      const url = await startDashboard()
      for (const path of ['/', '/routes', '/api/routes']) {
        const { headers, statusCode } = await request(`${url}${path}`, { method: method as 'POST' })
        expect(statusCode === 404 ? 405 : statusCode).toBe(405)
        expect(headers['allow'] ?? 'GET, HEAD').toBe('GET, HEAD')
      }
    },
  )

  test('HEAD is answered without a body', async () => {
    const response = await fetch(`${await startDashboard()}/routes`, { method: 'HEAD' })
    expect([response.status, await response.text()]).toEqual([200, ''])
  })
})

describe('forms', () => {
  const fields = { url: 'https://app-0.apps.example.com/a', headers: 'Authorization: Bearer secret-value' }

  test.each([
    ['our page', { 'sec-fetch-site': 'same-origin' }, 200],
    ['another site', { 'sec-fetch-site': 'cross-site' }, 403],
    ['a sibling', { 'sec-fetch-site': 'same-site' }, 403],
    ['nowhere', { 'sec-fetch-site': 'none' }, 403],
    ['another origin', { 'sec-fetch-site': 'same-origin', origin: 'http://127.0.0.1:1' }, 403],
    ['no origin', { 'sec-fetch-site': 'same-origin', origin: 'null' }, 403],
  ])('a form from %s is answered so', async (_name, headers, status) => {
    const url = await startDashboard()
    for (const path of ['/explain', '/explain/send']) {
      expect((await postForm(url, path, fields, headers as Record<string, string>)).status).toBe(status)
    }
  })

  test('an old browser is known by Origin, and nobody without either', async () => {
    const url = await startDashboard()
    const body = new URLSearchParams({ ...fields, token: await formToken(url) }).toString()
    const send = async (headers: Record<string, string>): Promise<number> => {
      const type = { 'content-type': 'application/x-www-form-urlencoded' }
      const { statusCode } = await request(`${url}/explain`, {
        method: 'POST',
        body,
        headers: { ...type, ...headers },
      })
      return statusCode
    }
    expect(await send({ origin: url })).toBe(200)
    expect(await send({})).toBe(403)
    expect(await send({ origin: 'https://evil.example.com' })).toBe(403)
  })

  test('a form without the token, or with that of another process, is refused', async () => {
    const [url, other] = [await startDashboard(), await startDashboard()]
    for (const token of ['', 'x', await formToken(other)]) {
      expect((await postForm(url, '/explain', { ...fields, token })).status).toBe(403)
    }
  })

  test('values of header fields reach no address', async () => {
    const response = await postForm(await startDashboard(), '/explain', {
      ...fields,
      url: `${fields.url}?q=hidden`,
    })
    const links = [...(await response.text()).matchAll(/(?:href|action)="([^"]*)"/g)].map(([, link]) => link)
    expect(links.length).toBeGreaterThan(5)
    expect(links.join()).not.toMatch(/secret-value|hidden/)
  })

  test('what cannot be read is said beside the form, with what was typed', async () => {
    const response = await postForm(await startDashboard(), '/explain', { url: 'nothing', headers: '' })
    const text = await response.text()
    expect(response.status).toBe(400)
    expect(text).toContain('the address must be an absolute http or https URL')
    expect(text).toContain('value="nothing"')
  })
})

describe('data', () => {
  test('10,000 routes come a page at a time', async () => {
    const url = await startDashboard()
    const text = await (await fetch(`${url}/routes?offset=9950`)).text()
    expect(text.match(/<tr role="row">/g)?.length).toBe(51)
    expect(text).toContain('9,951–10,000 of 10,000')
    const found = (await (await fetch(`${url}/api/routes?state=closed&limit=2`)).json()) as { total: number }
    expect(found.total).toBe(3333)
  })

  test.each([
    ['/api/routes?limit=501', 'limit'],
    ['/api/routes?offset=-1', 'offset'],
    ['/api/routes?state=shut', 'state'],
    ['/api/diagnostics?severity=fatal', 'severity'],
    ['/api/explain?url=x', 'address'],
  ])('%s is refused by name', async (path, word) => {
    const response = await fetch(`${await startDashboard()}${path}`)
    const { message } = (await response.json()) as { message: string }
    expect([response.status, message.includes(word)]).toEqual([400, true])
  })

  test('everything that /api lists is there', async () => {
    const url = await startDashboard()
    const names = Object.keys((await (await fetch(`${url}/api`)).json()) as object)
    expect(names.length).toBe(10)
    const query = 'id=shop%2Fokta&url=https%3A%2F%2Fa.example.com%2F'
    for (const name of names) {
      const { status } = await fetch(
        `${url}${name}?${name === '/api/route' ? 'id=shop%2Fapp-1%2F0%2F0' : query}`,
      )
      expect([name, status]).toEqual([name, 200])
    }
  })

  test.each(['/route?id=x', '/plugin?id=x', '/api/route?id=x', '/nowhere'])(
    '%s is not there',
    async (path) => {
      expect((await fetch(`${await startDashboard()}${path}`)).status).toBe(404)
    },
  )

  test('what a source fails with is told to the log and not to the page', async () => {
    const failures: unknown[] = []
    const source = fakeSource({ plugins: broken })
    const url = await startDashboard({ source, onFailure: (error) => failures.push(error) })
    for (const path of ['/plugins', '/api/plugins']) {
      const response = await fetch(`${url}${path}`)
      expect(response.status).toBe(500)
      expect(await response.text()).not.toContain('secret-address')
    }
    expect(failures).toHaveLength(2)
  })

  test('scripts and styles may be kept, under an address of their own', async () => {
    const url = await startDashboard()
    const [, path = ''] =
      /src="(\/assets\/[0-9a-f]{16}\/dashboard\.js)"/.exec(await (await fetch(url)).text()) ?? []
    const response = await fetch(`${url}${path}`)
    expect(response.headers.get('cache-control')).toContain('immutable')
    expect(response.headers.get('content-type')).toContain('text/javascript')
  })
})
