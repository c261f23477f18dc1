import { generateKeyPairSync, randomUUID, sign, type KeyObject } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** The least of an authorization server that the benchmark's routes need: keys, introspection, code exchange. */
export interface BenchAuthorizationServer {
  readonly issuer: string
  /** What its access tokens are for. */
  readonly audience: string
  readonly publicKeyPem: string
  /** JSON Web Key Set. */
  readonly keySet: string
  /** A fresh RS256 access token, valid for an hour. */
  accessToken(): string
  /** The next code exchange puts this into the ID token. */
  expectNonce(nonce: string): void
  close(): void
}

const KID = 'bench'
const AUDIENCE = 'api://default'

export async function startAuthorizationServer(): Promise<BenchAuthorizationServer> {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const keys = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: KID, alg: 'RS256', use: 'sig' }] }
  let issuer = ''
  let nonce = ''
  const jwt = (claims: object): string => signJwt(privateKey, { iss: issuer, ...claims, ...times() })
  const accessToken = (): string => jwt({ aud: AUDIENCE, sub: 'bench', jti: randomUUID(), scp: ['read'] })

  const answers: Readonly<Record<string, () => unknown>> = {
    '/.well-known/openid-configuration': () => ({
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      introspection_endpoint: `${issuer}/introspect`,
      jwks_uri: `${issuer}/keys`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
      code_challenge_methods_supported: ['S256'],
    }),
    '/keys': () => keys,
    '/introspect': () => ({ active: true, sub: 'bench', scope: 'read', iss: issuer, ...times() }),
    '/token': () => ({
      access_token: accessToken(),
      token_type: 'Bearer',
      expires_in: 3600,
      id_token: jwt({ aud: 'bench', sub: 'bench', nonce }),
    }),
  }
  const server: Server = createServer((request, response) => {
    request.resume()
    const answer = answers[request.url?.split('?')[0] ?? '']
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(answer?.() ?? {}))
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    issuer,
    audience: AUDIENCE,
    publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }),
    keySet: JSON.stringify(keys),
    accessToken,
    expectNonce: (value) => {
      nonce = value
    },
    close: () => server.close(),
  }
}

function times(): { iat: number; exp: number } {
  const now = Math.floor(Date.now() / 1000)
  return { iat: now, exp: now + 3600 }
}

function signJwt(key: KeyObject, claims: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${part({ alg: 'RS256', kid: KID })}.${part(claims)}`
  return `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`
}
