/**
 * - `closes`: routes answer 503 for it.
 * - `tells`: what is told loses a part of the object, or nothing.
 * - `runtime`: found out while serving; in the condition Warning of an OIDCPlugin.
 * - `condition`: says in a condition that all is well, or that it follows from another condition.
 */
type Effect = 'closes' | 'tells' | 'runtime' | 'condition'

interface Entry {
  readonly effect: Effect
  readonly meaning: string
  /** What to do, as an instruction; empty where there is nothing to do. */
  readonly action: string
}

/**
 * Every reason that a diagnostic, an Event or a condition can have, with what it means and what to do: the one list,
 * which the documentation is made from. Stable, for people grep for them.
 */
export const REASONS = {
  Accepted: {
    effect: 'condition',
    meaning: 'The object is valid and counts.',
    action: '',
  },
  AudienceNotChecked: {
    effect: 'tells',
    meaning: 'The plugin says no audience, so that tokens made for other resource servers pass.',
    action: 'Set `audienceRequired`, or `audience`.',
  },
  BackendUnsupported: {
    effect: 'closes',
    meaning: 'A backend names a resource; only Services are forwarded to.',
    action: 'Name a Service.',
  },
  CanaryUnavailable: {
    effect: 'tells',
    meaning:
      'The Service that `canary-service` names leads nowhere: all requests go where they would without it.',
    action: 'Correct `canary-service`, or the Service that it names.',
  },
  CatchAllRefused: {
    effect: 'tells',
    meaning: 'The installation runs with `--disable-catch-all`, and a rule or default backend names no host.',
    action: 'Name the host in each rule.',
  },
  CertificateConflict: {
    effect: 'tells',
    meaning: 'Two TLS sections name different Secrets for one host; that of the older Ingress is served.',
    action: 'Name one Secret for each host.',
  },
  CertificateExpired: {
    effect: 'tells',
    meaning: 'A certificate that is served, or an authority of client certificates, has expired.',
    action: 'Renew it; look at your certificate issuer.',
  },
  CertificateExpiresSoon: {
    effect: 'tells',
    meaning: 'A certificate that is served, or an authority of client certificates, expires within 14 days.',
    action: 'Renew it; look at your certificate issuer.',
  },
  CertificateInvalid: {
    effect: 'tells',
    meaning: 'A TLS Secret holds no usable certificate and key; the default certificate is served.',
    action: 'Put the chain, leaf first, into `tls.crt` and its unencrypted key into `tls.key`.',
  },
  CertificateNameMismatch: {
    effect: 'tells',
    meaning: 'A certificate does not cover a host for which it is served; clients refuse it.',
    action: 'Have a certificate issued with that subject alternative name.',
  },
  CertificateNotFound: {
    effect: 'tells',
    meaning: 'A TLS section names a Secret that is not there or not of type kubernetes.io/tls.',
    action: 'Create it with `kubectl create secret tls`; look at your certificate issuer.',
  },
  CertificateNotYetValid: {
    effect: 'tells',
    meaning: 'A certificate that is served, or an authority of client certificates, is not valid yet.',
    action: 'Wait, or look at the clocks of this machine and of the issuer.',
  },
  ClientCaConflict: {
    effect: 'closes',
    meaning:
      'Two Ingresses of a host name different authorities of client certificates; the older ones count.',
    action: 'Name Secrets of equal content for one host.',
  },
  ClientCaInvalid: {
    effect: 'closes',
    meaning: 'The Secret of `ostiary.dev/client-ca-secret` holds no certificates of authorities.',
    action: 'Put them into `ca.crt` and, where some are revoked, their lists into `ca.crl`, both PEM.',
  },
  Conflicted: {
    effect: 'tells',
    meaning: 'Two Consumers of a namespace share a username or customId; neither counts.',
    action: 'Rename one of them.',
  },
  ConsumerNotFound: {
    effect: 'tells',
    meaning: 'The plugin names a Consumer that is not in its namespace.',
    action: 'Create a Consumer of that username beside the plugin.',
  },
  CookieDomainMismatch: {
    effect: 'closes',
    meaning: "A host is outside of the plugin's `sessionCookieDomain`, so that no login could last.",
    action: 'Use the plugin on hosts of that domain only, or remove `sessionCookieDomain`.',
  },
  DefaultBackendConflict: {
    effect: 'tells',
    meaning: 'Two Ingresses have a default backend for the same hosts; the older one counts.',
    action: 'Remove one of the two.',
  },
  DiscoveryFailed: {
    effect: 'runtime',
    meaning: 'The metadata of the issuer could not be fetched when it was asked for last.',
    action: 'Run `ostiary doctor NAMESPACE/NAME`, which says why.',
  },
  DuplicateObject: {
    effect: 'tells',
    meaning: 'Files hold an object twice; the one that comes first by file and line counts.',
    action: 'Remove or rename the others.',
  },
  EmptyPlugins: {
    effect: 'closes',
    meaning: '`ostiary.dev/plugins` is there and names nothing.',
    action: 'Name a plugin, or set `ostiary.dev/public: "true"` where open is meant.',
  },
  ExternalNameRefused: {
    effect: 'closes',
    meaning: 'A backend is a Service of type ExternalName, which could lead anywhere.',
    action: 'Use a Service with endpoints, or start Ostiary with `--allow-external-name`.',
  },
  ForeignProtection: {
    effect: 'closes',
    meaning: "Another controller's annotation meant protection, and nothing of ours stands in.",
    action: 'Set `ostiary.dev/plugins`, or `ostiary.dev/public: "true"` where open is meant.',
  },
  GroupsNotKnown: {
    effect: 'tells',
    meaning: 'Groups are asked for on a route whose plugin knows no groups of anybody: all are refused.',
    action: 'Set `authenticatedGroupsClaim`, or `consumerClaims` and Consumers with groups.',
  },
  HostNotOwned: {
    effect: 'tells',
    meaning: 'The host belongs to the namespace of an older Ingress; rules of others for it are left out.',
    action: 'Use another host, move the Ingress, or start Ostiary with `--allow-shared-hosts`.',
  },
  HostReserved: {
    effect: 'tells',
    meaning: "A rule names the host of Ostiary's own dashboard; it is left out.",
    action: 'Use another host, or start Ostiary with another `--dashboard-host`.',
  },
  IngressClassNotFound: {
    effect: 'tells',
    meaning:
      "Ingresses name the class of `--ingress-class`, but no such IngressClass is there: they are nobody's.",
    action: 'Create the IngressClass with our `spec.controller`, or correct `--ingress-class`.',
  },
  IngressInvalid: {
    effect: 'closes',
    meaning: 'The Ingress says something that cannot be served.',
    action: 'Correct the field that is named.',
  },
  InsecureOption: {
    effect: 'tells',
    meaning: 'The plugin sets an `insecure…` field.',
    action: 'Remove the field.',
  },
  InvalidAnnotation: {
    effect: 'closes',
    meaning: 'An `ostiary.dev/` annotation has a value that it cannot have.',
    action: 'Correct the value.',
  },
  InvalidEndpoint: {
    effect: 'tells',
    meaning: 'An EndpointSlice holds an address that is not of its address type; it is left out.',
    action: 'Correct the address or `addressType`.',
  },
  InvalidHost: {
    effect: 'tells',
    meaning: 'A host is no DNS name and no wildcard of one; what was probably meant is closed.',
    action: 'Correct the host.',
  },
  InvalidManifest: {
    effect: 'tells',
    meaning: 'A document or object cannot be read; an older form that could be read stays in force.',
    action: 'Correct the object.',
  },
  InvalidName: {
    effect: 'tells',
    meaning: 'An object has a name or namespace that Kubernetes does not allow; it is left out.',
    action: 'Use lower-case letters, digits, `-` and `.` only.',
  },
  InvalidPath: {
    effect: 'tells',
    meaning: 'A path cannot be taken; what was probably meant is closed.',
    action: 'Correct the path.',
  },
  InvalidSpec: {
    effect: 'tells',
    meaning: 'The OIDCPlugin or Consumer is not accepted; routes that name such a plugin answer 503.',
    action: 'Correct the field that is named; see `kubectl explain oidcplugin.spec`.',
  },
  IssuersShareRedirectUri: {
    effect: 'tells',
    meaning: 'Two issuers on a host share a redirect URI and one does not name itself in answers (RFC 9207).',
    action: 'Give the plugins distinct `redirectUri` values.',
  },
  KeysUnavailable: {
    effect: 'runtime',
    meaning: 'The keys of the issuer could not be fetched when they were asked for last.',
    action: 'Run `ostiary doctor NAMESPACE/NAME`, which says why.',
  },
  NoCommonPlugin: {
    effect: 'closes',
    meaning: 'The Ingress and its Service name plugins, and none is named by both.',
    action: "Name one of the Service's plugins on the Ingress, or remove the Ingress's annotation.",
  },
  NoEndpoints: {
    effect: 'tells',
    meaning: 'No endpoint of the Service is ready; requests answer 503 until one is.',
    action: 'Look at the pods behind the Service.',
  },
  NotProgrammed: {
    effect: 'condition',
    meaning: 'The object is not in the routing table that serves.',
    action: 'Look at the other conditions.',
  },
  NoWarning: {
    effect: 'condition',
    meaning: 'There is nothing to warn of.',
    action: '',
  },
  OpenidScopeMissing: {
    effect: 'tells',
    meaning: 'A login plugin does not ask for `openid`, so that a login gives no ID token and fails.',
    action: 'Add `openid` to `scopes`.',
  },
  PathConflict: {
    effect: 'tells',
    meaning: 'Two Ingresses have the same host and path; the older one counts.',
    action: 'Remove one of the two.',
  },
  PathLooksLikeRegex: {
    effect: 'tells',
    meaning: 'A path looks like a regular expression, but is matched as it is written.',
    action: 'Write it as Prefix or Exact paths.',
  },
  PluginInvalid: {
    effect: 'closes',
    meaning: 'A plugin that is named is not accepted.',
    action: 'Look at its status: `kubectl describe oidcplugin`.',
  },
  PluginNotFound: {
    effect: 'closes',
    meaning: 'A plugin that is named does not exist.',
    action: 'Create the OIDCPlugin, or correct the name.',
  },
  PluginNotPermitted: {
    effect: 'closes',
    meaning: 'A plugin of another namespace does not allow the namespace that names it.',
    action: 'Have the namespace added to its `spec.allowedNamespaces`.',
  },
  PluginRequired: {
    effect: 'closes',
    meaning: 'The installation runs with `--require-plugin`, and the route has neither a plugin nor public.',
    action: 'Set `ostiary.dev/plugins`, or `ostiary.dev/public: "true"` where open is meant.',
  },
  PortNotFound: {
    effect: 'closes',
    meaning: 'A backend names a port that its Service does not have.',
    action: 'Correct the port, by number or by name.',
  },
  Programmed: {
    effect: 'condition',
    meaning: "All of the leader's proxy threads run on the object as it is.",
    action: '',
  },
  PublicAndPlugins: {
    effect: 'closes',
    meaning: 'One object has both `ostiary.dev/public` and `ostiary.dev/plugins`.',
    action: 'Remove one of the two.',
  },
  ReservedPathShadowed: {
    effect: 'tells',
    meaning: 'A path is one that Ostiary itself answers on a host with a login plugin.',
    action: 'Move the path, or the login plugin to another host.',
  },
  ResolvedRefs: {
    effect: 'condition',
    meaning: 'Everything that the object refers to is there.',
    action: '',
  },
  RewritePassesGuard: {
    effect: 'tells',
    meaning: 'A rewrite leads to paths of an upstream that another route guards otherwise.',
    action: 'Put the plugins on the Service, where they hold for all routes to it.',
  },
  RotationNeedsRedis: {
    effect: 'tells',
    meaning: 'Several replicas may refresh one cookie session, which rotating refresh tokens do not allow.',
    action: 'Keep sessions in Redis, or grant a grace period at the authorization server.',
  },
  RuleWithoutBackend: {
    effect: 'tells',
    meaning: 'A rule has no paths and the Ingress no default backend: nothing is served.',
    action: 'Add paths, or a default backend.',
  },
  SecretNotFound: {
    effect: 'closes',
    meaning: 'A Secret that a plugin or an Ingress names is missing, not labelled, or lacks the key.',
    action: 'Create it; label it: `kubectl label secret NAME ostiary.dev/secret=true`.',
  },
  SecretWhitespace: {
    effect: 'tells',
    meaning: 'A secret value begins or ends with white space, which is part of it.',
    action: 'Make it without: `echo -n`, or `kubectl create secret --from-literal`.',
  },
  ServiceNotFound: {
    effect: 'closes',
    meaning: 'A backend names a Service that does not exist.',
    action: 'Create the Service, or correct the name.',
  },
  UnknownAnnotation: {
    effect: 'closes',
    meaning: 'The object has an `ostiary.dev/` annotation that does not exist; a typo must not open a route.',
    action: 'Correct or remove the annotation.',
  },
} as const satisfies Readonly<Record<string, Entry>>

export type Reason = keyof typeof REASONS

type ReasonOf<E extends Effect> = {
  [R in Reason]: (typeof REASONS)[R]['effect'] extends E ? R : never
}[Reason]

/** Why a route reaches no upstream. */
export type ClosedReason = ReasonOf<'closes'>

/** Reasons of diagnostics that close no route by themselves. */
export type DiagnosticReason = ReasonOf<'tells'>

/** Reasons of what is found out while serving. */
export type RuntimeReason = ReasonOf<'runtime'>
