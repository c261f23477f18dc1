import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'

/** Runs kubectl against the cluster of KUBECONFIG. */
export function kubectl(args: readonly string[], input?: string): string {
  return execFileSync('kubectl', [...args], {
    encoding: 'utf8',
    stdio: 'pipe',
    ...(input !== undefined && { input }),
  })
}

/** Applies objects given as plain data. */
export function apply(...objects: readonly object[]): void {
  kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }))
}

/** Installs the CRDs and waits until the API server serves them. */
export function installCrds(): void {
  kubectl(['apply', '--server-side', '--force-conflicts', '-f', 'crds/'])
  const crds = ['crd/oidcplugins.ostiary.dev', 'crd/consumers.ostiary.dev']
  kubectl(['wait', '--for=condition=Established', '--timeout=60s', ...crds])
}

/** Makes a namespace with a name of its own. */
export function createNamespace(prefix: string): string {
  const name = `${prefix}-${randomUUID().slice(0, 8)}`
  kubectl(['create', 'namespace', name])
  return name
}

/** Deletes a namespace without waiting until it is gone. */
export function deleteNamespace(name: string): void {
  kubectl(['delete', 'namespace', name, '--wait=false', '--ignore-not-found'])
}
