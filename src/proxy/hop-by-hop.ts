import { HOP_BY_HOP_FIELDS } from '../hop-by-hop-fields.ts'

const HOP_BY_HOP: ReadonlySet<string> = new Set(HOP_BY_HOP_FIELDS)

// A Connection field must not change whom a message is for, where it ends or who may see it.
const NEVER_DROPPED: ReadonlySet<string> = new Set(['cache-control', 'content-length', 'host', 'set-cookie'])

const NO_OPTIONS: ReadonlySet<string> = new Set()

/** Whether a field ends at this hop, in either direction. */
export function isHopByHop(lowerCaseName: string): boolean {
  return HOP_BY_HOP.has(lowerCaseName)
}

/**
 * The fields that a Connection value (several joined by commas) names beside the hop-by-hop ones, in lower case: they end at this hop too (RFC
 * 9110 §7.6.1). Names that must outlive any Connection field are left out.
 */
export function connectionOptions(value: string): ReadonlySet<string> {
  const lowerCase = value.toLowerCase()
  if (lowerCase === 'keep-alive' || lowerCase === 'close') return NO_OPTIONS
  const options = new Set<string>()
  for (const part of lowerCase.split(',')) {
    const option = part.trim()
    if (option !== '' && option !== 'close' && !HOP_BY_HOP.has(option) && !NEVER_DROPPED.has(option)) {
      options.add(option)
    }
  }
  return options
}

/** A raw header list without some names, which are in lower case. */
export function withoutNames(headers: string[], names: ReadonlySet<string>): string[] {
  if (names.size === 0) return headers
  const kept: string[] = []
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] ?? ''
    if (!names.has(name.toLowerCase())) kept.push(name, headers[i + 1] ?? '')
  }
  return kept
}
