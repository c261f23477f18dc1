import type { HeaderList } from '../auth/decision.ts'

/** undici's `controller.rawHeaders`: name and value in turn, or an object from HTTP/2. */
export type UpstreamResponseHeaders =
  | readonly (Buffer | string)[]
  | Readonly<Record<string, string | readonly string[] | undefined>>
  | null
  | undefined
/** Raw name and value list for `writeHead`. */
export declare function downstreamResponseHeaders(
  rawHeaders: UpstreamResponseHeaders,
  added: HeaderList,
): string[]
