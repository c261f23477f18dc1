import { createHash, randomBytes } from 'node:crypto'
import type { AuthSnapshot } from '../../../src/auth/authorize.ts'
import type {
  Answer,
  AuthorizationCodeGrant,
  AuthorizationServerClient,
  RevocationRequest,
  ServerMetadata,
  ServerUnavailable,
  TokenSet,
} from '../../../src/auth/authorization-server/authorization-server-client.ts'
import { createRelyingParty, type RelyingParty } from '../../../src/auth/relying-party/relying-party.ts'
import type { LoginOutcome } from '../../../src/auth/relying-party/finish-login.ts'
import type { RequestFacts } from '../../../src/auth/request-facts.ts'
import type { AuthorizationServer, Policy } from '../../../src/table/policy.ts'
import { EMPTY_TABLE, type VirtualHost } from '../../../src/table/routing-table.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { Browser } from './browser.ts'

export const ISSUER = 'https://login.example.com/oauth2/default'

/** What a test may change of a policy. */
export interface PolicyChanges {
  readonly id?: string
  readonly issuer?: string
  readonly scopes?: readonly string[]
  readonly audience?: readonly string[]
  readonly methods?: Policy['methods']
  readonly client?: Partial<NonNullable<Policy['client']>>
  readonly session?: Partial<Policy['session']>
  readonly authorizationCode?: Partial<Policy['authorizationCode']>
  readonly logout?: Partial<Policy['logout']>
}

export function policyOf(changes: PolicyChanges = {}): Policy {
  const id = changes.id ?? 'shop/login'
  const issuer = changes.issuer ?? ISSUER
  const realm = createHash('sha256').update(`${id} ${issuer}`).digest('hex')
  return {
    id,
    namespace: 'shop',
    revision: '1',
    methods: changes.methods ?? ['session', 'authorization_code'],
    server: serverOf(issuer),
    client: {
      id: 'ostiary',
      secret: 'shop/client/secret',
      tokenEndpointAuthMethod: 'client_secret_basic',
      introspectionEndpointAuthMethod: 'client_secret_basic',
      ...changes.client,
    },
    scopes: changes.scopes ?? ['openid', 'profile'],
    audience: changes.audience ?? [],
    verification: {
      leewaySeconds: 0,
      audiences: [],
      issuers: [],
      insecureSkipSignatureCheck: false,
      insecureSkipClaimsCheck: false,
    },
    tokenArguments: [],
    reverifiesSessions: false,
    bearer: { places: ['header'] },
    introspection: {
      introspectJwtTokens: false,
      hint: 'access_token',
      insecureSkipActiveCheck: false,
      cache: true,
    },
    clientCredentials: { places: ['header'], cache: true },
    cache: { ttlSeconds: 3600, negativeTtlSeconds: 5 },
    session: {
      realm,
      cookieName: `ostiary_${realm.slice(0, 8)}`,
      cookiePath: '/',
      sameSite: 'Lax',
      alwaysSecure: false,
      rollingTimeoutSeconds: 3600,
      idlingTimeoutSeconds: 900,
      absoluteTimeoutSeconds: 86_400,
      cookieMaximumBytes: 16_384,
      refreshTokens: true,
      refreshLeewaySeconds: 30,
      claimsMaximumAgeSeconds: 0,
      allowedOrigins: [],
      ...changes.session,
    },
    authorizationCode: {
      flowCookieSameSite: 'Lax',
      flowCookieAlwaysSecure: false,
      flowTimeoutSeconds: 600,
      responseMode: 'query',
      requestArguments: [],
      clientArguments: [],
      action: 'redirect',
      loginTokens: [],
      loginTokensIn: 'fragment',
      insecureSkipNonceCheck: false,
      insecureSkipProofKeyForCodeExchange: false,
      ...changes.authorizationCode,
    },
    logout: {
      methods: ['POST', 'DELETE'],
      revokeAccessToken: false,
      revokeRefreshToken: false,
      backchannel: false,
      frontchannel: false,
      ...changes.logout,
    },
    identity: { groupsClaim: ['groups'], headersPreset: false },
    requirements: {},
    consumer: { claims: [], by: ['username'], optional: false, credentialClaim: ['sub'] },
    refusal: {
      unauthorizedMessage: 'Unauthorized',
      forbiddenMessage: 'Forbidden',
      exposeErrorCode: true,
      displayErrors: false,
    },
    hideCredentials: true,
    runOnPreflight: false,
    upstreamHeaders: [],
    downstreamHeaders: [],
  }
}

