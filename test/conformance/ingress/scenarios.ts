/**
 * The scenarios of kubernetes-sigs/ingress-controller-conformance (release 1.19, 30 executions) as data, written from
 * its five features. Run in process by `in-process.test.ts` and on a cluster by `test/cluster/conformance.test.ts`.
 */

/** A path of a rule, or the default backend. */
export interface ConformanceBackend {
  readonly service: string
  /** Number, or name, of the Service's port. */
  readonly port: number | string
}

export interface ConformanceRule extends ConformanceBackend {
  readonly host: string
  readonly path: string
  readonly pathType: 'Exact' | 'Prefix'
}

export interface ConformanceRequest {
  readonly scheme: 'http' | 'https'
  readonly method: string
  /** Empty: the address itself, as a client does that was given no name. */
  readonly host: string
  readonly path: string
}

export interface ConformanceScenario {
  readonly name: string
  readonly request: ConformanceRequest
  /** The Service that answers 200; absent: 404. */
  readonly service?: string
  /** What the feature asks beyond who answers. */
  readonly asks?: 'host' | 'certificate' | 'headers'
}

export interface ConformanceFeature {
  readonly name: string
  readonly ingress: string
  /** Absent: the class under test. */
  readonly ingressClassName?: string
  readonly defaultBackend?: ConformanceBackend
  readonly rules?: readonly ConformanceRule[]
  /** A host whose certificate is in the Secret `conformance-tls`. */
  readonly tlsHost?: string
  readonly scenarios: readonly ConformanceScenario[]
}

function rule(host: string, pathType: ConformanceRule['pathType'], path: string, service: string) {
  return { host, pathType, path, service, port: 8080 } as const
}

function get(url: string, service?: string, asks?: ConformanceScenario['asks']): ConformanceScenario {
  const { protocol, hostname, pathname } = new URL(url)
  const scheme = protocol === 'https:' ? 'https' : 'http'
  return {
    name: `GET ${url}`,
    request: { scheme, method: 'GET', host: hostname, path: pathname },
    ...(service !== undefined && { service }),
    ...(asks !== undefined && { asks }),
  }
}

function toDefault(method: string, host: string, path: string): ConformanceScenario {
  const request = { scheme: 'http', method, host, path } as const
  const name = `${method} http://${host === '' ? 'the address' : host}${path}`
  return { name, request, service: 'echo-service', asks: 'headers' }
}

export const DEFAULT_BACKEND: ConformanceFeature = {
  name: 'default_backend',
  ingress: 'default-backend',
  defaultBackend: { service: 'echo-service', port: 8080 },
  scenarios: [
    toDefault('GET', 'my-host', '/'),
    toDefault('GET', 'my-host', '/sub-path'),
    toDefault('POST', 'some-host', '/'),
    toDefault('PUT', '', '/resource'),
    toDefault('DELETE', 'some-host', '/resource'),
    toDefault('PATCH', 'my-host', '/resource'),
  ],
}

export const HOST_RULES: ConformanceFeature = {
  name: 'host_rules',
  ingress: 'host-rules',
  tlsHost: 'foo.bar.com',
  rules: [
    rule('*.foo.com', 'Prefix', '/', 'wildcard-foo-com'),
    { ...rule('foo.bar.com', 'Prefix', '/', 'foo-bar-com'), port: 'http' },
  ],
  scenarios: [
    get('https://foo.bar.com/', 'foo-bar-com', 'certificate'),
    get('http://foo.bar.com/', 'foo-bar-com', 'host'),
    get('http://subdomain.bar.com/'),
    get('http://bar.foo.com/', 'wildcard-foo-com', 'host'),
    get('http://baz.bar.foo.com/'),
    get('http://foo.com/'),
  ],
}

export const PATH_RULES: ConformanceFeature = {
  name: 'path_rules',
  ingress: 'path-rules',
  rules: [
    rule('exact-path-rules', 'Exact', '/foo', 'foo-exact'),
    rule('prefix-path-rules', 'Prefix', '/foo', 'foo-prefix'),
    rule('prefix-path-rules', 'Prefix', '/aaa/bbb', 'aaa-slash-bbb-prefix'),
    rule('prefix-path-rules', 'Prefix', '/aaa', 'aaa-prefix'),
    rule('mixed-path-rules', 'Prefix', '/foo', 'foo-prefix'),
    rule('mixed-path-rules', 'Exact', '/foo', 'foo-exact'),
    rule('trailing-slash-path-rules', 'Prefix', '/aaa/bbb/', 'aaa-slash-bbb-slash-prefix'),
    rule('trailing-slash-path-rules', 'Exact', '/foo/', 'foo-slash-exact'),
  ],
  scenarios: [
    get('http://exact-path-rules/foo', 'foo-exact'),
    get('http://exact-path-rules/foo/'),
    get('http://exact-path-rules/FOO'),
    get('http://exact-path-rules/bar'),
    get('http://prefix-path-rules/foo', 'foo-prefix'),
    get('http://prefix-path-rules/foo/', 'foo-prefix'),
    get('http://prefix-path-rules/FOO'),
    get('http://prefix-path-rules/aaa/bbb', 'aaa-slash-bbb-prefix'),
    get('http://prefix-path-rules/aaa/bbb/ccc', 'aaa-slash-bbb-prefix'),
    get('http://prefix-path-rules/aaa/ccc', 'aaa-prefix'),
    get('http://prefix-path-rules/aaaccc'),
    // The feature has this one twice, under one name.
    get('http://prefix-path-rules/foo/', 'foo-prefix'),
    get('http://mixed-path-rules/foo', 'foo-exact'),
    get('http://trailing-slash-path-rules/aaa/bbb', 'aaa-slash-bbb-slash-prefix'),
    get('http://trailing-slash-path-rules/aaa/bbb/', 'aaa-slash-bbb-slash-prefix'),
    get('http://trailing-slash-path-rules/foo'),
  ],
}

/** Its scenario is that the status never gets an address; that nothing is served is ours. */
export const INGRESS_CLASS: ConformanceFeature = {
  name: 'ingress_class',
  ingress: 'test-ingress-class',
  ingressClassName: 'some-invalid-class-name',
  rules: [rule('ingress-class', 'Prefix', '/', 'ingress-class-prefix')],
  scenarios: [get('http://ingress-class/')],
}

/** Its scenario: of so many endpoints, this many requests in a row, each on its own connection, miss none. */
export const LOAD_BALANCING = {
  feature: {
    name: 'load_balancing',
    ingress: 'load-balancing',
    defaultBackend: { service: 'echo-service', port: 8080 },
    scenarios: [],
  } satisfies ConformanceFeature,
  request: { scheme: 'http', method: 'GET', host: 'load-balancing', path: '/' },
  endpoints: 10,
  requests: 100,
} as const

/** Those that are requests and answers; the other two have steps of their own. */
export const REQUEST_FEATURES = [DEFAULT_BACKEND, HOST_RULES, PATH_RULES] as const
