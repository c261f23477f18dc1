import type { HeaderList } from '../decision.ts'
import { headerList, headerText } from '../header-value.ts'
import type { ConsumerLookup } from './find-consumer.ts'

/**
 * The headers that tell upstreams who is asking, under Kong's names: the consumer's, or the credential's subject where
 * no consumer is mapped.
 */
export function consumerHeaders(lookup: ConsumerLookup, subject: string | undefined): HeaderList {
  if (lookup.kind !== 'found') {
    return subject === undefined ? [] : [['x-credential-identifier', headerText(subject)]]
  }
  const { id, username, customId, groups } = lookup.consumer
  const headers: [string, string][] = [['x-consumer-id', headerText(id)]]
  if (customId !== undefined) headers.push(['x-consumer-custom-id', headerText(customId)])
  if (username !== undefined) headers.push(['x-consumer-username', headerText(username)])
  if (groups.length > 0) headers.push(['x-consumer-groups', headerList(groups)])
  if (lookup.anonymous) headers.push(['x-anonymous-consumer', 'true'])
  return headers
}