function serverOf(issuer: string): AuthorizationServer {
  return {
    id: issuer,
    issuer,
    discoveryUrls: [`${issuer}/.well-known/openid-configuration`],
    extraJwksUris: [],
    missingKeyPauseMs: 30_000,
    proxy: {},
    timeoutMs: 10_000,
    insecureAllowHttp: false,
    insecureSkipTlsVerify: false,
  }
}

/** A JWT in form: nothing here verifies signatures. */
export function jwtOf(claims: object): string {
  const segment = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signature = createHash('sha512').update(JSON.stringify(claims)).digest('base64url')
  return `${segment({ alg: 'RS256', kid: 'k1' })}.${segment(claims)}.${signature}`
}

/** A session key as the snapshot has it. */
export function newKey(): string {
  return randomBytes(32).toString('base64url')
}

export function snapshotOf(
  policies: readonly Policy[],
  keys: readonly string[],
  secrets: Readonly<Record<string, string>> = { 'shop/client/secret': 'client-secret' },
): AuthSnapshot {
  const all: Record<string, string | undefined> = { ...secrets }
  const sessionKeys = keys.map((key, index) => {
    all[`session-key/${index}`] = key
    return `session-key/${index}`
  })
  const table = {
    ...EMPTY_TABLE,
    policies: Object.fromEntries(policies.map((policy) => [policy.id, policy])),
  }
  return { table, secret: (id) => all[id], sessionKeys }
}

export function hostOf(policies: readonly Policy[], host = 'app.example.com'): VirtualHost {
  return { host, routes: [], loginPolicies: policies.map(({ id }) => id).sort(), reservedClosed: false }
}

/**
 * An authorization server in memory: codes are good once and bound to redirect URI, code challenge and nonce. What
 * the browser brings to `authorize` is its login page, passed at once.
 */
export class FakeAuthorizationServer implements AuthorizationServerClient {
  readonly grants: AuthorizationCodeGrant[] = []
  issParameterSupported = false
  down: ServerUnavailable | undefined
  tokens: Partial<TokenSet> = {}
  refuse: string | undefined
  /** Stands in for a broken server whose codes are good for ever. */
  codesAreReusable = false
  readonly revocations: RevocationRequest[] = []
  readonly #codes = new Map<string, URLSearchParams>()
  #issued = 0

  /** The callback URL that the browser is sent to after signing in. */
  authorize(location: string, extra: Record<string, string> = {}): string {
    const request = new URL(location).searchParams
    const code = `code-${(this.#issued += 1)}`
    this.#codes.set(code, request)
    const callback = new URL(request.get('redirect_uri')!)
    callback.searchParams.set('code', code)
    callback.searchParams.set('state', request.get('state')!)
    for (const [name, value] of Object.entries(extra)) callback.searchParams.set(name, value)
    return callback.href
  }

  metadata(server: AuthorizationServer): Promise<Answer<ServerMetadata>> {
    return Promise.resolve(
      this.down ?? {
        ok: true,
        value: {
          issuer: server.issuer,
          authorizationEndpoint: `${server.issuer}/v1/authorize?tenant=1`,
          tokenEndpoint: `${server.issuer}/v1/token`,
          codeChallengeMethods: ['S256'],
          issParameterSupported: this.issParameterSupported,
        },
      },
    )
  }

  authorizationCodeGrant(
    _server: AuthorizationServer,
    grant: AuthorizationCodeGrant,
  ): Promise<Answer<TokenSet>> {
    this.grants.push(grant)
    if (this.down !== undefined) return Promise.resolve(this.down)
    if (this.refuse !== undefined) return Promise.resolve({ ok: false, kind: 'refused', error: this.refuse })
    const code = new URL(grant.callbackUrl).searchParams.get('code') ?? ''
    const request = this.#codes.get(code)
    if (!this.codesAreReusable) this.#codes.delete(code)
    if (request === undefined || !fits(request, grant)) {
      return Promise.resolve({ ok: false, kind: 'refused', error: 'invalid_grant' })
    }
    const claims = { sub: 'alice', nonce: request.get('nonce') }
    return Promise.resolve({
      ok: true,
      value: {
        accessToken: jwtOf({ sub: 'alice', scp: ['openid'] }),
        tokenType: 'Bearer',
        expiresInSeconds: 3600,
        scope: 'openid profile',
        idToken: jwtOf(claims),
        idTokenClaims: claims,
        ...this.tokens,
      },
    })
  }

