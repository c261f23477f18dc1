import type {
  DashboardSource,
  Overview,
  Page,
  PluginDetails,
  RouteDetails,
  RouteState,
  RouteSummary,
  TrafficSample,
} from '../../../src/admin/dashboard/dashboard-model.ts'
import { OstiaryError } from '../../../src/errors.ts'
import type { Explanation } from '../../../src/explain/explanation.ts'
import { readQuestion } from '../../../src/explain/question.ts'
import type { Diagnostic } from '../../../src/table/diagnostic.ts'

export const NOW_MS = Date.UTC(2026, 11, 1, 12, 0, 0)
/** What a page would run or break at if it wrote a text as it is. */
export const HOSTILE = `"><script>alert(1)</script><img src=x onerror='alert(2)'>&amp;`

const DAY_MS = 86_400_000
const STATES: readonly RouteState[] = ['guarded', 'open', 'closed']

const DIAGNOSTICS: readonly Diagnostic[] = [
  {
    severity: 'error',
    reason: 'PluginNotFound',
    object: { kind: 'Ingress', namespace: 'shop', name: 'checkout' },
    path: 'metadata.annotations[ostiary.dev/plugins]',
    message: `There is no OIDCPlugin shop/okta-staff. ${HOSTILE}`,
    remedy: 'Create it, or correct the name: kubectl -n shop get oidcplugins',
    origin: { file: 'manifests/shop.yaml', line: 12 },
  },
  {
    severity: 'warning',
    reason: 'AudienceNotChecked',
    object: { kind: 'OIDCPlugin', namespace: 'shop', name: 'okta' },
    path: 'spec.audienceRequired',
    message: 'Tokens for any audience of this issuer are taken.',
    remedy: 'Name the audiences of your API in audienceRequired.',
  },
  {
    severity: 'info',
    reason: 'UnknownClass',
    object: { kind: 'Ingress', namespace: 'legacy', name: 'old' },
    path: 'spec.ingressClassName',
    message: 'It is of another class.',
    remedy: 'Nothing, if that is meant.',
  },
] as unknown as readonly Diagnostic[]

function routeOf(index: number): RouteSummary {
  const state = STATES[index % 3]!
  const host = index === 3 ? `hostile-${HOSTILE}.example.com` : `app-${index}.apps.example.com`
  return {
    id: `shop/app-${index}/0/0`,
    host: index === 4 ? '' : host,
    path: index % 2 === 0 ? '/' : `/api/v${index % 5}/orders`,
    pathType: index % 4 === 0 ? 'Exact' : 'Prefix',
    ingress: { namespace: 'shop', name: `app-${index}` },
    upstream: state === 'closed' ? '' : `orders-${index}:http`,
    plugins: state === 'guarded' ? ['shop/okta', `platform/staff`] : [],
    state,
    ...(state === 'closed' && {
      closed: { reason: 'plugin_missing', message: `There is no OIDCPlugin shop/okta-staff. ${HOSTILE}` },
    }),
    endpoints: state === 'closed' ? { total: 0, resting: 0 } : { total: 3, resting: index % 5 === 1 ? 1 : 0 },
    requests: index * 1317,
    serverErrors: index % 5 === 1 ? 17 : 0,
  }
}

function detailsOf(route: RouteSummary): RouteDetails {
  const error = { atMs: NOW_MS - 42_000, reason: 'connect_timeout' }
  return {
    ...route,
    endpointList: Array.from({ length: route.endpoints.total }, (_, n) => ({
      address: `10.42.0.${n + 7}:8080`,
      isResting: n < route.endpoints.resting,
      ...(n < route.endpoints.resting && { restsUntilMs: NOW_MS + 8000, lastError: error }),
      failures: n < route.endpoints.resting ? 5 : 0,
    })),
    policy: [
      { name: 'Read timeout', value: '60 s' },
      { name: 'Rate limit', value: '100 a minute for each consumer' },
    ],
    lastErrors:
      route.serverErrors === 0
        ? []
        : [
            { ...error, status: 504, endpoint: '10.42.0.7:8080' },
            { atMs: NOW_MS - 90_000, status: 503, reason: HOSTILE },
          ],
    diagnostics: route.state === 'closed' ? DIAGNOSTICS : [],
  }
}

