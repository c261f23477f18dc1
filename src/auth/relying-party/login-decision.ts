import type { Refused, ServerUnavailable } from '../authorization-server/authorization-server-client.ts'
import type {
  AuthDecision,
  GoOn,
  HeaderList,
  RefusalReason,
  Redirect,
  Refuse,
  Unavailable,
} from '../decision.ts'

/** On every answer of a login: the URLs and cookies in it are good once. */
export const NO_STORE: HeaderList[number] = ['cache-control', 'no-store']

/** The callback's URL holds the code: a page shown there must not pass it on. */
const NO_REFERRER: HeaderList[number] = ['referrer-policy', 'no-referrer']

/** A Set-Cookie header for each value. */
export function setCookieHeaders(values: readonly string[]): HeaderList {
  return values.map((value) => ['set-cookie', value] as const)
}

/** 400 or 403 for a callback that cannot be completed. */
export function refuseLogin(
  message: string,
  options: {
    readonly reason?: RefusalReason
    readonly status?: 400 | 403
    readonly headers?: HeaderList
    readonly detail?: string
  } = {},
): Refuse {
  return {
    kind: 'refuse',
    status: options.status ?? 400,
    reason: options.reason ?? 'invalid_callback',
    message,
    ...(options.detail !== undefined && { detail: options.detail }),
    wwwAuthenticate: [],
    responseHeaders: withNoStore([...(options.headers ?? []), NO_REFERRER]),
  }
}

/** 503 for a login that may well succeed later, or that only the operator can mend. */
export function unavailableLogin(
  message: string,
  options: {
    readonly retryAfterSeconds: number
    readonly reason?: RefusalReason
    readonly detail?: string
  },
): Unavailable {
  return {
    kind: 'unavailable',
    reason: 'authorization_server_unavailable',
    message,
    ...options,
    responseHeaders: [NO_STORE, NO_REFERRER],
  }
}

/** 503 where the configuration lacks what a login needs. */
export function loginNotSetUp(detail: string): Unavailable {
  return unavailableLogin('Signing in is not set up completely', {
    retryAfterSeconds: 30,
    reason: 'policy_missing',
    detail,
  })
}

/** 503 after a call to the authorization server that gave nothing usable. */
export function serverUnavailable(message: string, answer: Refused | ServerUnavailable): Unavailable {
  return answer.kind === 'unavailable'
    ? unavailableLogin(message, { retryAfterSeconds: answer.retryAfterSeconds, detail: answer.reason })
    : unavailableLogin(message, { retryAfterSeconds: 5, detail: answer.error })
}

/** 503 while sessions cannot be kept: the login would be lost. */
export function sessionStoreUnavailable(): Unavailable {
  return unavailableLogin('Sessions cannot be kept at the moment; sign in again shortly', {
    retryAfterSeconds: 5,
    reason: 'session_store_unavailable',
  })
}

/** To where the login began. */
export function redirectBack(location: string, headers: HeaderList): Redirect {
  return {
    kind: 'redirect',
    status: 302,
    location,
    reason: 'callback',
    responseHeaders: withNoStore([...headers, NO_REFERRER]),
  }
}

/** The decision with more headers; of several Cache-Control fields only the last is kept. */
export function withHeaders<T extends AuthDecision | GoOn>(decision: T, headers: HeaderList): T {
  return { ...decision, responseHeaders: withNoStore([...headers, ...decision.responseHeaders]) }
}

function withNoStore(headers: HeaderList): HeaderList {
  const cacheControl = headers.findLast(([name]) => name === 'cache-control') ?? NO_STORE
  return [...headers.filter(([name]) => name !== 'cache-control'), cacheControl]
}
