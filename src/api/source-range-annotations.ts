import * as z from 'zod'
import type { AnnotationReader } from './annotation-reader.ts'

export const SOURCE_RANGE_ANNOTATIONS = ['allow-source-range', 'deny-source-range'] as const

/** Who may send requests at all, by address. */
export interface SourceRangeAnnotations {
  readonly allow?: readonly string[]
  readonly deny?: readonly string[]
}

// Looking an address up takes as long as the list is.
const MAXIMUM_NETWORKS = 1000
// Of an IPv4 network that is written as mapped to IPv6 the first 96 bits are the mapping's.
const MAPPED = /^::ffff:[0-9.]+\/(\d+)$/i
const network = z
  .union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()])
  .refine((text) => Number(MAPPED.exec(text)?.[1] ?? 128) >= 96)

/** @returns `undefined` where there is none, or it cannot be taken. */
export function readSourceRange(reader: AnnotationReader): SourceRangeAnnotations | undefined {
  const allow = readNetworks(reader, 'allow-source-range')
  const deny = readNetworks(reader, 'deny-source-range')
  if (allow === undefined && deny === undefined) return undefined
  return { ...(allow && { allow }), ...(deny && { deny }) }
}

function readNetworks(reader: AnnotationReader, name: string): readonly string[] | undefined {
  const items = reader.list(name)
  const wrong = items?.find((item) => !network.safeParse(item).success)
  if (items !== undefined && items.length > MAXIMUM_NETWORKS) {
    return reader.invalid(name, `must list at most ${MAXIMUM_NETWORKS} networks`)
  }
  if (wrong === undefined) return items && [...new Set(items)].sort()
  const message =
    'must list addresses or networks as 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32, parted by commas'
  return reader.invalid(name, message)
}
