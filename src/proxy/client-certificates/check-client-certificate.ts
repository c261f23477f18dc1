import type { TLSSocket } from 'node:tls'
import type { Route } from '../../table/routing-table.ts'
import type { Exchange } from '../exchange.ts'
import { respondProblem } from '../respond.ts'
import { authoritiesAskedFor, clientCertificateOf } from './client-certificate.ts'

/**
 * Refuses with 421 what came over a connection whose handshake asked for other certificates than the host wants
 * (RFC 9110 §15.5.20): by a server name that is not the host, or before the host's authorities changed. A new connection
 * is asked for the right ones.
 */
export function checkServerName(exchange: Exchange): boolean {
  const { host, request, response } = exchange
  const wanted = host.virtualHost.clientAuthorities?.id
  const asked = authoritiesAskedFor(request.socket)
  if (wanted === asked) return true
  // Plain HTTP names no server: its routes refuse whom they have to.
  if ((request.socket as Partial<TLSSocket>).encrypted !== true) return true
  response.shouldKeepAlive = false
  const message = 'This host asks for other client certificates than this connection was opened with.'
  respondProblem(exchange, 421, { message, reason: 'misdirected' })
  return false
}

/** Whether a route would take the client's certificate, or that it has shown none. */
export function hasAcceptedCertificate({ request }: Exchange, { clientCertificate: demand }: Route): boolean {
  if (demand === undefined) return true
  const { state } = clientCertificateOf(request.socket)
  return state === 'verified' || (state === 'none' && demand === 'optional')
}

/** Lets only those through who have shown a certificate, where the route asks for one. */
export function checkClientCertificate(exchange: Exchange): boolean {
  const { engine, request, route } = exchange
  const demand = route?.clientCertificate
  if (demand === undefined) return true
  const certificate = clientCertificateOf(request.socket)
  if (certificate.state === 'refused') {
    const { code } = certificate
    engine.log.info({ route: route?.id, code }, 'client certificate refused')
    const message = 'The client certificate is not accepted here.'
    respondProblem(exchange, 403, { message, reason: 'client_certificate' })
    return false
  }
  if (certificate.state === 'none' && demand === 'required') {
    const message = 'A client certificate is needed, over HTTPS.'
    respondProblem(exchange, 403, { message, reason: 'client_certificate' })
    return false
  }
  exchange.certificateHeaders = certificate.headers
  return true
}
