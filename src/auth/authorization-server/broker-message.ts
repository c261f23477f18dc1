import type { TraceParent } from '../../trace-parent.ts'
import type { AuthorizationServerClient, Answer } from './authorization-server-client.ts'

/** The acts that cross threads. */
export const ACTS = [
  'metadata',
  'keys',
  'clientCredentialsGrant',
  'authorizationCodeGrant',
  'refreshTokenGrant',
  'introspect',
  'userInfo',
  'revoke',
] as const satisfies readonly (keyof AuthorizationServerClient)[]

export type Act = (typeof ACTS)[number]

/** A thread's question. `args` are those of the act, as plain data. */
export interface BrokerQuestion {
  readonly id: number
  readonly act: Act
  readonly args: readonly unknown[]
  /** What the call belongs to, where its request is traced. */
  readonly trace?: TraceParent
}

/** The broker's answer to the question of that id. */
export interface BrokerReply {
  readonly id: number
  readonly answer: Answer<unknown>
}
