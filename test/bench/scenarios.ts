import { request } from 'undici'
import type { BenchAuthorizationServer } from './authorization-server.ts'
import type { PeerLoad, PeerScenario } from './peers/peer.ts'

type Headers = Readonly<Record<string, string>>

/** One row of the table: a path of a process, and the headers that its requests have in turn. */
export interface Scenario {
  readonly name: string
  readonly path: string
  readonly headers: readonly Headers[]
}

/** The sessions of the routes with a login. */
export interface Cookies {
  readonly login: string
  /** Absent without Redis. */
  readonly redis?: string
}

/** More tokens in turn than the cache holds (10,000): each has been forgotten when it comes again. */
const FORGOTTEN = 11_000

/** Access tokens for all scenarios of a run. */
export class Tokens {
  readonly one: readonly Headers[]
  readonly thousand: readonly Headers[]
  readonly #server: BenchAuthorizationServer

  constructor(server: BenchAuthorizationServer) {
    this.#server = server
    this.one = this.#some(1)
    this.thousand = this.#some(1000)
  }

  /** Takes ten seconds. */
  unseen(): readonly Headers[] {
    return this.#some(FORGOTTEN)
  }

  #some(count: number): readonly Headers[] {
    return Array.from({ length: count }, () => ({ authorization: `Bearer ${this.#server.accessToken()}` }))
  }
}

/** @param only Part of the name of those that are wanted. */
export function ownScenarios(tokens: Tokens, cookies: Cookies, only: string): readonly Scenario[] {
  const all: readonly (readonly [name: string, path: string, headers: () => readonly Headers[]])[] = [
    ['no plugin', '/open', () => [{}]],
    ['bearer, token seen before', '/bearer', () => tokens.one],
    ['bearer, one of 1,000 tokens', '/bearer', () => tokens.thousand],
    ['bearer, token never seen', '/bearer', () => tokens.unseen()],
    ['session cookie', '/login', () => [{ cookie: cookies.login }]],
    ...(cookies.redis === undefined ? [] : [inRedis(cookies.redis)]),
    ['introspection, cached', '/introspection', () => tokens.one],
  ]
  return all
    .filter(([name]) => name.includes(only))
    .map(([name, path, headers]) => ({ name, path, headers: headers() }))
}

/** What is written of requests, apart: the flags, beside the same scenario without them. */
export function recordings(
  otlpEndpoint: string,
): readonly { readonly name: string; readonly flags: readonly string[] }[] {
  const silent = ['--access-log', 'false', '--audit-log', 'false']
  const traced = (ratio: string): string[] => [
    ...silent,
    '--otlp-endpoint',
    otlpEndpoint,
    '--trace-sample-ratio',
    ratio,
  ]
  return [
    { name: 'access log', flags: ['--access-log', 'true', '--audit-log', 'true'] },
    { name: 'traces of 1 %', flags: traced('0.01') },
    { name: 'traces of 100 %', flags: traced('1') },
  ]
}

function inRedis(cookie: string): readonly [string, string, () => readonly Headers[]] {
  return ['session in Redis', '/redis', () => [{ cookie }]]
}

export function peerScenario({ name, path, load }: PeerScenario, tokens: Tokens): Scenario {
  const headers: Readonly<Record<PeerLoad, readonly Headers[]>> = {
    open: [{}],
    'one token': tokens.one,
    'many tokens': tokens.thousand,
  }
  return { name, path, headers: headers[load] }
}

/** Logs in as a browser would, but for the login page itself: the bench's server takes any code. */
export async function login(origin: string, path: string, server: BenchAuthorizationServer): Promise<string> {
  const start = await navigate(origin + path)
  const authorize = new URL(start.location)
  server.expectNonce(authorize.searchParams.get('nonce') ?? '')
  const state = encodeURIComponent(authorize.searchParams.get('state') ?? '')
  const callback = `${origin}/oauth2/callback?code=bench&state=${state}`
  return (await navigate(callback, start.cookies)).cookies
}

/** One page load; a redirect is the only answer that is expected. */
async function navigate(url: string, cookie?: string): Promise<{ location: string; cookies: string }> {
  const headers = { accept: 'text/html', ...(cookie !== undefined && { cookie }) }
  const { statusCode, headers: answer, body } = await request(url, { headers })
  const text = await body.text()
  if (statusCode >= 400) throw new Error(`login failed: ${statusCode} ${text}`)
  const set = [answer['set-cookie'] ?? []].flat().map((each) => each.split(';')[0] ?? '')
  const cookies = set.filter((each) => !each.endsWith('=')).join('; ')
  return { location: String(answer['location']), cookies }
}
