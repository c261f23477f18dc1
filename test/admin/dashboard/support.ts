import { onTestFinished } from 'vitest'
import {
  createDashboardServer,
  type DashboardDependencies,
} from '../../../src/admin/dashboard/dashboard-server.ts'
import { fakeSource, NOW_MS } from './fake-source.ts'

/** Starts a dashboard of fake data; gone when the test is. */
export async function startDashboard(given: Partial<DashboardDependencies> = {}): Promise<string> {
  const server = createDashboardServer({
    source: fakeSource(),
    allowedHosts: [],
    dataPlane: { host: '127.0.0.1' },
    clock: { now: () => NOW_MS, monotonic: () => performance.now() },
    ...given,
  })
  const url = await server.listen({ host: '127.0.0.1', port: 0 })
  onTestFinished(() => server.close())
  return url
}

/** Every page, by its address. */
export const PAGES: readonly string[] = [
  '/',
  '/routes',
  '/routes?search=app-3&state=guarded',
  '/route?id=shop%2Fapp-6%2F0%2F0',
  '/route?id=shop%2Fapp-2%2F0%2F0',
  '/plugins',
  '/plugin?id=shop%2Fokta',
  '/plugin?id=platform%2Fstaff',
  '/consumers',
  '/certificates',
  '/diagnostics',
  '/explain',
  '/explain?url=https%3A%2F%2Fapp-0.apps.example.com%2Fa',
]

/** The token of the forms, as a page of ours carries it. */
export async function formToken(url: string): Promise<string> {
  const text = await (await fetch(`${url}/explain`)).text()
  return /name="token" value="([^"]+)"/.exec(text)?.[1] ?? ''
}

/** Posts the form of the explain page as a browser does from there. */
export async function postForm(
  url: string,
  path: string,
  fields: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const body = new URLSearchParams({ token: await formToken(url), method: 'GET', ...fields })
  return fetch(`${url}${path}`, {
    method: 'POST',
    body,
    headers: { 'sec-fetch-site': 'same-origin', origin: url, ...headers },
  })
}
