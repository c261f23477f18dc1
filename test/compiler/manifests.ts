import { LineCounter, parseAllDocuments } from 'yaml'
import { parseObject } from '../../src/api/parse-object.ts'
import type { BrokenInput, KubernetesObject, Resources } from '../../src/api/resources.ts'
import type { CompileOptions } from '../../src/compiler/options.ts'
import { collectResources } from '../../src/source/collect-resources.ts'

/** What files are compiled with. */
export const FILE_OPTIONS: CompileOptions = {
  ingressClass: 'ostiary',
  takeClasslessIngresses: true,
  requirePlugin: false,
  defaultPlugins: [],
  allowSharedHosts: false,
  allowExternalName: false,
}

const CLUSTER_SCOPED = ['IngressClass', 'Namespace']

/**
 * Reads a multi-document YAML text as a directory source would, with origins in `file`. A kind that is not read is an
 * error here: a test means what it writes.
 */
export function readManifests(text: string, file = 'in.yaml'): Resources {
  const lines = new LineCounter()
  const objects: KubernetesObject[] = []
  const broken: BrokenInput[] = []
  for (const document of parseAllDocuments(text, { lineCounter: lines })) {
    if (document.errors.length > 0) throw new Error(`${file}: ${document.errors[0]!.message}`)
    if (document.contents === null) continue
    const origin = { file, line: lines.linePos(document.contents.range?.[0] ?? 0).line }
    const result = parseObject(document.toJS())
    if (result.kind === 'ignored') throw new Error(`${file}:${origin.line}: a kind that is not read`)
    if (result.kind === 'broken') {
      const { reference, problems } = result
      const closes = result.closes && { closes: { ...withNamespace(result.closes), origin } }
      broken.push({ ...(reference && { reference }), origin, problems, ...closes })
    } else objects.push({ ...withNamespace(result.object), origin })
  }
  return collectResources(objects, broken)
}

function withNamespace<T extends KubernetesObject>(object: T): T {
  if (object.metadata.namespace !== '' || CLUSTER_SCOPED.includes(object.kind)) return object
  return { ...object, metadata: { ...object.metadata, namespace: 'default' } }
}
