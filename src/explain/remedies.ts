import type { RefusalReason } from '../auth/decision.ts'
import { REASONS } from '../table/reasons.ts'

/** What to do where authorization says no, as docs/troubleshooting.md has it. */
const REFUSED: Readonly<Record<RefusalReason, string>> = {
  no_credential:
    'Send an access token where the plugin looks for one (`Authorization: Bearer …` unless bearerTokenParamType says otherwise), or come as a browser does, with `Accept: text/html`, to be sent to a login.',
  invalid_token:
    'The signature must match, and it must be an access token: no ID token, none that is bound to a key, none that is encrypted.',
  expired_token:
    'Get a new token. Where it should be good, compare clocks: `ostiary doctor` does; `leeway` allows for skew.',
  authentication_too_old: 'The person must sign in again: the plugin says `maxAge`.',
  wrong_issuer:
    "`iss` must be the plugin's issuer, byte for byte. At Okta the org's and the custom servers' issuers differ.",
  wrong_audience: '`aud` must be among `audienceRequired`, or else `audience`, of the plugin.',
  unknown_key:
    "The token's `kid` is not in the key set: it is another server's token, or of a key that is not published yet.",
  inactive_token:
    'The authorization server says so: it was revoked, has expired, or its client is not active any more.',
  invalid_client:
    "Client id or secret is wrong, the caller's or the plugin's own: compare them at the authorization server, and run `ostiary doctor` for the plugin.",
  invalid_session: 'Sign in again. Where it comes back, all replicas must read the same session key Secret.',
  invalid_callback:
    'A callback is good once, in the browser that began the login and within ten minutes: begin at the page again.',
  insufficient_scope: 'The token must carry what `scopesRequired` asks for, in the claim of `scopesClaim`.',
  missing_audience: 'The token must carry what `audienceRequired` asks for.',
  missing_group: 'The token must carry what `groupsRequired` asks for, in the claim of `groupsClaim`.',
  missing_role: 'The token must carry what `rolesRequired` asks for, in the claim of `rolesClaim`.',
  no_consumer:
    "Create a Consumer in the plugin's namespace whose username or customId is the claim's value, or set `consumerOptional`.",
  anonymous_consumer_not_found: 'Create the Consumer that the plugin names in `anonymous`.',
  group_denied:
    'The groups of the caller are not let in: see ostiary.dev/allow-groups and deny-groups of the Ingress.',
  cross_origin: 'A cookie came with an unsafe method from another site: name the site in `allowedOrigins`.',
  authorization_server_unavailable:
    'The authorization server gave no usable answer: run `ostiary doctor` for the plugin.',
  session_store_unavailable: 'Redis, which keeps the sessions, cannot be reached.',
  too_large:
    'The tokens do not fit into cookies: ask for fewer scopes or groups, or set `sessionStorage: redis`.',
  invalid_request: 'Send one access token, in one place.',
  group_overage:
    'The authorization server left the groups out, since there were too many: let it send fewer.',
  server_refused: 'The authorization server refused what the plugin asked: run `ostiary doctor` for it.',
  policy_missing: 'A plugin of the route is not in the table; see the diagnostics.',
  login_loop:
    'The session cookie does not come back: see "A login goes round and round" in docs/troubleshooting.md.',
}

/** What to do where a step before or after authorization answers. */
const ANSWERED: Readonly<Record<string, string>> = {
  starting: 'Wait: nothing was read yet. /readyz says what is waited for.',
  framing: 'The request says in more than one way where it ends; correct the client or the proxy in front.',
  misdirected:
    'Send it over a connection of its own, opened with the name of the host: clients share connections between hosts that one certificate covers.',
  no_route: 'Name host and path in a rule of an Ingress; below is what comes near.',
  reserved_path:
    'A plugin that may hold logins here is missing or invalid; see the diagnostics. Until then no code may reach an upstream.',
  https_required: 'Ask over https, with a Host field.',
  no_policy: 'Groups are asked for and no plugin could tell them; see the diagnostics.',
  trace: 'Use another method.',
  source_address:
    'The address is not among ostiary.dev/allow-source-range, or it is among deny-source-range. Behind a load balancer name that in --trusted-proxies.',
  cors_origin: 'Name the origin in ostiary.dev/cors-allow-origin.',
  body_too_large: 'Raise ostiary.dev/max-body-size.',
  rate_limited: 'Wait, or raise the limit.',
  client_certificate:
    'Show a certificate of the authorities that the Ingress names, over HTTPS. Here none is shown.',
  no_rewrite: 'ostiary.dev/rewrite-pattern must match the whole path.',
  path_too_long: 'Send a shorter path.',
  url_too_long: 'Send a shorter request line, or raise --max-url-bytes.',
  too_many_fields: 'Send fewer fields, or raise --max-header-count.',
  websocket_over_http2: 'Ask over HTTP/1.1, or let the Service speak it: see ostiary.dev/backend-protocol.',
  no_endpoint:
    'No pod behind the Service is ready: `kubectl get endpointslices -l kubernetes.io/service-name=SERVICE`.',
  bad_request:
    'Two servers could read this request in two ways, so that nobody gets it; send it in the plain form.',
}

/** The remedy for a stable word of an answer; `undefined` for a word that needs none. */
export function remedyOf(reason: string): string | undefined {
  if (Object.hasOwn(REFUSED, reason)) return REFUSED[reason as RefusalReason]
  if (Object.hasOwn(ANSWERED, reason)) return ANSWERED[reason]
  return Object.hasOwn(REASONS, reason) ? REASONS[reason as keyof typeof REASONS].action : undefined
}
