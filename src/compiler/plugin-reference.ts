import { ANNOTATION_PREFIX } from '../api/annotation-reader.ts'
import type { PolicyId } from '../table/policy.ts'
import type { ClosedReason } from '../table/reasons.ts'
import type { Diagnostics, Located } from './diagnostics.ts'
import type { Lookup } from './pass-memo.ts'
import type { CompiledPlugin } from './plugins.ts'

/** Why a route reaches no upstream. */
export interface Closing {
  readonly reason: ClosedReason
  readonly message: string
}

/** One name of a plugin list, looked up. */
export interface PluginReference {
  readonly id: PolicyId
  /** Absent where it does not exist, or must not be used from here. */
  readonly plugin?: CompiledPlugin
  /** Why routes that name it are closed; absent: its policy applies. */
  readonly closing?: Closing
}

/** `message` says what the plugin does, or does not. */
interface Failure extends Closing {
  readonly remedy: string
}

/**
 * Looks up the plugins that an Ingress or Service names, and reports those that cannot be used.
 *
 * @param names As `parseAnnotations` gives them: `name` of the object's namespace, or `namespace/name`.
 */
export function lookUpPlugins(
  names: readonly string[],
  object: Located,
  plugins: Lookup<CompiledPlugin>,
  diagnostics: Diagnostics,
): PluginReference[] {
  const { namespace } = object.metadata
  const ids = new Set(names.map((name) => (name.includes('/') ? name : `${namespace}/${name}`)))
  return [...ids].map((id) => {
    const plugin = plugins.get(id)
    const failure = failureOf(id, plugin, namespace)
    if (failure === undefined) return { id, ...(plugin && { plugin }) }
    const { reason, message, remedy } = failure
    const path = `metadata.annotations[${ANNOTATION_PREFIX}plugins]`
    const told = `names OIDCPlugin ${id}, which ${message}; its routes answer 503`
    diagnostics.report(object, { severity: 'error', reason, path, message: told, remedy })
    const isUsable = plugin !== undefined && reason !== 'PluginNotPermitted'
    return { id, ...(isUsable && { plugin }), closing: closingOf(id, failure) }
  })
}

/** Looks up the plugins of `--default-plugins`. The operator's word: `allowedNamespaces` does not hold for it. */
export function lookUpDefaultPlugins(
  ids: readonly PolicyId[],
  plugins: Lookup<CompiledPlugin>,
  diagnostics: Diagnostics,
): PluginReference[] {
  return [...new Set(ids)].map((id) => {
    const plugin = plugins.get(id)
    const [namespace = '', name = ''] = id.split('/')
    const failure = failureOf(id, plugin, namespace)
    if (failure === undefined) return { id, ...(plugin && { plugin }) }
    const { reason, message, remedy } = failure
    diagnostics.reportReference(
      { kind: 'OIDCPlugin', namespace, name },
      { severity: 'error', reason, path: '', message: `is a default plugin, but ${message}`, remedy },
    )
    return { id, ...(plugin && { plugin }), closing: closingOf(id, failure) }
  })
}

function failureOf(
  id: PolicyId,
  compiled: CompiledPlugin | undefined,
  fromNamespace: string,
): Failure | undefined {
  if (compiled === undefined) {
    const remedy = 'Create the OIDCPlugin, or correct the name.'
    return { reason: 'PluginNotFound', message: 'does not exist', remedy }
  }
  if (!isPermitted(compiled, fromNamespace)) {
    return {
      reason: 'PluginNotPermitted',
      message: `does not allow namespace ${fromNamespace}`,
      remedy: `Have ${fromNamespace} added to its spec.allowedNamespaces.`,
    }
  }
  if (compiled.policy !== undefined) return undefined
  const remedy = `Look at its status: kubectl describe oidcplugin -n ${id.replace('/', ' ')}`
  const reason = compiled.invalid.length > 0 ? 'PluginInvalid' : 'SecretNotFound'
  const message = reason === 'PluginInvalid' ? 'is not accepted' : 'names a Secret that cannot be used'
  return { reason, message, remedy }
}

function closingOf(id: PolicyId, { reason, message }: Failure): Closing {
  return { reason, message: `OIDCPlugin ${id} ${message}.` }
}

function isPermitted({ plugin, allowedNamespaces }: CompiledPlugin, namespace: string): boolean {
  return (
    plugin.metadata.namespace === namespace ||
    allowedNamespaces.includes(namespace) ||
    allowedNamespaces.includes('*')
  )
}
