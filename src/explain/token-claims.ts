import { decodeJwt } from 'jose'
import type { FoundToken } from '../auth/credential.ts'

/** What may be told of every token: who made it, for whom, until when and for what. No claim that names a person. */
const TOLD = ['iss', 'aud', 'exp', 'nbf', 'scp', 'scope'] as const
const DATES: ReadonlySet<string> = new Set(['exp', 'nbf'])
const MAXIMUM_LENGTH = 200

/**
 * What a token says of itself, unverified: a few claims with their values and the others by name. Nothing of a token
 * that is no JWT.
 */
export function describeToken({ token, places }: Pick<FoundToken, 'token' | 'places'>): string[] {
  const where = `a token in the ${[...places].sort().join(' and the ')}`
  const claims = claimsOf(token)
  if (claims === undefined) return [`${where}, which is no JWT: the authorization server alone can read it`]
  const told = TOLD.filter((name) => Object.hasOwn(claims, name)).map(
    (name) => `${name}: ${valueOf(name, claims[name])}`,
  )
  const others = Object.keys(claims).filter((name) => !(TOLD as readonly string[]).includes(name))
  return [
    `${where}, which says of itself (not verified here):`,
    ...told,
    ...(others.length === 0 ? [] : [`other claims: ${shortened(others.join(', '))}`]),
  ]
}

function claimsOf(token: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return decodeJwt(token)
  } catch {
    return undefined
  }
}

function valueOf(name: string, value: unknown): string {
  if (!DATES.has(name)) return shortened(typeof value === 'string' ? value : (JSON.stringify(value) ?? ''))
  const date = new Date(typeof value === 'number' ? value * 1000 : Number.NaN)
  return Number.isNaN(date.getTime()) ? 'no date' : date.toISOString().replace('.000', '')
}

function shortened(text: string): string {
  return text.length <= MAXIMUM_LENGTH ? text : `${text.slice(0, MAXIMUM_LENGTH)}…`
}
