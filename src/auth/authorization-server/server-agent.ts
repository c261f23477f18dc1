import { isIP } from 'node:net'
import { Agent, buildConnector } from 'undici'
import type { AuthorizationServer } from '../../table/policy.ts'
import { AddressRefusedError, guardedLookup, type AddressGuard } from './address-guard.ts'

/** No protocol message comes near it. */
export const MAXIMUM_RESPONSE_BYTES = 1024 * 1024

/**
 * The connections to one authorization server: TLS and time-outs as its policy has them, HTTP/1.1, no redirects, no
 * more than 1 MiB a response, and no connection to an address that the guard refuses.
 */
export function createServerAgent(server: AuthorizationServer, guard: AddressGuard): Agent {
  return new Agent({
    connect: guardedConnector(server, guard),
    allowH2: false,
    connections: 64,
    headersTimeout: server.timeoutMs,
    bodyTimeout: server.timeoutMs,
    maxResponseSize: MAXIMUM_RESPONSE_BYTES,
  })
}

function guardedConnector(server: AuthorizationServer, guard: AddressGuard): buildConnector.connector {
  const connect = buildConnector({
    allowH2: false,
    timeout: server.timeoutMs,
    lookup: guardedLookup(guard),
    rejectUnauthorized: !server.insecureSkipTlsVerify,
    ...(server.certificateAuthorities !== undefined && { ca: server.certificateAuthorities }),
  })
  return (options, callback) => {
    const host = options.hostname.replace(/^\[|\]$/g, '')
    if (isIP(host) !== 0 && !guard(host)) return callback(new AddressRefusedError(host), null)
    try {
      connect(options, callback)
    } catch (error) {
      // A CA that is no PEM throws while the TLS context is made.
      callback(error instanceof Error ? error : new Error('cannot connect'), null)
    }
  }
}
