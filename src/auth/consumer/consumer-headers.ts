import type { HeaderList } from '../decision.ts'
import { headerList, headerText } from '../header-value.ts'
import type { ConsumerLookup } from './find-consumer.ts'

/**
 * The headers that tell upstreams who is asking, under Kong's names: the consumer's, or what `credentialClaim` names
 * where no consumer is mapped.
 *
 * @param credentialId `undefined` where the claims do not name the credential.
 * @param authenticatedGroups Groups of `authenticatedGroupsClaim`.
 */
export function consumerHeaders(
  lookup: ConsumerLookup,
  credentialId: string | undefined,
  authenticatedGroups: readonly string[],
): HeaderList {
  const headers: [string, string][] = []
  if (lookup.kind === 'found') {
    const { id, username, customId, groups } = lookup.consumer
    headers.push(['x-consumer-id', headerText(id)])
    if (customId !== undefined) headers.push(['x-consumer-custom-id', headerText(customId)])
    if (username !== undefined) headers.push(['x-consumer-username', headerText(username)])
    if (groups.length > 0) headers.push(['x-consumer-groups', headerList(groups)])
    if (lookup.anonymous) headers.push(['x-anonymous-consumer', 'true'])
  } else if (credentialId !== undefined) {
    headers.push(['x-credential-identifier', headerText(credentialId)])
  }
  if (authenticatedGroups.length > 0) {
    headers.push(['x-authenticated-groups', headerList(authenticatedGroups)])
  }
  return headers
}
