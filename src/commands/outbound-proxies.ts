import type { OutboundProxies } from '../auth/authorization-server/server-agent.ts'
import type { Settings } from '../settings/settings.ts'

/** The HTTP proxies of the settings, for calls to authorization servers. */
export function outboundProxiesOf({ httpProxy, httpsProxy, noProxy }: Settings): OutboundProxies {
  return {
    ...(httpProxy !== undefined && { httpUrl: httpProxy }),
    ...(httpsProxy !== undefined && { httpsUrl: httpsProxy }),
    ...(noProxy !== undefined && { exempt: noProxy.split(/[,\s]+/).filter((host) => host !== '') }),
  }
}
