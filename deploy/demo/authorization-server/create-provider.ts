import { randomBytes } from 'node:crypto'
import type { Context, OIDCContext, Provider } from 'oidc-provider'
import { loadOidcProvider } from './load-oidc-provider.ts'
import { mintTokens } from './mint-tokens.ts'
import { errorPage } from './pages.ts'
import { OPENID_SCOPES, type ClientRegistration } from './registration.ts'
import { BASE_PATH, type ServerState } from './server-state.ts'
import { SIGN_IN_PATH } from './sign-in.ts'
import { describeInvalidGrant, POLICY_REFUSED, UNKNOWN_SCOPE } from './token.ts'

type OidcProvider = Awaited<ReturnType<typeof loadOidcProvider>>

/** What Okta accepts as `state`. */
const STATE = /^[A-Za-z0-9,._-]+$/

/** oidc-provider, set up to run Okta's flows: authorization code with PKCE, refresh and client credentials. */
export async function createProvider(state: ServerState): Promise<Provider> {
  const library = await loadOidcProvider()
  const provider = new library.Provider(state.issuer, configuration(state, library))
  provider.on('server_error', (_, error) => console.error(`authorization server: ${error.message}`))
  provider.use(async (ctx, next) => {
    await next()
    const { oidc } = ctx
    if (oidc?.route === 'token') await finishTokenResponse(state, ctx, oidc)
    else if (oidc && !state.authorizationResponseIss) dropIssuerParameter(ctx)
  })
  return provider
}

async function finishTokenResponse(state: ServerState, ctx: Context, oidc: OIDCContext): Promise<void> {
  if (ctx.status === 200) {
    ctx.body = await mintTokens(state, ctx, oidc)
    return
  }
  const { error, error_description: description } = ctx.body as Record<string, string>
  const grantType = oidc.params?.['grant_type']
  ctx.body = {
    error,
    error_description: error === 'invalid_grant' ? describeInvalidGrant(grantType) : description,
  }
}

