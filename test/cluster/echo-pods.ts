import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { TEST_IMAGE } from './helm.ts'

const FOLDER = path.join(import.meta.dirname, '../../deploy/demo')
const FILES = ['echo-upstream.ts', 'listen-on-loopback.ts'] as const
const CONFIG_MAP = 'echo-source'

/** The demo's echo, which pods run from source: the image under test has Node, and so no other image is needed. */
export async function echoSource(): Promise<object> {
  const data: Record<string, string> = {}
  for (const name of FILES) data[name] = await readFile(path.join(FOLDER, name), 'utf8')
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: CONFIG_MAP }, data }
}

export interface EchoPods {
  /** The Deployment's, and its pods' label `app`. */
  readonly name: string
  readonly service: string
  readonly ingress?: string
  /** The Service's; the pods listen on 3000. */
  readonly port: object
}

/** A Deployment of the echo and the Service before it. Needs {@link echoSource} in the same namespace. */
export function echoPods({ name, service, ingress = '', port }: EchoPods): object[] {
  const labels = { app: name }
  const fromPod = (variable: string, fieldPath: string) => ({
    name: variable,
    valueFrom: { fieldRef: { fieldPath } },
  })
  const container = {
    name: 'echo',
    image: TEST_IMAGE,
    imagePullPolicy: 'Never',
    command: ['node', `/echo/${FILES[0]}`, '--host', '0.0.0.0'],
    env: [
      { name: 'SERVICE_NAME', value: service },
      { name: 'INGRESS_NAME', value: ingress },
      fromPod('POD_NAME', 'metadata.name'),
      fromPod('NAMESPACE', 'metadata.namespace'),
    ],
    readinessProbe: { httpGet: { path: '/health', port: 3000 }, periodSeconds: 1 },
    volumeMounts: [{ name: 'echo', mountPath: '/echo' }],
    // As restricted as a namespace may want it.
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
  }
  const pod = {
    terminationGracePeriodSeconds: 0,
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [container],
    volumes: [{ name: 'echo', configMap: { name: CONFIG_MAP } }],
  }
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name },
      spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: pod } },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: service },
      spec: { selector: labels, ports: [port] },
    },
  ]
}
