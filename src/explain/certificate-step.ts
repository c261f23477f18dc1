import type { LiveTable } from '../table/live-table.ts'
import { findCertificateId } from '../table/server-name.ts'
import type { ExplainedStep } from './explanation.ts'

/** Which certificate a handshake gets. Whether clients believe it is theirs to judge; see the diagnostics. */
export function certificateStep(table: LiveTable, serverName: string | undefined): ExplainedStep {
  const own = serverName === undefined ? undefined : findCertificateId(table.serverNames, serverName)
  const id = own ?? table.serverNames.get('')
  const name = serverName ?? 'an address, which no server name is sent for'
  if (own === undefined) {
    const fallback =
      id === undefined ? 'the default certificate, self-signed' : `the default certificate, of Secret ${id}`
    return {
      step: 'certificate',
      verdict: 'passed',
      found: `${name}: ${fallback}`,
      details: [],
      ...(id === undefined && { fix: 'Name a TLS Secret for the host in spec.tls of its Ingress.' }),
    }
  }
  return { step: 'certificate', verdict: 'passed', found: `${name}: of Secret ${own}`, details: [] }
}
