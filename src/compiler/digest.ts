import { createHash } from 'node:crypto'

/** SHA-256 of a value's JSON, as hex. Equal values need equal key order, which object literals have. */
export function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex')
}
