/** One spec and how zod and the API server must judge it. */
export interface SpecCase {
  readonly name: string
  readonly kind: 'OIDCPlugin' | 'Consumer'
  readonly spec: unknown
  /** `unknown-field`: the API server keeps it, so that Ostiary can refuse it instead of losing a check silently. */
  readonly verdict: 'good' | 'bad' | 'unknown-field'
}

const issuer = 'https://example.okta.com/oauth2/default'

function plugin(name: string, verdict: SpecCase['verdict'], fields: Record<string, unknown>): SpecCase {
  return { name, kind: 'OIDCPlugin', verdict, spec: { issuer, ...fields } }
}

function consumer(name: string, verdict: SpecCase['verdict'], spec: unknown): SpecCase {
  return { name, kind: 'Consumer', verdict, spec }
}

const client = { clientId: 'ostiary', clientSecretRef: { name: 'okta' } }

/** Judged alike by zod (test/api) and by a real API server (test/cluster). */
export const SPEC_CASES: readonly SpecCase[] = [
  plugin('an issuer alone', 'good', {}),
  plugin('a discovery URL as issuer', 'good', { issuer: `${issuer}/.well-known/openid-configuration` }),
  plugin('http on localhost', 'good', { issuer: 'http://localhost:9000/oauth2/default' }),
  plugin('http on 127.0.0.1', 'good', { issuer: 'http://127.0.0.1:9000' }),
  plugin('http on [::1]', 'good', { issuer: 'http://[::1]:9000/' }),
  plugin('http with insecureAllowHttp', 'good', { issuer: 'http://auth.internal', insecureAllowHttp: true }),
  plugin('every field of the client credentials tutorial', 'good', {
    ...client,
    scopes: ['orders.read'],
    upstreamHeadersClaims: ['iss'],
    upstreamHeadersNames: ['Issuer_Header'],
  }),
  plugin('a login with every session field', 'good', {
    ...client,
    authMethods: ['session', 'authorization_code'],
    redirectUri: 'https://app.example.com/callback',
    sessionCookieName: 'app',
    sessionCookiePath: '/app',
    sessionCookieDomain: 'example.com',
    sessionCookieSameSite: 'Strict',
    sessionCookieSecure: true,
    sessionRollingTimeout: 0,
    allowedOrigins: ['https://www.example.com'],
  }),
  plugin("a portal's login and logout", 'good', {
    ...client,
    responseMode: 'form_post',
    redirectUri: 'https://app.example.com/oauth2/callback',
    authorizationQueryArgsNames: ['prompt', 'acr_values'],
    authorizationQueryArgsValues: ['login', 'urn:okta:loa:2fa:any'],
    authorizationQueryArgsClient: ['login_hint'],
    loginAction: 'redirect',
    loginRedirectUri: 'https://app.example.com/welcome',
    loginTokens: ['id_token'],
    loginRedirectMode: 'query',
    logoutMethods: ['GET'],
    logoutQueryArg: 'logout',
    logoutPostArg: 'logout',
    logoutUriSuffix: '/logout',
    logoutRedirectUri: 'https://app.example.com/bye',
    logoutRevoke: true,
    logoutRevokeAccessToken: false,
    endSessionEndpoint: `${issuer}/v1/logout`,
    revocationEndpoint: `${issuer}/v1/revoke`,
    upstreamHeadersPreset: 'x-auth-request',
  }),
  plugin('a login that goes on to the route of its redirectUri', 'good', {
    ...client,
    loginAction: 'upstream',
    redirectUri: 'https://app.example.com/portal',
  }),
  plugin('form_post on loopback', 'good', {
    ...client,
    responseMode: 'form_post',
    redirectUri: 'http://127.0.0.1:8080/oauth2/callback',
  }),
  plugin('introspection as in the tutorial', 'good', {
    ...client,
    authMethods: ['introspection'],
    introspectJwtTokens: true,
    introspectionEndpoint: `${issuer}/v1/introspect`,
    cacheIntrospection: false,
  }),
  plugin('a nested claim path and quoted names', 'good', {
    groupsClaim: ['resource', 'groups'],
    groupsRequired: ['"Kong Admins" ops', 'admin'],
  }),
  plugin('a token cookie', 'good', { bearerTokenParamType: ['cookie'], bearerTokenCookieName: 'token' }),
  plugin('a public client', 'good', { clientId: 'spa', clientAuth: 'none' }),
  plugin('a client with a private key', 'good', {
    clientId: 'ostiary',
    clientKeySecretRef: { name: 'okta-key', key: 'key.pem' },
    clientAuth: 'private_key_jwt',
    clientAssertionAudience: issuer,
  }),
  plugin('a secret that signs', 'good', { ...client, clientAuth: 'client_secret_jwt' }),
  plugin('every field about the authorization server', 'good', {
    userinfoEndpoint: `${issuer}/v1/userinfo`,
    extraJwksUris: ['https://old.example.com/keys'],
    issuersAllowed: [issuer, 'http://sts.example.com'],
    rediscoveryLifetime: 300,
    tokenPostArgsNames: ['resource'],
    tokenPostArgsValues: ['https://api.example.com'],
    httpProxy: 'http://proxy.example.com:3128',
    httpsProxy: 'http://proxy.example.com:3128',
    noProxy: ['.internal', '[::1]:443', '*'],
    maxAge: 3600,
  }),
  plugin('every field about who somebody is', 'good', {
    credentialClaim: ['realm', 'id'],
    authenticatedGroupsClaim: ['groups'],
    searchUserInfo: true,
    cacheUserInfo: false,
    upstreamIdTokenHeader: 'X-Id-Token',
    upstreamIntrospectionHeader: 'X-Introspection',
    upstreamUserInfoHeader: 'X-Userinfo',
    bearerTokenHeaderName: 'X-Api-Token',
    reverify: true,
    exposeErrorCode: false,
    displayErrors: true,
  }),
  plugin('no access token upstream', 'good', { upstreamAccessTokenHeader: '' }),
  plugin('the access token in a header of its own', 'good', { upstreamAccessTokenHeader: 'X-Token' }),

  { name: 'no issuer', kind: 'OIDCPlugin', verdict: 'bad', spec: { scopes: ['openid'] } },
  plugin('a relative issuer', 'bad', { issuer: '/oauth2/default' }),
  plugin('an issuer with a user', 'bad', { issuer: 'https://user:pass@example.com' }),
  plugin('an issuer with a fragment', 'bad', { issuer: `${issuer}#x` }),
  plugin('plain http', 'bad', { issuer: 'http://example.okta.com' }),
  plugin('http on a host that only begins like loopback', 'bad', { issuer: 'http://localhost.evil.example' }),
  plugin('http on a number that only begins like loopback', 'bad', {
    issuer: 'http://127.0.0.1.evil.example',
  }),
  plugin('a plain http token endpoint', 'bad', { tokenEndpoint: 'http://example.com/token' }),
  plugin('a plain http userinfo endpoint', 'bad', { userinfoEndpoint: 'http://example.com/userinfo' }),
  plugin('plain http keys among others', 'bad', {
    extraJwksUris: ['https://a.example.com/keys', 'http://b.example.com/keys'],
  }),
  plugin('private_key_jwt without a key', 'bad', { ...client, clientAuth: 'private_key_jwt' }),
  plugin('a key without a client', 'bad', { clientKeySecretRef: { name: 'key' } }),
  plugin('client_secret_jwt without a secret', 'bad', {
    clientId: 'ostiary',
    tokenEndpointAuthMethod: 'client_secret_jwt',
  }),
  plugin('introspectJwtTokens without the method', 'bad', {
    ...client,
    authMethods: ['bearer'],
    introspectJwtTokens: true,
  }),
  plugin('introspectJwtTokens without a client', 'bad', { introspectJwtTokens: true }),
  plugin('token arguments without values', 'bad', { tokenPostArgsNames: ['resource'] }),
  plugin('a token argument that Ostiary sets itself', 'bad', {
    tokenPostArgsNames: ['client_secret'],
    tokenPostArgsValues: ['x'],
  }),
  plugin('a token header where headers are not searched', 'bad', {
    bearerTokenHeaderName: 'X-Token',
    bearerTokenParamType: ['query'],
  }),
  plugin('a userinfo header without asking for it', 'bad', { upstreamUserInfoHeader: 'X-Userinfo' }),
  plugin('a proxy with a password', 'bad', { httpsProxy: 'http://user:pass@proxy.example.com' }),
  plugin('a maxAge that would sign people in all the time', 'bad', { maxAge: 5 }),
  plugin('form_post over http', 'bad', {
    ...client,
    responseMode: 'form_post',
    redirectUri: 'http://app.example.com/oauth2/callback',
  }),
  plugin('a response mode that is not spoken', 'bad', { ...client, responseMode: 'fragment' }),
  plugin('argument names without values', 'bad', { authorizationQueryArgsNames: ['prompt'] }),
  plugin('an argument that Ostiary sets itself', 'bad', {
    authorizationQueryArgsNames: ['state'],
    authorizationQueryArgsValues: ['x'],
  }),
  plugin('an argument that no browser may choose', 'bad', { authorizationQueryArgsClient: ['scope'] }),
  plugin('loginAction upstream without a redirectUri', 'bad', { ...client, loginAction: 'upstream' }),
  plugin('loginAction response without tokens', 'bad', { ...client, loginAction: 'response' }),
  plugin('a loginRedirectUri beside another loginAction', 'bad', {
    ...client,
    loginAction: 'response',
    loginTokens: ['id_token'],
    loginRedirectUri: 'https://app.example.com/',
  }),
  plugin('loginTokens with loginAction upstream', 'bad', {
    ...client,
    loginAction: 'upstream',
    redirectUri: 'https://app.example.com/portal',
    loginTokens: ['id_token'],
  }),
  plugin('a token that is none', 'bad', { ...client, loginTokens: ['client_secret'] }),
  plugin('a logout method that has no meaning', 'bad', { logoutMethods: ['PUT'] }),
  plugin('a logout suffix without a slash', 'bad', { logoutUriSuffix: 'logout' }),
  plugin('an end session endpoint over http', 'bad', { endSessionEndpoint: 'http://example.com/logout' }),
  plugin('an unknown preset', 'bad', { upstreamHeadersPreset: 'kong' }),
  plugin('an unknown method', 'bad', { authMethods: ['password'] }),
  plugin('no method', 'bad', { authMethods: [] }),
  plugin('a login without a client', 'bad', { authMethods: ['authorization_code'] }),
  plugin('introspection without a client', 'bad', { authMethods: ['introspection'] }),
  plugin('a session without a client', 'bad', { authMethods: ['session'] }),
  plugin('a secret without a client', 'bad', { clientSecretRef: { name: 'okta' } }),
  plugin('a secret method without a secret', 'bad', { clientId: 'x', clientAuth: 'client_secret_basic' }),
  plugin('an unknown client authentication', 'bad', { ...client, clientAuth: 'private_key_jwt' }),
  plugin('a string where a list is needed', 'bad', { scopes: 'openid' }),
  plugin('a list where a scalar is needed', 'bad', { clientId: ['ostiary'] }),
  plugin('a negative leeway', 'bad', { leeway: -1 }),
  plugin('a fraction of a second', 'bad', { leeway: 0.5 }),
  plugin('a timeout of an hour', 'bad', { timeout: 3_600_000 }),
  plugin('an empty claim path', 'bad', { groupsClaim: [] }),
  plugin('an empty requirement', 'bad', { groupsRequired: [] }),
  plugin('claims without header names', 'bad', { upstreamHeadersClaims: ['iss'] }),
  plugin('more names than claims', 'bad', {
    downstreamHeadersNames: ['a', 'b'],
    downstreamHeadersClaims: ['a'],
  }),
  plugin('a header name with a colon', 'bad', { upstreamHeaders: [{ header: 'a:b', path: ['iss'] }] }),
  plugin('a header name with a line break', 'bad', { upstreamHeaders: [{ header: 'a\nb', path: ['iss'] }] }),
  plugin('a token cookie without a name', 'bad', { bearerTokenParamType: ['cookie'] }),
  plugin('a cookie path without a slash', 'bad', { sessionCookiePath: 'app' }),
  plugin('a cookie path with another attribute', 'bad', { sessionCookiePath: '/; Domain=evil.example' }),
  plugin('a cookie domain with another attribute', 'bad', { sessionCookieDomain: 'example.com; Secure' }),
  plugin('an unknown SameSite', 'bad', { sessionCookieSameSite: 'lax' }),
  plugin('an unknown place for tokens', 'bad', { bearerTokenParamType: ['path'] }),

  plugin('a misspelt check', 'unknown-field', { groupRequired: ['admin'] }),
  plugin("Kong's snake case", 'unknown-field', { groups_required: ['admin'] }),
  plugin('a misspelt member of a reference', 'unknown-field', {
    ...client,
    clientSecretRef: { name: 'okta', namespace: 'other' },
  }),

  consumer('a username', 'good', { username: 'alice' }),
  consumer('a custom id and groups', 'good', { customId: '42', groups: ['gold'] }),
  consumer('neither username nor custom id', 'bad', { groups: ['gold'] }),
  consumer('nothing', 'bad', {}),
  consumer('a number as username', 'bad', { username: 1 }),
  consumer('an empty group', 'bad', { username: 'alice', groups: [''] }),
  consumer('a misspelt field', 'unknown-field', { username: 'alice', group: ['gold'] }),
]
