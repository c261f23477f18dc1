/** Request fields whose values are no secrets. */
const OPEN_REQUEST_FIELDS = new Set([
  'accept',
  'accept-encoding',
  'accept-language',
  'access-control-request-headers',
  'access-control-request-method',
  'cache-control',
  'content-type',
  'host',
  'origin',
  'user-agent',
])

/** Response fields whose values are. */
const SECRET_RESPONSE_FIELD = /authorization|token|secret|api-?key|session|credential|cookie/i

const MASK = '•••'
const COMPACT_TOKEN = /\beyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*){1,3}/g

/** A value that somebody typed, as it may be shown beside whoever looks over the shoulder. */
export function maskedRequestValue(name: string, value: string): string {
  const lowerCase = name.toLowerCase()
  const isOpen =
    OPEN_REQUEST_FIELDS.has(lowerCase) ||
    lowerCase.startsWith('sec-fetch-') ||
    lowerCase.startsWith('x-forwarded-')
  return isOpen ? value : MASK
}

/** A cookie keeps its name and attributes, an address the names of its parameters. */
export function maskedResponseValue(name: string, value: string): string {
  const lowerCase = name.toLowerCase()
  if (lowerCase === 'set-cookie') return value.replace(/^([^=;]*)=[^;]*/, `$1=${MASK}`)
  if (lowerCase === 'location' || lowerCase === 'refresh' || lowerCase === 'content-location') {
    return maskedAddress(value)
  }
  if (lowerCase === 'www-authenticate' || lowerCase === 'access-control-allow-headers') return value
  return SECRET_RESPONSE_FIELD.test(name) ? MASK : withoutTokens(value)
}

/** Parameters and fragments of an address hold state, codes and tokens. */
export function maskedAddress(address: string): string {
  const [, before = address, parameters = ''] = /^([^?#]*)([?#].*)?$/s.exec(address) ?? []
  return `${before}${parameters.replaceAll(/=[^&#]*/g, `=${MASK}`)}`
}

/** A body as it may be shown: without JWTs, and without what was masked of the request, should it come back. */
export function maskedBody(text: string, secrets: readonly string[]): string {
  return secrets
    .flatMap((secret) => [secret, secret.replace(/^\S+\s+/, '')])
    .filter((secret) => secret.length >= 8)
    .reduce((masked, secret) => masked.replaceAll(secret, MASK), withoutTokens(text))
}

function withoutTokens(text: string): string {
  return text.replaceAll(COMPACT_TOKEN, MASK)
}
