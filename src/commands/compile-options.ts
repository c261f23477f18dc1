import type { CompileOptions } from '../compiler/options.ts'
import type { Settings } from '../settings/settings.ts'

/**
 * What the settings say to the compiler. Files have no admission that would fill in the default class.
 *
 * @param dashboardPort The one that the dashboard listens on; default: that of the settings.
 */
export function compileOptionsOf(
  settings: Settings,
  fromFiles: boolean,
  dashboardPort = settings.dashboardPort,
): CompileOptions {
  return {
    ingressClass: settings.ingressClass,
    controllerClass: settings.controllerClass,
    requireIngressClass: !fromFiles && !settings.withoutClusterRights,
    takeClasslessIngresses: fromFiles || settings.watchIngressWithoutClass,
    requirePlugin: settings.requirePlugin,
    defaultPlugins: settings.defaultPlugins,
    allowSharedHosts: settings.allowSharedHosts,
    allowExternalName: settings.allowExternalName,
    disableCatchAll: settings.disableCatchAll,
    ...(settings.defaultBackendService !== undefined && {
      defaultBackendService: settings.defaultBackendService,
    }),
    ...dashboardOf(settings, dashboardPort),
    ...(settings.replicas !== undefined && { replicas: settings.replicas }),
    ...(settings.defaultSslCertificate !== undefined && {
      defaultCertificate: settings.defaultSslCertificate,
    }),
  }
}

function dashboardOf(
  { dashboardHost: host, dashboardPlugin: plugin }: Settings,
  port: number,
): Pick<CompileOptions, 'dashboard'> {
  return host === undefined || plugin === undefined ? {} : { dashboard: { host, plugin, port } }
}
