import type { Policy } from '../../table/policy.ts'
import { cookieHeaderOf, cookieValues } from '../session/cookie-header.ts'
import { flowCookieName, loginCountCookieName } from '../session/cookie-names.ts'
import type { SealContext } from '../session/seal.ts'
import { clearCookie, setCookie, type CookieAttributes } from '../session/set-cookie.ts'
import type { LoginContext, LoginDependencies } from './login-context.ts'
import { openJson, sealJson } from './login-state.ts'

/**
 * A sealed cookie that lives for a login: it goes to the redirect URI's path alone, so that abandoned logins burden
 * no other request and never reach an application.
 */
export interface LoginCookie {
  readonly name: string
  readonly attributes: CookieAttributes
  readonly context: SealContext
}

/** The cookie that proves, in a numbered slot, the browser which began a login. */
export function flowCookie(login: LoginContext, slot: number): LoginCookie {
  return loginCookie(login, 'flow', flowCookieName(login.policy.session, isSecure(login), slot))
}

/** The cookie that counts completed logins. */
export function loginCountCookie(login: LoginContext): LoginCookie {
  return loginCookie(login, 'login-count', loginCountCookieName(login.policy.session, isSecure(login)))
}

/** The Set-Cookie of a value, sealed; `undefined` without a session key. */
export function writeLoginCookie(
  deps: LoginDependencies,
  login: LoginContext,
  cookie: LoginCookie,
  content: { readonly value: object; readonly maxAgeSeconds: number },
): string | undefined {
  const sealed = sealJson(content.value, cookie.context, login.snapshot, deps)
  return sealed && setCookie(cookie.name, sealed, cookie.attributes, content.maxAgeSeconds)
}

/** What opens of the request's cookies of this name: more than one where a sibling host planted another. */
export function readLoginCookie(
  deps: LoginDependencies,
  login: LoginContext,
  cookie: LoginCookie,
): readonly unknown[] {
  const values = cookieValues(cookieHeaderOf(login.facts.headers), cookie.name).slice(0, MAXIMUM_CANDIDATES)
  return values.flatMap((value) => openJson(value, cookie.context, login.snapshot, deps) ?? [])
}

/** The Set-Cookie that removes it. */
export function clearLoginCookie(cookie: LoginCookie): string {
  return clearCookie(cookie.name, cookie.attributes)
}

const MAXIMUM_CANDIDATES = 4

function loginCookie(login: LoginContext, purpose: SealContext['purpose'], name: string): LoginCookie {
  const { policy, redirectUri } = login
  const { cookieDomain: domain, realm } = policy.session
  const elsewhere = URL.parse(login.origin)?.hostname !== redirectUri.host
  const attributes = {
    path: redirectUri.cookiePath,
    ...(elsewhere && domain !== undefined && { domain }),
    sameSite: policy.authorizationCode.flowCookieSameSite,
    secure: isSecure(login),
  }
  return { name, attributes, context: { purpose, realm, name } }
}

function isSecure({ policy, redirectUri }: { policy: Policy; redirectUri: { secure: boolean } }): boolean {
  return redirectUri.secure || policy.authorizationCode.flowCookieAlwaysSecure
}
