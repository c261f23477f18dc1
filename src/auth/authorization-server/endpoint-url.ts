import type { AuthorizationServer } from '../../table/policy.ts'

const LOOPBACK_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

/** A URL that may be called, or why not. */
export type EndpointUrl = { readonly url: URL } | { readonly problem: string }

/**
 * Reads the URL of an endpoint: absolute, https, or http where the host is loopback or the policy says
 * `insecureAllowHttp`; no user name or password in it.
 *
 * @param value From a discovery document or a policy; any type.
 */
export function endpointUrl(value: unknown, server: AuthorizationServer): EndpointUrl {
  const url = typeof value === 'string' && value.length <= 2048 ? URL.parse(value) : null
  if (url === null) return { problem: 'is not a URL' }
  if (url.username !== '' || url.password !== '') return { problem: 'holds a user name or password' }
  if (url.protocol === 'https:') return { url }
  if (url.protocol !== 'http:') return { problem: 'is neither https nor http' }
  if (server.insecureAllowHttp || LOOPBACK_HOST.test(url.hostname)) return { url }
  return { problem: 'is http and not https' }
}
