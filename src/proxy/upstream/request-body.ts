import type { ForwardingSettings } from '../../table/upstream-settings.ts'
import type { Exchange } from '../exchange.ts'
import { hasBody, Upload } from '../upload.ts'
import type { Transport } from './transport.ts'

/** A body up to this is kept where the request may be sent again, so that large ones cost no memory. */
const KEPT_BODY_BYTES = 65_536

/** The longest that a timer takes. */
const NEVER_MS = 2 ** 31 - 1

/**
 * The request's body on its way to the upstream; `undefined` where there is none, or authorization has read it.
 *
 * @param before The upload of an attempt that failed
 */
export function uploadOf(
  exchange: Exchange,
  settings: ForwardingSettings | undefined,
  { http2, options }: Transport,
  before: Upload | undefined,
): Upload | undefined {
  const { bufferedBody, engine, request, rules } = exchange
  if (bufferedBody !== undefined || !hasBody(request)) return undefined
  return new Upload(request, {
    sendMs: settings?.sendTimeoutMs,
    // Whoever may be silent for as long as it likes is asked by clients that may be, too.
    stallMs: options.headersTimeout === 0 ? NEVER_MS : engine.limits.bodyTimeoutMs,
    maximumBytes: rules?.traffic.maximumBodyBytes,
    keepBytes: http2 || settings?.retries !== undefined ? KEPT_BODY_BYTES : 0,
    begun: before?.kept,
    counter: exchange,
  })
}
