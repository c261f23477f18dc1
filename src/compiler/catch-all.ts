import type { Ingress } from '../api/ingress.ts'
import type { Service } from '../api/service.ts'
import type { Diagnostics } from './diagnostics.ts'
import type { CompileOptions } from './options.ts'
import { ownMetadata } from './own-metadata.ts'

/** No Ingress can have this name: a route of it is known by that in logs and metrics. */
const NAME = '(default-backend-service)'

/**
 * `--disable-catch-all`: of the Ingresses, what serves every host that nobody names is left out, and reported. In a
 * cluster of many teams that is nobody's to take.
 *
 * @returns The Ingresses themselves where nothing is left out.
 */
export function withoutCatchAll(
  ingresses: readonly Ingress[],
  options: CompileOptions,
  diagnostics: Diagnostics,
): readonly Ingress[] {
  if (options.disableCatchAll !== true) return ingresses
  return ingresses.flatMap((ingress) => {
    const rules = ingress.spec.rules.filter(({ host }) => host != null && host !== '')
    if (rules.length > 0 && rules.length === ingress.spec.rules.length) return ingress
    diagnostics.report(ingress, {
      severity: 'error',
      reason: 'CatchAllRefused',
      path: ingress.spec.rules.length === 0 ? 'spec.defaultBackend' : 'spec.rules',
      message: 'names no host, and this installation serves none that nobody names; this part is left out',
      remedy: 'Name the host in each rule.',
    })
    return rules.length === 0 ? [] : { ...ingress, spec: { ...ingress.spec, rules } }
  })
}

/**
 * `--default-backend-service`: what serves where no Ingress does, as the youngest Ingress with a default backend and no
 * host would. Open, by the operator's word, unless the Service names plugins.
 *
 * @param service Absent: it does not exist, which is reported and closes what it would serve.
 * @returns Empty where an Ingress has such a default backend, or none is asked for.
 */
export function operatorsDefaultBackend(
  ingresses: readonly Ingress[],
  service: Service | undefined,
  { defaultBackendService }: CompileOptions,
): readonly Ingress[] {
  if (defaultBackendService === undefined || ingresses.some((each) => isDefaultOfAll(each))) return []
  const [namespace = '', name = ''] = defaultBackendService.split('/')
  const [first] = service?.spec.ports ?? []
  const metadata = ownMetadata(NAME, namespace, { 'ostiary.dev/public': 'true' })
  const backend = { service: { name, port: first === undefined ? {} : { number: first.port } } }
  return [{ kind: 'Ingress', metadata, spec: { defaultBackend: backend, tls: [], rules: [] } }]
}

function isDefaultOfAll({ spec }: Ingress): boolean {
  return spec.defaultBackend != null && (spec.rules.length === 0 || spec.rules.some(({ host }) => !host))
}
