import { ANNOTATION_PREFIX } from '../api/annotation-reader.ts'
import type { Annotations } from '../api/annotations.ts'
import type { Ingress } from '../api/ingress.ts'
import type { Service } from '../api/service.ts'
import type { PolicyId } from '../table/policy.ts'
import { isSolver } from './acme-solver.ts'
import type { AnnotationIndex } from './annotation-index.ts'
import type { Diagnostics } from './diagnostics.ts'
import type { CompileOptions } from './options.ts'
import {
  lookUpDefaultPlugins,
  lookUpPlugins,
  type Closing,
  type PluginReference,
} from './plugin-reference.ts'
import type { Lookup } from './pass-memo.ts'
import type { CompiledPlugin } from './plugins.ts'

/** What stands before a route's upstream. */
export type Guard =
  | { readonly kind: 'open' }
  | { readonly kind: 'guarded'; readonly policies: readonly PolicyId[] }
  | ({ readonly kind: 'closed' } & Closing)

/** What the annotations of Ingress and Service, and the options, make of a route. */
export interface Attachment {
  readonly guard: Guard
  /** Every plugin that is named for the route and may be, accepted or not. */
  readonly named: readonly CompiledPlugin[]
  /** A named plugin is a login plugin, or could be one. */
  readonly mayLogin: boolean
}

/** A route, as far as guarding it goes. */
export interface Guarded {
  readonly ingress: Ingress
  readonly service: Service | undefined
  /** A second Service that the route leads to: what it asks for holds for the whole route. */
  readonly canary?: Service | undefined
  readonly path: string
}

/** Decides which plugins guard a route. Whatever is unclear closes it. */
export class PluginAttacher {
  readonly #plugins: Lookup<CompiledPlugin>
  readonly #annotations: AnnotationIndex
  readonly #options: CompileOptions
  readonly #diagnostics: Diagnostics
  readonly #defaults: readonly PluginReference[]
  readonly #references = new Map<Ingress | Service, readonly PluginReference[]>()

  constructor(
    plugins: Lookup<CompiledPlugin>,
    annotations: AnnotationIndex,
    options: CompileOptions,
    diagnostics: Diagnostics,
  ) {
    this.#plugins = plugins
    this.#annotations = annotations
    this.#options = options
    this.#diagnostics = diagnostics
    this.#defaults = lookUpDefaultPlugins(options.defaultPlugins, plugins, diagnostics)
  }

  attach(route: Guarded): Attachment {
    const own = this.#named(route.ingress)
    const floor = route.service && this.#named(route.service)
    const canaryFloor = route.canary && this.#named(route.canary)
    const lists = [own, floor, canaryFloor].filter((list) => list !== undefined)
    const all = lists.length > 0 ? lists.flat() : this.#defaults
    return {
      guard: this.#judgeGroups(route.ingress, this.#guard(route, lists)),
      named: all.flatMap(({ plugin }) => plugin ?? []),
      mayLogin: all.some(({ plugin }) => plugin?.mayLogin ?? true),
    }
  }

  #named(object: Ingress | Service): readonly PluginReference[] | undefined {
    const names = this.#annotations.of(object).plugins
    if (names === undefined) return undefined
    const known = this.#references.get(object)
    if (known !== undefined) return known
    const references = lookUpPlugins(names, object, this.#plugins, this.#diagnostics)
    this.#references.set(object, references)
    return references
  }

