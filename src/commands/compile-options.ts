import type { CompileOptions } from '../compiler/options.ts'
import type { Settings } from '../settings/settings.ts'

/** What the settings say to the compiler. Files have no admission that would fill in the default class. */
export function compileOptionsOf(settings: Settings, fromFiles: boolean): CompileOptions {
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
    ...(settings.replicas !== undefined && { replicas: settings.replicas }),
    ...(settings.defaultSslCertificate !== undefined && {
      defaultCertificate: settings.defaultSslCertificate,
    }),
  }
}