const PLUGIN: PluginDetails = {
  id: 'shop/okta',
  issuer: 'https://example.okta.com/oauth2/default',
  flows: ['bearer', 'session', 'authorization_code'],
  isAccepted: true,
  conditions: [
    { type: 'Accepted', status: 'True', reason: 'Accepted', message: 'It is enforced.' },
    { type: 'Warning', status: 'True', reason: 'AudienceNotChecked', message: HOSTILE },
  ],
  routes: 3334,
  decisions: { allow: 91_234, redirect: 312, respond: 14, refuse: 881, unavailable: 2 },
  discovery: { state: 'failing', atMs: NOW_MS - 65_000, problem: 'The server answered 503.' },
  keys: [
    { id: 'kQ3lq7w', algorithm: 'RS256', use: 'sig' },
    { id: HOSTILE, algorithm: 'ES256', use: 'sig' },
  ],
  keysAgeSeconds: 412,
  recentDecisions: [
    {
      atMs: NOW_MS - 1500,
      route: 'shop/app-0/0/0',
      flow: 'bearer',
      result: 'allow',
      reason: '',
      consumer: `billing-${HOSTILE}`,
    },
    {
      atMs: NOW_MS - 9000,
      route: '',
      flow: 'authorization_code',
      result: 'respond',
      reason: '',
      status: 200,
    },
    {
      atMs: NOW_MS - 12_000,
      route: 'shop/app-0/0/0',
      flow: 'bearer',
      result: 'refuse',
      reason: 'expired_token',
      status: 401,
    },
  ],
  routeIds: Array.from({ length: 70 }, (_, n) => `shop/app-${n * 3}/0/0`),
  diagnostics: DIAGNOSTICS.slice(1, 2),
}

const REFUSED: PluginDetails = {
  ...PLUGIN,
  id: 'platform/staff',
  isAccepted: false,
  conditions: [
    {
      type: 'Accepted',
      status: 'False',
      reason: 'SecretNotFound',
      message: 'There is no Secret platform/staff.',
    },
  ],
  routes: 0,
  routeIds: [],
  keys: [],
  recentDecisions: [],
  decisions: { allow: 0, redirect: 0, respond: 0, refuse: 0, unavailable: 0 },
  discovery: { state: 'never' },
}

const CERTIFICATES = [
  certificate('shop/wildcard', 60 * DAY_MS, ['*.apps.example.com', 'apps.example.com']),
  certificate('shop/soon', 9 * DAY_MS, ['soon.example.com']),
  certificate('legacy/ended', -2 * DAY_MS, [`hostile-${HOSTILE}`]),
]

function certificate(id: string, leftMs: number, serverNames: string[]) {
  const name = serverNames[0] ?? ''
  const notBeforeMs = NOW_MS - 30 * DAY_MS
  return {
    id,
    serverNames,
    subject: `CN=${name}`,
    issuer: 'CN=Example CA',
    notBeforeMs,
    notAfterMs: NOW_MS + leftMs,
  }
}

const OVERVIEW: Overview = {
  version: '0.1.0',
  startedAtMs: NOW_MS - 7 * DAY_MS,
  phase: 'ready',
  isLeader: true,
  configuration: {
    snapshotVersion: 42,
    reloadedAtMs: NOW_MS - 125_000,
    lastOutcome: 'published',
    lastDurationMs: 38.2,
  },
  threads: [1, 2, 3, 4].map((n) => ({ name: `proxy-${n}`, snapshotVersion: 42, isStuck: false })),
  routes: { open: 3333, guarded: 3334, closed: 3333 },
  virtualHosts: 10_000,
  plugins: { accepted: 1, refused: 1 },
  consumers: 2,
  diagnostics: { error: 1, warning: 1, info: 1 },
  nextCertificate: CERTIFICATES[2]!,
}

function sample(index: number, atMs: number): TrafficSample {
  const wave = 1 + Math.sin(index / 9) / 3 + Math.sin(index / 2.3) / 12
  const calm = index % 37 < 3
  return {
    atMs,
    requestsPerSecond: 840 * wave,
    clientErrorsPerSecond: 12 * wave,
    serverErrorsPerSecond: index % 29 < 4 ? 9 * wave : 0.2,
    ...(!calm && { p50Ms: 2.1 * wave, p99Ms: 18 * wave + (index % 11) }),
    decisionsPerSecond: {
      allow: 610 * wave,
      redirect: 14 * wave,
      respond: 3,
      refuse: 11 * wave,
      unavailable: index % 29 < 4 ? 5 : 0,
    },
    requestsInFlight: Math.round(31 * wave),
    openConnections: 412,
  }
}

