import type { Condition, ObjectStatus } from '../table/diagnostic.ts'
import type { CompiledPlugin } from './plugins.ts'
import type { PolicyProblem } from './policy-problem.ts'

/** The API server takes no longer message. */
const MAXIMUM_MESSAGE = 32_768

/**
 * The status of an OIDCPlugin.
 *
 * @param sharing Why it is refused on some hosts although its spec is good; empty: on none.
 */
export function pluginStatus(compiled: CompiledPlugin, sharing: readonly PolicyProblem[]): ObjectStatus {
  const { metadata } = compiled.plugin
  return {
    kind: 'OIDCPlugin',
    namespace: metadata.namespace,
    name: metadata.name,
    observedGeneration: metadata.generation,
    conditions: [accepted(compiled, sharing), resolvedRefs(compiled), warning(compiled)],
  }
}

function accepted({ invalid }: CompiledPlugin, sharing: readonly PolicyProblem[]): Condition {
  const type = 'Accepted'
  if (invalid.length > 0) return { type, status: 'False', reason: 'InvalidSpec', message: textOf(invalid) }
  if (sharing.length > 0) {
    return { type, status: 'False', reason: 'IssuersShareRedirectUri', message: textOf(sharing) }
  }
  return { type, status: 'True', reason: 'Accepted', message: '' }
}

function resolvedRefs({ plugin, missing }: CompiledPlugin): Condition {
  const type = 'ResolvedRefs'
  if (!plugin.spec.ok) {
    return { type, status: 'Unknown', reason: 'InvalidSpec', message: 'The spec cannot be read.' }
  }
  if (missing.length > 0) return { type, status: 'False', reason: 'SecretNotFound', message: textOf(missing) }
  return { type, status: 'True', reason: 'ResolvedRefs', message: '' }
}

/** Always there, so that a warning that was mended is seen to be gone. */
function warning({ warnings }: CompiledPlugin): Condition {
  const [first] = warnings
  if (first === undefined) return { type: 'Warning', status: 'False', reason: 'NoWarning', message: '' }
  return { type: 'Warning', status: 'True', reason: first.reason, message: textOf(warnings) }
}

function textOf(problems: readonly PolicyProblem[]): string {
  const text = problems.map(({ path, message, remedy }) => `${path} ${message}. ${remedy}`).join('\n')
  return text.length > MAXIMUM_MESSAGE ? `${text.slice(0, MAXIMUM_MESSAGE - 1)}…` : text
}
