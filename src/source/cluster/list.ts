import { OstiaryError } from '../../errors.ts'
import { ApiServerError } from './api-server-error.ts'
import type { ApiServer } from './api-server.ts'
import type { WatchedResource } from './watched-resource.ts'

/** A whole collection at one moment. */
export interface Listing<Item> {
  readonly items: readonly Item[]
  readonly resourceVersion: string
}

/** What is done with a list while it comes. */
export interface ListReader<Item> {
  readonly onPage: () => void
  /**
   * Called for each item as soon as its page is there: what the API server sends is several times as large as what is
   * read of it, and need not be held until the list is whole.
   */
  readonly read: (item: unknown) => Item
}

const PAGE_SIZE = 500

/**
 * Lists a collection page by page. No resource version is asked for, so that the answer is the newest and never goes
 * back in time. `onPage` is called when a page has come. Where the continuation expires on the way (410), everything is read once more, in one piece.
 *
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks
 */
export async function list<Item>(
  api: ApiServer,
  resource: WatchedResource,
  signal: AbortSignal,
  reader: ListReader<Item>,
): Promise<Listing<Item>> {
  try {
    return await listPages(api, resource, signal, reader)
  } catch (error) {
    if (!(error instanceof ApiServerError) || error.status !== 410) throw error
    const { items, resourceVersion } = await page(api, resource, {}, signal)
    return { items: items.map((item) => reader.read(item)), resourceVersion }
  }
}

async function listPages<Item>(
  api: ApiServer,
  resource: WatchedResource,
  signal: AbortSignal,
  { onPage, read }: ListReader<Item>,
): Promise<Listing<Item>> {
  const items: Item[] = []
  let query: Record<string, string> = { limit: String(PAGE_SIZE) }
  for (;;) {
    const { items: more, resourceVersion, next } = await page(api, resource, query, signal)
    onPage()
    for (const item of more) items.push(read(item))
    if (next === '') return { items, resourceVersion }
    query = { limit: String(PAGE_SIZE), continue: next }
  }
}

async function page(
  api: ApiServer,
  resource: WatchedResource,
  query: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Listing<unknown> & { readonly next: string }> {
  const answer = await api.json({ path: resource.path, query: { ...resource.query, ...query }, signal })
  const { items, metadata } = (answer ?? {}) as {
    items?: unknown
    metadata?: { resourceVersion?: unknown; continue?: unknown }
  }
  const resourceVersion = metadata?.resourceVersion
  // `items: null` is an empty list in Go.
  if ((!Array.isArray(items) && items !== null) || typeof resourceVersion !== 'string') {
    throw new OstiaryError('ERR_SOURCE_UNAVAILABLE', 'the API server answered something that is no list')
  }
  const next = typeof metadata?.continue === 'string' ? metadata.continue : ''
  return { items: items ?? [], resourceVersion, next }
}
