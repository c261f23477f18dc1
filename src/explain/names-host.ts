import type { Ingress } from '../api/ingress.ts'

/** Whether a rule of the Ingress is about the host, by its name or by a wildcard that stands for its first label. */
export function namesHost({ spec }: Ingress, host: string): boolean {
  const wildcard = `*${host.slice(Math.max(0, host.indexOf('.')))}`
  return spec.rules.some((rule) => rule.host === host || rule.host === wildcard)
}