/** oidc-provider always names itself in the authorization response (RFC 9207); Okta does not. */
function dropIssuerParameter(ctx: Context): void {
  const location = ctx.response.get('Location')
  if (location !== undefined)
    ctx.set('Location', location.replace(/([?#&])iss=[^&#]*&?/, '$1').replace(/[?#&]$/, ''))
  if (typeof ctx.body === 'string') ctx.body = ctx.body.replace(/<input type="hidden" name="iss"[^>]*>/, '')
}

function configuration(state: ServerState, library: OidcProvider): object {
  return {
    adapter: (model: string) => {
      if (model === 'Client') return clientAdapter(state)
      const isRefreshToken = model === 'RefreshToken'
      return state.storage.adapter(model, () => (isRefreshToken ? state.faults.refreshTokenGraceSeconds : 0))
    },
    jwks: { keys: [state.keys.privateJwk] },
    routes: { authorization: `${BASE_PATH}/v1/authorize`, token: `${BASE_PATH}/v1/token` },
    scopes: [...OPENID_SCOPES],
    claims: { openid: ['sub'] },
    responseTypes: ['code'],
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'none'],
    pkce: { required: () => false },
    cookies: {
      keys: [randomBytes(32).toString('base64url')],
      names: { session: 'okta_session', interaction: 'okta_signin', resume: 'okta_resume' },
      // On localhost every port shares one cookie jar: the path keeps these away from the demo's other servers.
      long: { httpOnly: true, sameSite: 'lax', path: BASE_PATH },
      short: { httpOnly: true, sameSite: 'lax' },
    },
    ttl: {
      AccessToken: () => state.faults.accessTokenSeconds,
      AuthorizationCode: 300,
      ClientCredentials: () => state.faults.accessTokenSeconds,
      Grant: 7 * 86_400,
      IdToken: 3600,
      Interaction: 3600,
      RefreshToken: 7 * 86_400,
      Session: 7200,
    },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => state.audience,
        useGrantedResource: () => true,
        getResourceServerInfo: (ctx: Context) => resourceServer(state, library, ctx.oidc),
      },
    },
    interactions: {
      policy: signInWithoutConsent(library),
      url: (_: Context, interaction: { uid: string }) => SIGN_IN_PATH + interaction.uid,
    },
    findAccount: (_: Context, id: string) => findAccount(state, id),
    loadExistingGrant: (ctx: { readonly oidc: OIDCContext }) => grantEverythingAsked(state, ctx.oidc),
    issueRefreshToken: (_: Context, client: Client, code: Code) =>
      client.grantTypeAllowed('refresh_token') && code.scopes.has('offline_access'),
    rotateRefreshToken: true,
    // Okta's tokens outlive its browser session.
    expiresWithSession: () => false,
    clientBasedCORS: () => false,
    renderError: (ctx: Context, { error, error_description: description = '' }: Record<string, string>) => {
      const { body, headers } = errorPage(ctx.status, error ?? 'server_error', description)
      for (const [name, value] of Object.entries(headers ?? {})) ctx.set(name, value)
      ctx.body = body
    },
  }
}

interface Client {
  grantTypeAllowed(grantType: string): boolean
}

interface Code {
  readonly scopes: ReadonlySet<string>
}

/** Clients are looked up as they are now, so that a deactivated one is unknown at once. */
function clientAdapter(state: ServerState) {
  return {
    find: async (clientId: string): Promise<object | undefined> => {
      const client = state.registry.client(clientId)
      return client && state.registry.isActiveClient(clientId) ? clientMetadata(client) : undefined
    },
  }
}

function clientMetadata(client: ClientRegistration): object {
  const isPublic = client.clientSecret === undefined
  return {
    client_id: client.clientId,
    ...(!isPublic && { client_secret: client.clientSecret }),
    token_endpoint_auth_method: isPublic ? 'none' : 'client_secret_basic',
    grant_types: [...client.grantTypes],
    response_types: client.grantTypes.includes('authorization_code') ? ['code'] : [],
    redirect_uris: [...(client.redirectUris ?? [])],
  }
}

function findAccount(state: ServerState, id: string): object | undefined {
  const user = state.registry.activeUser(id)
  return user && { accountId: user.id, claims: async () => ({ sub: user.id }) }
}

/** The one resource server. Its description is asked for on every flow, which makes this the place to refuse scopes. */
function resourceServer(state: ServerState, library: OidcProvider, oidc: OIDCContext | undefined): object {
  const known: readonly string[] = [...state.customScopes.map((scope) => scope.name), ...OPENID_SCOPES]
  if (oidc?.route === 'authorization') {
    if (!STATE.test(oidc.params['state'] ?? '')) {
      throw new library.errors.InvalidRequest("The authentication request has an invalid 'state' parameter.")
    }
    const asked = (oidc.params['scope'] ?? '').split(' ')
    if (!asked.every((scope) => known.includes(scope))) throw new library.errors.InvalidScope(UNKNOWN_SCOPE)
    const allowed = state.registry.client(oidc.client.clientId)?.scopes ?? known
    if (!asked.every((scope) => allowed.includes(scope)))
      throw new library.errors.AccessDenied(POLICY_REFUSED)
  }
  return {
    scope: known.join(' '),
    audience: state.audience,
    // Opaque here, a JWT by the time it leaves: see mint-tokens.ts.
    accessTokenFormat: 'opaque',
  }
}

/** oidc-provider hands out refresh tokens only after a consent prompt; Okta's first-party apps have none. */
function signInWithoutConsent(library: OidcProvider): unknown {
  const policy = library.interactionPolicy.base()
  const consent = new library.interactionPolicy.Prompt({ name: 'consent', requestable: true })
  consent.checks.remove('consent_prompt')
  policy.remove('consent')
  policy.add(consent)
  return policy
}

async function grantEverythingAsked(state: ServerState, oidc: OIDCContext): Promise<unknown> {
  const grant = new oidc.provider.Grant({
    accountId: oidc.account.accountId,
    clientId: oidc.client.clientId,
  })
  const scope = [...oidc.requestParamScopes].join(' ')
  grant.addOIDCScope(scope)
  grant.addResourceScope(state.audience, scope)
  await grant.save()
  return grant
}
