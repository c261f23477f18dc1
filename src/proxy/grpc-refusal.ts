import type { HeaderList } from '../auth/decision.ts'
import { headerText } from '../auth/header-value.ts'
import { ownHeaders, type ProblemResponse } from './problem.ts'

const GRPC = /^application\/grpc(?:-web)?(?:-text)?(?:\+[a-z]{1,16})?(?=[\t ;]|$)/

/** Codes of gRPC's statuses, by what we answer. */
const CODES: Readonly<Record<number, number>> = {
  400: 3,
  401: 16,
  403: 7,
  404: 12,
  413: 8,
  429: 8,
  500: 13,
  501: 12,
  502: 14,
  503: 14,
  504: 14,
}
const UNKNOWN = 2

/**
 * A refusal as gRPC clients read it: `grpc-status` and `grpc-message` in the header section, no body (Trailers-Only,
 * which gRPC over HTTP/2 and grpc-web share). The HTTP status stays what it is: clients map 401, 403 and 503 alike, and
 * everything else on the way understands them.
 *
 * @returns `undefined` where the request is none of gRPC.
 */
export function grpcRefusal(
  contentType: string | undefined,
  status: number,
  message: string,
  headers: HeaderList,
): ProblemResponse | undefined {
  const type = contentType === undefined ? null : GRPC.exec(contentType)
  if (type === null) return undefined
  const trailers: HeaderList = [
    ['grpc-status', String(CODES[status] ?? UNKNOWN)],
    ['grpc-message', headerText(message)],
  ]
  return { status, headers: ownHeaders(type[0], '', [...trailers, ...headers]), body: '' }
}
