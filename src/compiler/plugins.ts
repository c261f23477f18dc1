import { objectKey } from '../api/object.ts'
import type { OIDCPlugin, OIDCPluginSpec } from '../api/oidc-plugin.ts'
import type { Policy, PolicyId } from '../table/policy.ts'
import type { CompiledConsumer } from '../table/routing-table.ts'
import type { Reason } from '../table/reasons.ts'
import type { CompileMemo } from './compile-memo.ts'
import type { Diagnostics } from './diagnostics.ts'
import type { Inventory, SecretInventory } from './inventory.ts'
import type { CompileOptions } from './options.ts'
import { methodsOf } from './policy-client.ts'
import { mappedHeaderNames, trustedHeaderNames } from './policy-header.ts'
import { PolicyProblems, type PolicyProblem } from './policy-problem.ts'
import { redisSecretEntries } from './policy-redis.ts'
import { resolveSecrets, type PolicySecrets } from './policy-secret.ts'
import { findWarnings, type PolicyWarning, type Surroundings } from './policy-warning.ts'
import { compilePolicy } from './policy.ts'

/** What became of one OIDCPlugin. */
export interface CompiledPlugin {
  readonly id: PolicyId
  readonly plugin: OIDCPlugin
  /** Absent: routes that name the plugin are closed, for one of the two lists below. */
  readonly policy?: Policy
  /** Why it is not accepted. */
  readonly invalid: readonly PolicyProblem[]
  /** References that lead nowhere. */
  readonly missing: readonly PolicyProblem[]
  readonly warnings: readonly PolicyWarning[]
  /** It is a login plugin, or its spec cannot say that it is none. */
  readonly mayLogin: boolean
  /** Request headers that upstreams take from it for true. */
  readonly mappedHeaders: readonly string[]
  /** Namespaces beside its own that may name it. */
  readonly allowedNamespaces: readonly string[]
  /** The values that the policy refers to, by SecretId. */
  readonly secrets: readonly (readonly [id: string, value: string])[]
}

/** Compiles every OIDCPlugin, oldest first, and reports what is wrong with each. */
export function compilePlugins(
  inventory: Inventory,
  consumers: Readonly<Record<string, readonly CompiledConsumer[]>>,
  { replicas = 1 }: CompileOptions,
  { memo, diagnostics }: { readonly memo: CompileMemo; readonly diagnostics: Diagnostics },
): Map<PolicyId, CompiledPlugin> {
  const namesByNamespace = consumerNames(consumers)
  const surroundings = { sources: { secrets: inventory.secrets }, diagnostics }
  const plugins = new Map<PolicyId, CompiledPlugin>()
  for (const [id, plugin] of inventory.oidcPlugins) {
    const names = namesByNamespace.get(plugin.metadata.namespace) ?? NO_NAMES
    const inputs = [plugin, names.text, replicas]
    const compiled = memo.plugins.run(id, inputs, surroundings, (sources, found) => {
      const { spec } = plugin
      const made = spec.ok
        ? compileOne(plugin, spec.value, sources, { consumerNames: names.set, replicas })
        : unreadable(plugin, spec)
      reportPlugin(made, found)
      return made
    })
    plugins.set(id, compiled)
  }
  return plugins
}

interface ConsumerNames {
  readonly set: ReadonlySet<string>
  /** Equal where the names are. */
  readonly text: string
}

const NO_NAMES: ConsumerNames = { set: new Set(), text: '' }

function consumerNames(
  consumers: Readonly<Record<string, readonly CompiledConsumer[]>>,
): ReadonlyMap<string, ConsumerNames> {
  return new Map(
    Object.entries(consumers).map(([namespace, list]) => {
      const names = list.flatMap(({ username }) => username ?? [])
      return [namespace, { set: new Set(names), text: JSON.stringify(names) }]
    }),
  )
}

function compileOne(
  plugin: OIDCPlugin,
  spec: OIDCPluginSpec,
  inventory: SecretInventory,
  surroundings: Surroundings,
): CompiledPlugin {
  const problems = new PolicyProblems()
  const secrets = resolveSecrets(plugin, spec, inventory)
  const policy = compilePolicy(plugin, spec, secrets, problems)
  const invalid = [...problems.list, ...secrets.invalid]
  const isUsable = invalid.length === 0 && secrets.missing.length === 0
  return {
    id: policy.id,
    plugin,
    ...(isUsable && { policy }),
    invalid,
    missing: secrets.missing,
    warnings: findWarnings(plugin, spec, secrets, surroundings),
    mayLogin: methodsOf(spec).includes('authorization_code'),
    mappedHeaders: mappedHeaderNames(spec),
    allowedNamespaces: spec.allowedNamespaces ?? [],
    secrets: [...secretEntries(secrets), ...redisSecretEntries(secrets.redis)],
  }
}

function secretEntries({ clientSecret, clientKey }: PolicySecrets): CompiledPlugin['secrets'] {
  return [clientSecret, clientKey].flatMap((each) =>
    each === undefined ? [] : [[each.id, each.value] as const],
  )
}

function unreadable(
  plugin: OIDCPlugin,
  { problems, headers }: Extract<OIDCPlugin['spec'], { ok: false }>,
): CompiledPlugin {
  const remedy = 'Correct the field; see: kubectl explain oidcplugin.spec'
  return {
    id: objectKey(plugin.metadata),
    plugin,
    invalid: problems.map(({ path, message }) => ({ path, message, remedy })),
    missing: [],
    warnings: [],
    mayLogin: true,
    mappedHeaders: trustedHeaderNames(headers),
    allowedNamespaces: [],
    secrets: [],
  }
}

function reportPlugin(
  { plugin, invalid, missing, warnings }: CompiledPlugin,
  diagnostics: Diagnostics,
): void {
  const report = (severity: 'error' | 'warning', reason: Reason, problem: PolicyProblem): void => {
    const { path, message, remedy } = problem
    diagnostics.report(plugin, { severity, reason, path, message, remedy })
  }
  for (const problem of invalid) report('error', 'InvalidSpec', problem)
  for (const problem of missing) report('error', 'SecretNotFound', problem)
  for (const warning of warnings) report('warning', warning.reason, warning)
}