  #guard(route: Guarded, lists: readonly (readonly PluginReference[])[]): Guard {
    for (const object of [route.ingress, route.service, route.canary]) {
      const problem = object && this.#annotations.of(object).problems[0]
      if (problem === undefined) continue
      return closed(problem.reason, `${object?.kind} ${problem.path} ${problem.message}`)
    }
    const [first, ...others] = lists
    if (first === undefined) return this.#unnamed(route)
    if (others.length === 0) return guardOf(first)
    const common = first.filter(({ id }) => others.every((list) => list.some((other) => other.id === id)))
    return common.length > 0 ? guardOf(common) : this.#noCommonPlugin(route)
  }

  #noCommonPlugin({ ingress, service, canary }: Guarded): Guard {
    const names = [service, canary].flatMap((each) => each?.metadata.name ?? []).join(' and its canary ')
    const message = `has no plugin in common with Service ${names}, whose list is a floor`
    this.#diagnostics.report(ingress, {
      severity: 'error',
      reason: 'NoCommonPlugin',
      path: `metadata.annotations[${ANNOTATION_PREFIX}plugins]`,
      message,
      remedy: "Name one of the Service's plugins, or remove the annotation: then the Service's list applies.",
    })
    return closed('NoCommonPlugin', `The Ingress ${message}.`)
  }

  /** Neither Ingress nor Service names a plugin. */
  #unnamed(route: Guarded): Guard {
    const own = this.#annotations.of(route.ingress)
    const foreign = this.#foreignProtection(route, own)
    if (foreign !== undefined) return foreign
    if (own.public || isSolver(route.ingress, route.service, route.path)) return { kind: 'open' }
    if (this.#defaults.length > 0) return guardOf(this.#defaults)
    if (!this.#options.requirePlugin) return { kind: 'open' }
    this.#diagnostics.report(route.ingress, {
      severity: 'error',
      reason: 'PluginRequired',
      path: 'metadata.annotations',
      message: 'names no plugin, and this installation requires one; its routes answer 503',
      remedy: 'Set ostiary.dev/plugins, or ostiary.dev/public: "true" where open is meant.',
    })
    return closed('PluginRequired', 'No plugin is named, and this installation requires one.')
  }

  /** `public` on the Ingress lifts what the Ingress carries, never what the Service does. */
  #foreignProtection({ ingress, service, canary }: Guarded, own: Annotations): Guard | undefined {
    for (const object of [ingress, service, canary]) {
      if (object === undefined || (object === ingress && own.public)) continue
      const [name] = this.#annotations.of(object).foreignProtection
      if (name === undefined) continue
      this.#diagnostics.report(object, {
        severity: 'error',
        reason: 'ForeignProtection',
        path: `metadata.annotations[${name}]`,
        message:
          'meant protection by another controller, and nothing of ours stands in; its routes answer 503',
        remedy:
          object.kind === 'Ingress'
            ? 'Set ostiary.dev/plugins (or for addresses allow-source-range, for client certificates client-ca-secret), or ostiary.dev/public: "true" where open is meant.'
            : 'Set ostiary.dev/plugins, or remove the annotation where open is meant.',
      })
      return closed('ForeignProtection', `${object.kind} annotation ${name} meant protection.`)
    }
    return undefined
  }

  /** Groups are known only where a plugin says who is asking. */
  #judgeGroups(ingress: Ingress, guard: Guard): Guard {
    const { allowGroups, denyGroups } = this.#annotations.of(ingress)
    if (guard.kind === 'closed' || (allowGroups === undefined && denyGroups === undefined)) return guard
    const name = allowGroups === undefined ? 'deny-groups' : 'allow-groups'
    if (guard.kind === 'guarded') {
      this.#warnOfUnknownGroups(ingress, guard.policies, name)
      return guard
    }
    const message = 'needs a plugin: without one nobody knows who is asking'
    this.#diagnostics.report(ingress, {
      severity: 'error',
      reason: 'InvalidAnnotation',
      path: `metadata.annotations[${ANNOTATION_PREFIX}${name}]`,
      message: `${message}; its routes answer 503`,
      remedy: 'Set ostiary.dev/plugins, or remove the annotation.',
    })
    return closed('InvalidAnnotation', `ostiary.dev/${name} ${message}.`)
  }

  /** Where a plugin knows no groups of anybody, both lists refuse everybody. */
  #warnOfUnknownGroups(ingress: Ingress, policies: readonly PolicyId[], name: string): void {
    for (const id of policies) {
      const consumer = this.#plugins.get(id)?.policy?.consumer
      if (consumer === undefined || consumer.groupsClaim !== undefined) continue
      if (consumer.claims.length > 0 || consumer.anonymous !== undefined) continue
      this.#diagnostics.report(ingress, {
        severity: 'warning',
        reason: 'GroupsNotKnown',
        path: `metadata.annotations[${ANNOTATION_PREFIX}${name}]`,
        message: `refuses everybody whom OIDCPlugin ${id} lets in, since it says nothing of anybody's groups`,
        remedy: 'Set authenticatedGroupsClaim in the plugin, or consumerClaims and Consumers with groups.',
      })
    }
  }
}

/** Unsure of one plugin is unsure of the route. */
function guardOf(references: readonly PluginReference[]): Guard {
  const broken = references.find(({ closing }) => closing !== undefined)?.closing
  if (broken !== undefined) return { kind: 'closed', ...broken }
  return { kind: 'guarded', policies: references.map(({ id }) => id) }
}

function closed(reason: Closing['reason'], message: string): Guard {
  return { kind: 'closed', reason, message }
}
