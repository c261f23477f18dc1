import { isIP, connect as connectTcp, Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { RedisNode, RedisServer } from '../../../table/policy.ts'
import {
  AddressRefusedError,
  guardedLookup,
  type AddressGuard,
} from '../../authorization-server/address-guard.ts'

/**
 * Connects to one address of Redis, with TLS where the server has it. An address that the guard refuses is not
 * connected to: the socket comes destroyed, with that error.
 */
export function guardedConnect(node: RedisNode, tls: RedisServer['tls'], guard: AddressGuard): Socket {
  const { host, port } = node
  if (isIP(host) !== 0 && !guard(host)) return refused(new AddressRefusedError(host))
  const lookup = guardedLookup(guard)
  if (tls === undefined) return connectTcp({ host, port, lookup })
  const { certificateAuthorities: ca, serverName = host, insecureSkipVerify } = tls
  try {
    return connectTls({
      host,
      port,
      lookup,
      rejectUnauthorized: !insecureSkipVerify,
      ...(isIP(serverName) === 0 && { servername: serverName }),
      ...(ca !== undefined && { ca }),
    })
  } catch (error) {
    return refused(error instanceof Error ? error : new Error('cannot connect'))
  }
}

/** Fails as a socket does, since a connector that throws is never asked again. */
function refused(error: Error): Socket {
  return new Socket().destroy(error)
}
