// What upstreams learn of a caller from Ostiary alone, under the names that Kong's and oauth2-proxy's users know.
// X-Access-Token is also a place where bearer tokens are looked for: authorization reads the request as it was sent,
// before any of these is removed.
const IDENTITY_HEADERS: ReadonlySet<string> = new Set([
  // Of a client's certificate (RFC 9440 §4), which upstreams would take for one that was verified.
  'client-cert',
  'client-cert-chain',
  'x-access-token',
  'x-anonymous-consumer',
  'x-authenticated-groups',
  'x-consumer-custom-id',
  'x-consumer-groups',
  'x-consumer-id',
  'x-consumer-username',
  'x-credential-identifier',
  'x-forwarded-access-token',
  'x-forwarded-email',
  'x-forwarded-groups',
  'x-forwarded-preferred-username',
  'x-forwarded-user',
  'x-id-token',
  'x-userinfo',
])

const IDENTITY_PREFIX = 'x-auth-request-'
// As nginx's users name what is known of the client's certificate.
const CERTIFICATE_PREFIX = 'ssl-client-'

/**
 * A field name as servers that turn names into variables see it (CGI, WSGI, Rack): lower case, and `_` the same as
 * `-`. Names that fold alike are one name wherever a header could be mistaken for ours.
 */
export function foldHeaderName(name: string): string {
  const lowerCase = name.toLowerCase()
  return lowerCase.includes('_') ? lowerCase.replaceAll('_', '-') : lowerCase
}

/**
 * Whether a client that sends this header pretends to an identity: it is removed from every request on every route.
 *
 * @param foldedName from `foldHeaderName`
 */
export function isIdentityHeader(foldedName: string): boolean {
  return (
    IDENTITY_HEADERS.has(foldedName) ||
    foldedName.startsWith(IDENTITY_PREFIX) ||
    foldedName.startsWith(CERTIFICATE_PREFIX)
  )
}
