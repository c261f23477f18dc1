import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'

/**
 * Runs a program to its end.
 *
 * @returns Its standard output.
 * @throws {Error} With its standard error, when it exits with another code than 0.
 */
export async function runProgram(file: string, args: readonly string[], input = ''): Promise<string> {
  const child = spawn(file, args)
  child.stdin.end(input)
  const [output, complaint, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ])
  if (code !== 0) throw new Error(`${file} ${args.join(' ')} ended with ${code}: ${complaint.trim()}`)
  return output
}

/** `kubectl` on the cluster of KUBECONFIG. */
export async function kubectl(args: readonly string[], input?: string): Promise<string> {
  return runProgram('kubectl', args, input)
}

/** `kubectl apply` of objects, all in one namespace but for those that have none. */
export async function apply(namespace: string, ...objects: readonly object[]): Promise<void> {
  const list = { apiVersion: 'v1', kind: 'List', items: objects }
  await kubectl(['--namespace', namespace, 'apply', '-f', '-'], JSON.stringify(list))
}

export async function getJson(args: readonly string[]): Promise<unknown> {
  return JSON.parse(await kubectl(['get', ...args, '-o', 'json']))
}

/** Makes a namespace with a name that nobody has. The caller deletes it. */
export async function createNamespace(prefix: string): Promise<string> {
  const name = `${prefix}-${Date.now().toString(36)}`
  await kubectl(['create', 'namespace', name])
  return name
}

/** Installs the CRDs of this work tree and waits until the API server takes their objects. */
export async function installCrds(): Promise<void> {
  await kubectl(['apply', '--server-side', '--force-conflicts', '-f', 'crds/'])
  const crds = ['crd/oidcplugins.ostiary.dev', 'crd/consumers.ostiary.dev']
  await kubectl(['wait', '--for=condition=Established', '--timeout=60s', ...crds])
}
