import { spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { findProgram, startServer, type Peer, type PeerWorld } from './peer.ts'

const MODULES = '/usr/lib/apache2/modules'
const NEEDED = ['mpm_event', 'authn_core', 'authz_core', 'authz_user', 'proxy', 'proxy_http', 'oauth2']

/** Apache with mod_oauth2, which keeps what it verified in shared memory. */
export const apache: Peer = {
  scenarios: [
    { name: 'Apache, no guard', path: '/open', load: 'open' },
    { name: 'Apache mod_oauth2', path: '/bearer', load: 'one token' },
  ],
  async start(world, port) {
    const program = findProgram('apache2', 'APACHE')
    if (program === undefined || !NEEDED.every((name) => existsSync(moduleFile(name)))) return undefined
    const file = path.join(world.folder, 'apache.conf')
    writeFileSync(file, configuration(world, port))
    const serving = await startServer(program, ['-DFOREGROUND', '-f', file], port)
    const version = /Apache\/(\S+)/.exec(spawnSync(program, ['-v']).stdout.toString())?.[1] ?? ''
    return { version: `Apache ${version}`, port, processes: [serving] }
  },
}

function moduleFile(name: string): string {
  return path.join(MODULES, `mod_${name}.so`)
}

/** One process, so that it has one core's worth of locks; threads for the connections of the load. */
function configuration({ upstreamPort, issuer, folder }: PeerWorld, port: number): string {
  const modules = NEEDED.map((name) => `LoadModule ${name}_module ${moduleFile(name)}`).join('\n')
  return `
ServerRoot ${folder}
DefaultRuntimeDir ${folder}
PidFile ${folder}/apache.pid
ServerName 127.0.0.1
Listen 127.0.0.1:${port}
ErrorLog ${folder}/error.log
LogLevel crit
${modules}
User www-data
Group www-data
StartServers 1
ServerLimit 1
ThreadsPerChild 128
ThreadLimit 128
MaxRequestWorkers 128
MinSpareThreads 1
MaxSpareThreads 128
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 60
ProxyPass / http://127.0.0.1:${upstreamPort}/ enablereuse=on max=128 keepalive=On
<Location />
  Require all granted
</Location>
<Location /bearer>
  AuthType oauth2
  OAuth2TokenVerify jwks_uri ${issuer}/keys
  Require valid-user
</Location>
`
}
