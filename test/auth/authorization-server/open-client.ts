import { onTestFinished } from 'vitest'
import {
  createAuthorizationServerClient,
  type AuthorizationServerClientOptions,
  type DirectAuthorizationServerClient,
} from '../../../src/auth/authorization-server/create-authorization-server-client.ts'
import type { OutboundCall } from '../../../src/auth/authorization-server/outbound-fetch.ts'
import type { Answer } from '../../../src/auth/authorization-server/authorization-server-client.ts'
import {
  HostileAuthorizationServer,
  type HostileOptions,
} from '../../support/hostile-authorization-server.ts'
import { ManualClock } from '../../support/manual-clock.ts'

/** A hostile server that is closed when the test ends. */
export async function startHostile(options?: HostileOptions): Promise<HostileAuthorizationServer> {
  const hostile = await HostileAuthorizationServer.start(options)
  onTestFinished(() => hostile.close())
  return hostile
}

/** A client on a manual clock that may reach loopback, closed when the test ends. */
export function openClient(options: Partial<AuthorizationServerClientOptions> = {}): {
  readonly client: DirectAuthorizationServerClient
  readonly clock: ManualClock
  /** The HTTP calls that are over. */
  readonly calls: readonly OutboundCall[]
} {
  const clock = new ManualClock()
  const calls: OutboundCall[] = []
  const client = createAuthorizationServerClient({
    clock,
    allowLoopback: true,
    userAgent: 'ostiary-test',
    onCall: (call) => calls.push(call),
    ...options,
  })
  onTestFinished(() => client.close())
  return { client, clock, calls }
}

/** The value of an answer that must be one. */
export function valueOf<T>(answer: Answer<T>): T {
  if (answer.ok) return answer.value
  throw new Error(`no value: ${JSON.stringify(answer)}`)
}

/** The reason of an answer that must be `unavailable`. */
export function reasonOf(answer: Answer<unknown>): string {
  if (!answer.ok && answer.kind === 'unavailable') return answer.reason
  throw new Error(`not unavailable: ${JSON.stringify(answer)}`)
}

/** A client that authenticates with Basic. */
export const APP = { id: 'app', secret: 'correct horse', authMethod: 'client_secret_basic' } as const
