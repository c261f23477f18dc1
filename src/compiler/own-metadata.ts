import type { ObjectMeta } from '../api/object.ts'

/**
 * Of an object that the compiler makes itself, for what an operator's flag asks for. It has no timestamp, so that it
 * stands behind every real one.
 *
 * @param name One that no object can have: a route of it is known by that in logs and metrics.
 */
export function ownMetadata(
  name: string,
  namespace: string,
  annotations: Readonly<Record<string, string>>,
): ObjectMeta {
  return {
    name,
    namespace,
    uid: '',
    generation: 0,
    resourceVersion: '',
    labels: {},
    annotations: { ...annotations },
  }
}