  keys(): Promise<never> {
    return Promise.reject(new Error('a login asks for no keys here'))
  }

  clientCredentialsGrant(): Promise<never> {
    return Promise.reject(new Error('a login needs no such grant'))
  }

  refreshTokenGrant(): Promise<never> {
    return Promise.reject(new Error('a login refreshes nothing'))
  }

  userInfo(): Promise<never> {
    return Promise.reject(new Error('a login asks for no user info'))
  }

  introspect(): Promise<never> {
    return Promise.reject(new Error('a login introspects nothing'))
  }

  revoke(_server: AuthorizationServer, request: RevocationRequest): Promise<Answer<'revoked'>> {
    this.revocations.push(request)
    return Promise.resolve(this.down ?? { ok: true, value: 'revoked' })
  }
}

function fits(request: URLSearchParams, grant: AuthorizationCodeGrant): boolean {
  const challenge =
    grant.codeVerifier === undefined
      ? null
      : createHash('sha256').update(grant.codeVerifier).digest('base64url')
  return (
    request.get('redirect_uri') === grant.redirectUri &&
    request.get('code_challenge') === challenge &&
    request.get('nonce') === (grant.nonce ?? null) &&
    request.get('state') === grant.state
  )
}

/** One proxy thread's relying party with a browser before it and a server behind it. */
export class LoginWorld {
  readonly clock = new ManualClock()
  readonly server = new FakeAuthorizationServer()
  readonly browser = new Browser()
  readonly relyingParty: RelyingParty
  readonly keys: string[]
  policies: readonly Policy[]
  snapshot: AuthSnapshot
  host: VirtualHost

  constructor(policies: readonly Policy[] = [policyOf()], keys: string[] = [newKey()]) {
    this.policies = policies
    this.keys = keys
    this.snapshot = snapshotOf(policies, keys)
    this.host = hostOf(policies)
    this.relyingParty = this.newThread()
  }

  get policy(): Policy {
    return this.policies[0]!
  }

  /** Another thread or replica: nothing cached. */
  newThread(): RelyingParty {
    return createRelyingParty({ clock: this.clock, authorizationServers: this.server, randomBytes })
  }

  /** A login begins at the URL; gives where the browser is sent. */
  async start(url: string, policy = this.policy): Promise<string> {
    const facts = this.browser.go(url)
    const decision = await this.relyingParty.startLogin(this.snapshot, policy, facts)
    this.browser.take(decision, facts)
    return locationOf(decision)
  }

  /** The browser comes to a callback URL. */
  async callback(url: string, options: { crossSite?: boolean } = {}): Promise<LoginOutcome | undefined> {
    const facts = this.browser.go(url, options)
    const decision = await this.relyingParty.callback(this.snapshot, this.host, facts)
    this.browser.take(decision, facts)
    return decision
  }

  /** A whole login; gives the decision on its callback. */
  async login(url: string, policy = this.policy): Promise<LoginOutcome | undefined> {
    return this.callback(this.server.authorize(await this.start(url, policy)))
  }

  /** What the browser's cookies say at a URL; what is set is stored. */
  async session(url: string, policy = this.policy, relyingParty = this.relyingParty) {
    const facts: RequestFacts = this.browser.go(url)
    const lookup = await relyingParty.openSession(this.snapshot, policy, facts)
    if (lookup.kind === 'session') this.browser.takeHeaders(lookup.setCookies, facts)
    if (lookup.kind === 'invalid') this.browser.takeHeaders(lookup.clearCookies, facts)
    return lookup
  }
}

export function locationOf(decision: LoginOutcome | undefined): string {
  if (decision?.kind !== 'redirect') throw new Error(`expected a redirect, got ${JSON.stringify(decision)}`)
  return decision.location
}
