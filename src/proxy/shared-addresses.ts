import type { ListenAddress } from './listen.ts'
import type { ListeningPorts, ProxyServerOptions } from './proxy-server.ts'

type Addresses = Pick<ProxyServerOptions, 'http' | 'https'>

/** The listeners as each of several threads opens them. */
export function withReusePort({ http, https }: Addresses, reusePort: boolean): Addresses {
  const share = (address: ListenAddress): ListenAddress => ({ ...address, reusePort })
  return { ...(http && { http: share(http) }), ...(https && { https: share(https) }) }
}

/** The listeners on the ports that the first thread found. */
export function withPorts({ http, https }: Addresses, ports: ListeningPorts): Addresses {
  return {
    ...(http && { http: { ...http, port: ports.http ?? http.port } }),
    ...(https && { https: { ...https, port: ports.https ?? https.port } }),
  }
}
