import type { Policy } from '../../../table/policy.ts'
import { createHmac } from 'node:crypto'
import type { Claims } from '../../decision.ts'
import type { SessionKey } from '../session-keys.ts'
import type { SessionSubject } from '../session-store.ts'
import type { Session } from '../session.ts'

/** Whose sessions are looked for: those of one client at one issuer. */
export interface IndexOwner {
  readonly issuer: string
  readonly clientId: string
}

/**
 * The keys under which Redis lists a session by user and by login, as HMACs: without the server's key nobody can tell
 * whether somebody is signed in. Another server key gives other names.
 */
export function indexKeys(
  prefix: string,
  key: SessionKey,
  owner: IndexOwner,
  session: Session,
): readonly string[] {
  const { accessTokenClaims, idTokenClaims } = session
  const issuer = text(idTokenClaims, 'iss') ?? owner.issuer
  const sub = text(idTokenClaims, 'sub') ?? text(accessTokenClaims, 'sub')
  const sid = text(idTokenClaims, 'sid')
  return [
    ...(sub === undefined ? [] : [indexKey(prefix, key, owner, { issuer, sub })]),
    ...(sid === undefined ? [] : [indexKey(prefix, key, owner, { issuer, sid })]),
  ]
}

/** The key under which Redis lists the sessions of a subject. */
export function indexKey(
  prefix: string,
  key: SessionKey,
  owner: IndexOwner,
  subject: SessionSubject,
): string {
  const issuer = subject.issuer.replace(/\/$/, '')
  const of = 'sub' in subject ? ['sub', subject.sub] : ['sid', subject.sid]
  const name = JSON.stringify(['ostiary session index', issuer, owner.clientId, ...of])
  return `${prefix}i:${createHmac('sha256', key.secret).update(name).digest('base64url')}`
}

/** The key under which Redis remembers that something was used; as with sessions, it tells nothing of what. */
export function claimKey(
  prefix: string,
  key: SessionKey,
  owner: IndexOwner,
  name: readonly string[],
): string {
  const text = JSON.stringify(['ostiary used once', owner.issuer, owner.clientId, ...name])
  return `${prefix}u:${createHmac('sha256', key.secret).update(text).digest('base64url')}`
}

function text(claims: Claims, name: string): string | undefined {
  const value = claims[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** Whose sessions of a policy's realm are found together. */
export function ownerOf({ server, client }: Policy): IndexOwner {
  return { issuer: server.issuer, clientId: client?.id ?? '' }
}
