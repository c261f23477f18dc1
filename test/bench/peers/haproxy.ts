import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { findProgram, startServer, type Peer, type PeerWorld } from './peer.ts'

/** HAProxy, which verifies the signature under one key from a file, and compares issuer, audience and expiry. */
export const haproxy: Peer = {
  scenarios: [
    { name: 'HAProxy, no guard', path: '/open', load: 'open' },
    { name: 'HAProxy jwt_verify', path: '/bearer', load: 'one token' },
  ],
  async start(world, port) {
    const program = findProgram('haproxy', 'HAPROXY')
    if (program === undefined) return undefined
    const key = path.join(world.folder, 'key.pem')
    const file = path.join(world.folder, 'haproxy.cfg')
    writeFileSync(key, world.publicKeyPem)
    writeFileSync(file, configuration(world, port, key))
    const serving = await startServer(program, ['-db', '-f', file], port)
    const version = /version (\S+)/.exec(spawnSync(program, ['-v']).stdout.toString())?.[1] ?? ''
    return { version: `HAProxy ${version}`, port, processes: [serving] }
  },
}

function configuration({ upstreamPort, issuer, audience }: PeerWorld, port: number, key: string): string {
  return `
global
  nbthread 1
  maxconn 4096
defaults
  mode http
  option http-keep-alive
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout http-keep-alive 60s
frontend front
  bind 127.0.0.1:${port}
  acl open path_beg /open
  http-request set-var(txn.bearer) http_auth_bearer if !open
  http-request set-var(txn.alg) var(txn.bearer),jwt_header_query('$.alg') if !open
  http-request set-var(txn.iss) var(txn.bearer),jwt_payload_query('$.iss') if !open
  http-request set-var(txn.aud) var(txn.bearer),jwt_payload_query('$.aud') if !open
  http-request set-var(txn.exp) var(txn.bearer),jwt_payload_query('$.exp','int') if !open
  http-request set-var(txn.now) date() if !open
  http-request deny deny_status 401 if !open !{ var(txn.alg) -m str RS256 }
  http-request deny deny_status 401 if !open !{ var(txn.iss) -m str ${issuer} }
  http-request deny deny_status 401 if !open !{ var(txn.aud) -m str ${audience} }
  http-request deny deny_status 401 if !open { var(txn.exp),sub(txn.now) -m int lt 0 }
  http-request deny deny_status 401 if !open !{ var(txn.bearer),jwt_verify(txn.alg,"${key}") -m int 1 }
  default_backend back
backend back
  http-reuse always
  server upstream 127.0.0.1:${upstreamPort} pool-max-conn 256
`
}
