import { IncomingMessage, type ServerResponse } from 'node:http'
import {
  oauthMetadata,
  OAUTH_METADATA_PATHS,
  openidConfiguration,
  OPENID_CONFIGURATION_PATH,
} from './discovery.ts'
import { oauthError, readForm, send, type Exchange, type Reply } from './exchange.ts'
import type { Endpoint } from './faults.ts'
import { introspect } from './introspect.ts'
import { logout } from './logout.ts'
import type { RateLimits } from './rate-limits.ts'
import { revoke } from './revoke.ts'
import { BASE_PATH, type RunningState } from './server-state.ts'
import { SIGN_IN_PATH, signIn } from './sign-in.ts'
import { checkTokenRequest } from './token.ts'
import { userinfo } from './userinfo.ts'

/** Answers a request, or hands it on to something that does. */
type Handler = (state: RunningState, exchange: Exchange) => Promise<Reply | void>

interface Route {
  readonly endpoint: Endpoint
  readonly methods: readonly string[]
  readonly handle: Handler
}

const ROUTES: Readonly<Record<string, Route>> = {
  ...Object.fromEntries(
    OAUTH_METADATA_PATHS.map((path) => [path, get('discovery', async (state) => oauthMetadata(state))]),
  ),
  [OPENID_CONFIGURATION_PATH]: get('discovery', async (state) => openidConfiguration(state)),
  [`${BASE_PATH}/v1/keys`]: get('keys', async (state) => keys(state)),
  [`${BASE_PATH}/v1/authorize`]: get('authorize', authorize),
  [`${BASE_PATH}/v1/token`]: post('token', token),
  [`${BASE_PATH}/v1/introspect`]: post('introspect', introspect),
  [`${BASE_PATH}/v1/revoke`]: post('revoke', revoke),
  [`${BASE_PATH}/v1/logout`]: { endpoint: 'logout', methods: ['GET', 'POST'], handle: logout },
  [`${BASE_PATH}/v1/userinfo`]: { endpoint: 'userinfo', methods: ['GET', 'POST'], handle: userinfo },
}

/** Below `authorize` oidc-provider takes the browser back after the sign-in. */
const PREFIX_ROUTES: readonly (readonly [string, Route])[] = [
  [SIGN_IN_PATH, { endpoint: 'signin', methods: ['GET', 'POST'], handle: signIn }],
  [`${BASE_PATH}/v1/authorize/`, get('authorize', forward)],
]

/** Counts a request, lets the faults speak, and has its endpoint answer it. */
export async function route(
  state: RunningState,
  limits: RateLimits,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  response.setHeader('X-Okta-Request-Id', crypto.randomUUID())
  const url = new URL(request.url ?? '/', 'http://localhost')
  const found = findRoute(url.pathname)
  if (!found) {
    send(response, { status: 404, body: { errorCode: 'E0000022', errorSummary: 'Not found.' } })
    return
  }
  const form = await readForm(request)
  if (!form) {
    send(response, oauthError(413, 'invalid_request', 'The request body is too large.'))
    return
  }
  const exchange: Exchange = { request, response, url, form }
  record(state, found.endpoint, exchange)
  const reply = await answer(state, limits, found, exchange)
  if (reply) send(response, reply)
}

async function answer(
  state: RunningState,
  limits: RateLimits,
  { endpoint, methods, handle }: Route,
  exchange: Exchange,
): Promise<Reply | void> {
  const fault = await state.faults.apply(endpoint)
  if (fault) return fault
  const limited = limits.take(endpoint, exchange.response)
  if (limited) return limited
  if (methods.includes(exchange.request.method ?? '')) return handle(state, exchange)
  return { status: 405, headers: { Allow: methods.join(', ') } }
}

function findRoute(path: string): Route | undefined {
  const exact = Object.hasOwn(ROUTES, path) ? ROUTES[path] : undefined
  return exact ?? PREFIX_ROUTES.find(([prefix]) => path.startsWith(prefix))?.[1]
}

function get(endpoint: Endpoint, handle: Handler): Route {
  return { endpoint, methods: ['GET', 'HEAD'], handle }
}

function post(endpoint: Endpoint, handle: Handler): Route {
  return { endpoint, methods: ['POST'], handle }
}

function record(state: RunningState, endpoint: Endpoint, { request, url, form }: Exchange): void {
  const { client_secret: _, password: __, ...parameters } = Object.fromEntries([...url.searchParams, ...form])
  state.faults.record({
    endpoint,
    method: request.method ?? '',
    parameters,
    authorizationScheme: request.headers.authorization?.split(' ', 1)[0]?.toLowerCase(),
  })
}

function keys(state: RunningState): Reply {
  return { status: 200, headers: { 'Cache-Control': 'max-age=3600, must-revalidate' }, body: state.keys.jwks }
}

/** oidc-provider grants `offline_access` only to requests that ask for consent; Okta asks for no such thing. */
async function authorize(state: RunningState, exchange: Exchange): Promise<void> {
  const { searchParams } = exchange.url
  const wantsRefreshToken = searchParams.get('scope')?.split(' ').includes('offline_access') ?? false
  const prompt = searchParams.get('prompt')
  if (wantsRefreshToken && prompt !== 'none') {
    searchParams.set('prompt', [...(prompt?.split(' ') ?? []), 'consent'].join(' '))
  }
  searchParams.delete('resource')
  exchange.request.url = exchange.url.pathname + exchange.url.search
  await forward(state, exchange)
}

async function token(state: RunningState, exchange: Exchange): Promise<Reply | void> {
  const checked = checkTokenRequest(state, exchange)
  if (!(checked instanceof URLSearchParams)) return checked
  await state.provider.callback()(replay(exchange.request, checked), exchange.response)
}

async function forward(state: RunningState, { request, response }: Exchange): Promise<void> {
  await state.provider.callback()(request, response)
}

/** The request again with its body unread: oidc-provider reads bodies itself and warns about read ones. */
function replay(request: IncomingMessage, form: URLSearchParams): IncomingMessage {
  const body = Buffer.from(form.toString())
  const again = new IncomingMessage(request.socket)
  again.method = request.method
  again.url = request.url
  again.headers = { ...request.headers, 'content-length': String(body.length) }
  delete again.headers['transfer-encoding']
  again.complete = true
  again.push(body)
  again.push(null)
  return again
}
