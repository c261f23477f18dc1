import { compile } from '../../src/compiler/compile.ts'
import { explain } from '../../src/explain/explain.ts'
import type { Explanation } from '../../src/explain/explanation.ts'
import { readQuestion, type RequestWords } from '../../src/explain/question.ts'
import { yaml } from '../support/manifests.ts'
import { FakeAuthorizationServerClient } from '../support/fake-authorization-server-client.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { resourcesOf } from './differential.ts'
import { FILE_OPTIONS } from '../compiler/manifests.ts'

export const NOW_MS = Date.UTC(2026, 0, 1)

export interface ExplainSetup {
  readonly client?: FakeAuthorizationServerClient
  readonly isOffline?: boolean
  readonly trustedProxies?: readonly string[]
}

/** Explains a request to what these objects come to. */
export async function explainTo(
  objects: readonly object[],
  words: RequestWords,
  { client = new FakeAuthorizationServerClient(), isOffline = false, trustedProxies = [] }: ExplainSetup = {},
): Promise<Explanation> {
  const resources = resourcesOf(yaml(...objects))
  const result = compile(resources, FILE_OPTIONS)
  return explain(readQuestion(words), {
    resources,
    result,
    diagnostics: result.diagnostics,
    clock: new ManualClock(NOW_MS),
    authorizationServers: client,
    isOffline,
    trustedProxies,
  })
}
