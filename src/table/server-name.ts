/**
 * The certificate for a name that a handshake asked for (RFC 6066 §3): of the exact name, else of the wildcard whose
 * star stands for its first label. `undefined`: the default serves.
 */
export function findCertificateId(
  serverNames: { get(name: string): string | undefined },
  serverName: string,
): string | undefined {
  const name = serverName.toLowerCase()
  return serverNames.get(name) ?? serverNames.get(`*${name.slice(Math.max(name.indexOf('.'), 0))}`)
}
