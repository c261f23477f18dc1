import type { CompileResult } from '../compiler/options.ts'
import { isAccepted } from '../status/conditions.ts'

/** So many objects of a kind are in one state. */
export interface ObjectCount {
  readonly kind: 'Ingress' | 'OIDCPlugin' | 'Consumer'
  /** `refused`: an Ingress with an error, or an object of ours that is not accepted. */
  readonly state: 'accepted' | 'refused'
  readonly count: number
}

/** Our Ingresses, the OIDCPlugins and the Consumers, by what the compiler made of them. */
export function countObjects({
  diagnostics,
  ingresses,
  statuses,
}: Pick<CompileResult, 'diagnostics' | 'ingresses' | 'statuses'>): readonly ObjectCount[] {
  const faulty = new Set<string>()
  for (const { object, severity } of diagnostics) {
    if (object.kind === 'Ingress' && severity === 'error') faulty.add(`${object.namespace}/${object.name}`)
  }
  const refusedIngresses = ingresses.filter(({ namespace, name }) =>
    faulty.has(`${namespace}/${name}`),
  ).length
  const ofStatus = (kind: 'OIDCPlugin' | 'Consumer'): ObjectCount[] => {
    const own = statuses.filter((status) => status.kind === kind)
    const accepted = own.filter(isAccepted).length
    return both(kind, accepted, own.length - accepted)
  }
  return [
    ...both('Ingress', ingresses.length - refusedIngresses, refusedIngresses),
    ...ofStatus('OIDCPlugin'),
    ...ofStatus('Consumer'),
  ]
}

function both(kind: ObjectCount['kind'], accepted: number, refused: number): ObjectCount[] {
  return [
    { kind, state: 'accepted', count: accepted },
    { kind, state: 'refused', count: refused },
  ]
}
