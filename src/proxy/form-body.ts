import type { IncomingMessage } from 'node:http'

export interface BufferedForm {
  /** Absent: no form, or one above the limit, whose body still streams from the request. */
  readonly params?: URLSearchParams
  /** The whole body where it was read; the request has nothing more to give. */
  readonly bytes?: Buffer
}
export declare function bufferedForm(request: IncomingMessage): Promise<BufferedForm>
