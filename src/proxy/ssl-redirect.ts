import type { Exchange } from './exchange.ts'
import { ownHeaders } from './problem.ts'
import { isReservedPath } from './reserved-paths.ts'
import { respond, respondProblem } from './respond.ts'

const DEFAULT_PORT = 443

/**
 * Sends plain HTTP to HTTPS where logins of this host are at home: before one begins or ends, for its cookies must
 * not go over plain HTTP.
 */
export function redirectLogin(exchange: Exchange): boolean {
  const { host, snapshot, target } = exchange
  if (host.virtualHost.httpsLogin === undefined || exchange.view.scheme === 'https') return true
  if (!isReservedPath(target.path) && !snapshot.callbackPaths(host.virtualHost).has(target.path)) return true
  return sendToHttps(exchange)
}

/** Sends plain HTTP to HTTPS where the route says so: before authorization, and before anything of the route is told. */
export function redirectRoute(exchange: Exchange): boolean {
  if (exchange.route?.sslRedirect === undefined || exchange.view.scheme === 'https') return true
  return sendToHttps(exchange)
}

/**
 * 308 to the same host, path and query. Not with what a login added on its way here: that is for HTTPS alone. Caches
 * do not keep it, so that it can be taken back.
 */
function sendToHttps(exchange: Exchange): false {
  const { authority, engine } = exchange
  if (authority.host === '') {
    exchange.loginHeaders = []
    const message = 'This is served over HTTPS only, and without a Host field nobody knows where.'
    respondProblem(exchange, 400, { message, reason: 'https_required' })
    return false
  }
  const port = engine.httpsRedirectPort === DEFAULT_PORT ? '' : `:${engine.httpsRedirectPort}`
  const location = `https://${authority.host}${port}${authority.target}`
  exchange.reason = 'https_redirect'
  respond(exchange, {
    status: 308,
    headers: ownHeaders('text/plain', '', [['Location', location]]),
    body: '',
  })
  return false
}
