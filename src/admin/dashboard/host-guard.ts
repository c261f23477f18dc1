import type { FastifyReply, FastifyRequest } from 'fastify'

const OWN_NAMES = ['localhost', '127.0.0.1', '[::1]']

const REFUSAL = `The dashboard is not served under this host name.
Open it as http://127.0.0.1 or http://localhost with its port, or name a host of its own by --dashboard-host.
`

/**
 * Refuses every request that names another host than the dashboard's own. DNS rebinding: a page of another site whose
 * name has come to mean this machine sends that name, and would read here what its visitor may. Ports are not
 * compared: they tell nothing of the site, and a forwarded port (kubectl port-forward) is another one.
 *
 * @param allowedHosts names without port, beside those of this machine.
 */
export function guardHost(
  allowedHosts: readonly string[],
): (request: FastifyRequest, reply: FastifyReply) => Promise<void> {
  const allowed = new Set([...OWN_NAMES, ...allowedHosts].map((host) => host.toLowerCase()))
  return async (request, reply) => {
    const host = (request.raw.headers.host ?? '').toLowerCase()
    if (allowed.has(host.replace(/:\d{1,5}$/, ''))) return
    await reply.code(403).type('text/plain; charset=utf-8').send(REFUSAL)
  }
}
