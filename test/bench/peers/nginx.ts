import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { freePort } from '../../support/free-port.ts'
import { findProgram, startServer, type Peer, type PeerWorld } from './peer.ts'

/** nginx by itself, and as people bolt a login onto it: a sub-request to oauth2-proxy for each request. */
export const nginx: Peer = {
  scenarios: [
    { name: 'nginx, no guard', path: '/open', load: 'open' },
    { name: 'nginx + oauth2-proxy', path: '/bearer', load: 'one token' },
  ],
  async start(world, port) {
    const program = findProgram('nginx', 'NGINX')
    const guard = findProgram('oauth2-proxy', 'OAUTH2_PROXY')
    if (program === undefined || guard === undefined) return undefined
    const guardPort = await freePort()
    const guarding = await startServer(guard, guardArguments(world, guardPort), guardPort, {
      GOMAXPROCS: '1',
    })
    const file = path.join(world.folder, 'nginx.conf')
    writeFileSync(file, configuration(world, port, guardPort))
    const serving = await startServer(program, ['-p', world.folder, '-c', file, '-e', 'stderr'], port)
    return { version: versionOf(program), port, processes: [serving, guarding] }
  },
}

/** It takes JWTs of an issuer that it is told of, as it is set up for programs. */
function guardArguments({ issuer, audience }: PeerWorld, port: number): string[] {
  const on = [
    '--skip-jwt-bearer-tokens',
    '--insecure-oidc-allow-unverified-email',
    '--skip-provider-button',
  ].map((flag) => `${flag}=true`)
  const off = ['--request-logging', '--auth-logging', '--standard-logging'].map((flag) => `${flag}=false`)
  return [
    ...on,
    ...off,
    '--provider=oidc',
    `--oidc-issuer-url=${issuer}`,
    `--oidc-extra-audience=${audience}`,
    '--oidc-email-claim=sub',
    '--client-id=bench',
    '--client-secret=bench-secret',
    '--cookie-secret=0123456789abcdef0123456789abcdef',
    '--email-domain=*',
    '--upstream=static://202',
    `--http-address=127.0.0.1:${port}`,
    '--redirect-url=http://127.0.0.1/oauth2/callback',
  ]
}

function configuration({ upstreamPort, folder }: PeerWorld, port: number, guardPort: number): string {
  return `
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
events { worker_connections 4096; }
http {
  access_log off;
  error_log stderr error;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  keepalive_requests 1000000000;
  upstream backend { server 127.0.0.1:${upstreamPort}; keepalive 128; keepalive_requests 1000000000; }
  upstream guard { server 127.0.0.1:${guardPort}; keepalive 128; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port} backlog=1024;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    location /open { proxy_pass http://backend; }
    location /bearer { auth_request /oauth2/auth; proxy_pass http://backend; }
    location = /oauth2/auth {
      internal;
      proxy_pass http://guard;
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_set_header X-Original-URI $request_uri;
    }
  }
}
`
}

function versionOf(program: string): string {
  return spawnSync(program, ['-v']).stderr.toString().replace('nginx version: ', '').trim()
}
