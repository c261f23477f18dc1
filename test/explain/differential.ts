import type { AuthorizationServerClient } from '../../src/auth/authorization-server/authorization-server-client.ts'
import type { Resources } from '../../src/api/resources.ts'
import { systemClock } from '../../src/clock.ts'
import { explain } from '../../src/explain/explain.ts'
import type { Explanation } from '../../src/explain/explanation.ts'
import { readQuestion, type RequestWords } from '../../src/explain/question.ts'
import { collectResources } from '../../src/source/collect-resources.ts'
import { parseManifest } from '../../src/source/directory/parse-manifest.ts'
import type { Ostiary } from '../support/ostiary.ts'
import { RawClient } from '../support/raw-http.ts'

/** What the application answers and Ostiary never does. */
export const FORWARDED = 299

export interface Pair {
  readonly ostiary: Ostiary
  /** What it runs on. */
  readonly resources: Resources
  readonly authorizationServers: AuthorizationServerClient
  readonly isOffline?: boolean
}

export function resourcesOf(manifests: string): Resources {
  const entries = parseManifest(manifests, 'test.yaml')
  return collectResources(
    entries.flatMap((entry) => (entry.kind === 'object' ? [entry.object] : [])),
    [],
  )
}

/** Explains a request to a running Ostiary. */
export async function explained(pair: Pair, words: RequestWords): Promise<Explanation> {
  const { ostiary, resources, authorizationServers, isOffline = false } = pair
  const result = ostiary.result()
  return explain(readQuestion({ from: '127.0.0.1', ...words }), {
    resources,
    result,
    diagnostics: result.diagnostics,
    clock: systemClock,
    authorizationServers,
    isOffline,
  })
}

/** What the explanation says the status will be; the one that is sent on is the application's. */
export function predicted({ outcome }: Explanation): number | string {
  if (outcome.kind === 'answered') return outcome.status
  return outcome.kind === 'forwarded' ? FORWARDED : 'unknown'
}

/** Sends the very bytes to the real one. */
export async function answered({ ostiary }: Pair, words: RequestWords): Promise<number> {
  const { request } = readQuestion(words)
  const { serverName } = request
  const client =
    request.scheme === 'http'
      ? await RawClient.open(ostiary.port)
      : await RawClient.openTls({
          port: ostiary.httpsPort ?? 0,
          ...(serverName !== undefined && { servername: serverName }),
        })
  try {
    client.write(request.head)
    return (await client.response({ withoutBody: true })).status
  } finally {
    client.close()
  }
}