function explanationOf(words: Parameters<DashboardSource['explain']>[0]): Explanation {
  const { told } = readQuestion(words)
  return {
    request: told,
    outcome: {
      kind: 'answered',
      status: 401,
      reason: 'no_credential',
      message: 'Unauthorized',
      headers: ['WWW-Authenticate: Bearer realm="shop"'],
      fix: 'Send a token of the issuer https://example.okta.com/oauth2/default in Authorization.',
    },
    steps: [
      { step: 'syntax', verdict: 'passed', found: 'it can be read in one way only', details: [] },
      {
        step: 'route',
        verdict: 'passed',
        found: `rule 0, path / of Ingress shop/app-0 ${HOSTILE}`,
        details: ['Exact match of the host', 'the longest path'],
      },
      { step: 'rate limit', verdict: 'unknown', found: 'it depends on what came before', details: [] },
      {
        step: 'authorization',
        verdict: 'answered',
        found: 'no flow found a credential',
        details: [],
        fix: 'Send a token.',
      },
    ],
    credentials: ['nothing'],
    flows: [
      {
        plugin: 'shop/okta',
        flow: 'bearer',
        verdict: 'refuse',
        status: 401,
        reason: 'no_credential',
        found: 'there is no bearer token',
        fix: 'Send one in Authorization.',
      },
      { plugin: 'shop/okta', flow: 'authorization_code', verdict: 'redirect', status: 302, found: HOSTILE },
    ] as unknown as Explanation['flows'],
    assumptions: ['The clock of this machine is right.'],
    nearMisses: [{ kind: 'route', name: '/admin', why: 'the path does not begin so' }],
    diagnostics: DIAGNOSTICS.slice(1, 2),
  }
}

function pageOf<Item>(
  items: readonly Item[],
  { limit = 100, offset = 0, search = '' }: { limit?: number; offset?: number; search?: string },
): Page<Item> {
  const found = items.filter((item) => JSON.stringify(item).includes(search))
  return { items: found.slice(offset, offset + limit), total: found.length, offset }
}

/** A dashboard's source with 10,000 routes and names that attack. What is given replaces its answers. */
export function fakeSource(replaced: Partial<DashboardSource> = {}): DashboardSource {
  const routes = Array.from({ length: 10_000 }, (_, index) => routeOf(index))
  const plugins = [PLUGIN, REFUSED]
  return {
    overview: () => Promise.resolve(OVERVIEW),
    traffic: () => ({
      intervalMs: 5000,
      samples: Array.from({ length: 120 }, (_, n) => sample(n, NOW_MS - (120 - n) * 5000)),
    }),
    routes: ({ state, ...query }) =>
      Promise.resolve(
        pageOf(
          routes.filter((route) => state === undefined || route.state === state),
          query,
        ),
      ),
    route(id) {
      const route = routes.find((each) => each.id === id)
      return Promise.resolve(route && detailsOf(route))
    },
    plugins: () => Promise.resolve(plugins),
    plugin: (id) => Promise.resolve(plugins.find((plugin) => plugin.id === id)),
    consumers: (query) =>
      Promise.resolve(
        pageOf(
          [
            {
              id: 'shop/billing',
              username: 'billing',
              groups: ['partners', HOSTILE],
              conditions: [{ type: 'Accepted', status: 'True' as const, reason: 'Accepted', message: '' }],
            },
            {
              id: 'shop/twin',
              customId: 'billing',
              groups: [],
              conditions: [
                {
                  type: 'Accepted',
                  status: 'False' as const,
                  reason: 'Conflicted',
                  message: 'Another Consumer has this username.',
                },
              ],
            },
          ],
          query,
        ),
      ),
    certificates: () => Promise.resolve(CERTIFICATES),
    diagnostics: ({ severity, ...query }) =>
      Promise.resolve(
        pageOf(
          DIAGNOSTICS.filter((each) => severity === undefined || each.severity === severity),
          query,
        ),
      ),
    explain: async (words) => explanationOf(words),
    ...replaced,
  }
}

/** What a broken source does. */
export function broken(): Promise<never> {
  return Promise.reject(new OstiaryError('ERR_SOURCE_UNAVAILABLE', 'secret-address.internal is away'))
}
