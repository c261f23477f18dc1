import {
  allowInsecureRequests,
  Configuration,
  customFetch,
  type ClientAuth,
  type ServerMetadata as OpenidServerMetadata,
} from 'openid-client'
import type { Answer, Refused, ServerUnavailable } from './authorization-server-client.ts'
import type { EndpointName, JsonResponse, OutboundFetch } from './outbound-fetch.ts'

/** Where openid-client's requests go, and what is made of the answers. */
export interface Transport {
  readonly outbound: OutboundFetch
  readonly endpoint: EndpointName
  readonly repeatable: boolean
  readonly bodyIgnored?: boolean
  readonly timeoutMs?: number
  /** Changes the form before it is sent. */
  readonly prepare?: (form: URLSearchParams) => void
  /** Judges a JSON answer; gives the body that openid-client is to read. */
  readonly judge: (response: JsonResponse, url: URL) => Answer<Readonly<Record<string, unknown>>>
}

/**
 * Makes openid-client speak through our own transport. Its time-out and its https check are off: the transport has
 * the policy's time-out, and endpoints were judged when they were read.
 */
export function openidConfiguration(
  metadata: OpenidServerMetadata,
  clientId: string,
  authentication: ClientAuth,
  transport: Transport,
): Configuration {
  const configuration = new Configuration(metadata, clientId, {}, authentication)
  configuration.timeout = 0
  allowInsecureRequests(configuration)
  configuration[customFetch] = async (target, { headers, body }) => {
    const url = new URL(target)
    const form = body instanceof URLSearchParams ? body : new URLSearchParams()
    transport.prepare?.(form)
    const { outbound, prepare: _, judge: __, ...call } = transport
    const answer = await outbound.call({ ...call, url, headers, form })
    if (!answer.ok) throw new AnswerFailure(answer)
    const judged = transport.judge(answer.value, url)
    if (!judged.ok) throw new AnswerFailure(judged)
    return Response.json(judged.value)
  }
  return configuration
}

/** Carries an answer through openid-client, which knows errors only. */
class AnswerFailure extends Error {
  override readonly name = 'AnswerFailure'
  readonly answer: Refused | ServerUnavailable

  constructor(answer: Refused | ServerUnavailable) {
    super(answer.kind)
    this.answer = answer
  }
}

/** The transport's answer in an error or its causes; `undefined` where openid-client itself found the fault. */
export function transportAnswer(error: unknown): Refused | ServerUnavailable | undefined {
  for (let each = error; each instanceof Error; each = each.cause) {
    if (each instanceof AnswerFailure) return each.answer
  }
  return undefined
}
