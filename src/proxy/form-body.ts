import type { ClientRequest } from './client-message.ts'
import { hasBody, ignoreErrors } from './upload.ts'

/** What was read of a request's body. */
export interface BufferedForm {
  /** Absent: no form, or one above the limit, whose body still streams from the request. */
  readonly params?: URLSearchParams
  /** The whole body where it was read: the request has nothing more to give. */
  readonly bytes?: Buffer
}

const FORM_LIMIT_BYTES = 8 * 1024
/** For the whole of it, however it drips: nothing else ends a request that never gets as far as its upstream. */
const FORM_DEADLINE_MS = 30_000
const FORM = /^application\/x-www-form-urlencoded[\t ]*(?:;|$)/i
const NOTHING: BufferedForm = {}

/**
 * Reads a form-urlencoded body of up to 8 KiB. Any other body is left untouched, and of one that turns out longer
 * the part that was read is put back, so that the request streams on from its first byte. Call before anything else
 * reads the request, and once. A form that is not there after 30 s costs the client its connection, or its stream.
 *
 * @throws whatever breaks the connection before the body is complete
 */
export async function bufferedForm(request: ClientRequest): Promise<BufferedForm> {
  if (!mayBeShortForm(request)) return NOTHING
  const bytes = await readUpToLimit(request)
  return bytes === undefined ? NOTHING : { bytes, params: new URLSearchParams(bytes.toString('utf8')) }
}

function mayBeShortForm(request: ClientRequest): boolean {
  const { headers } = request
  const length = headers['content-length']
  if (length === undefined ? !hasBody(request) : !isShort(Number(length))) return false
  return headers['content-encoding'] === undefined && FORM.test(headers['content-type'] ?? '')
}

function isShort(length: number): boolean {
  return length > 0 && length <= FORM_LIMIT_BYTES
}

function readUpToLimit(request: ClientRequest): Promise<Buffer | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer | undefined>()
  const chunks: Buffer[] = []
  let length = 0
  const onReadable = (): void => {
    for (let chunk = readChunk(request); chunk !== null; chunk = readChunk(request)) {
      chunks.push(chunk)
      length += chunk.length
      if (length > FORM_LIMIT_BYTES) {
        stop()
        request.unshift(Buffer.concat(chunks))
        resolve(undefined)
        return
      }
    }
  }
  const onEnd = (): void => {
    stop()
    resolve(Buffer.concat(chunks))
  }
  const onError = (error: Error): void => {
    stop()
    reject(error)
  }
  const onClose = (): void => onError(new Error('The connection closed before the body was complete.'))
  const deadline = setTimeout(() => request.destroy(), FORM_DEADLINE_MS).unref()
  const stop = (): void => {
    clearTimeout(deadline)
    request.off('readable', onReadable).off('end', onEnd).off('error', onError).off('close', onClose)
  }
  ignoreErrors(request)
  request.on('readable', onReadable).on('end', onEnd).on('error', onError).on('close', onClose)
  return promise
}

function readChunk(request: ClientRequest): Buffer | null {
  return request.read() as Buffer | null
}
