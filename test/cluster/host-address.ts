import { networkInterfaces } from 'node:os'

/** An IPv4 address of this machine that an EndpointSlice may hold: the API server refuses loopback. */
export function hostAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? [])
  const found = addresses.find(
    ({ family, internal, address }) => family === 'IPv4' && !internal && !address.startsWith('169.254.'),
  )
  if (found === undefined) throw new Error('this machine has no IPv4 address but loopback')
  return found.address
}
