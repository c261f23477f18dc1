import { ANNOTATION_PREFIX } from '../api/annotation-reader.ts'
import type { Ingress } from '../api/ingress.ts'
import type { Service } from '../api/service.ts'

/** cert-manager puts it on the Ingress, the Service and the Pod of a challenge. */
const SOLVER_LABEL = 'acme.cert-manager.io/http01-solver'

/** One segment: the token, in the alphabet of base64url (RFC 8555 §8.3). */
const CHALLENGE_PATH = /^\/\.well-known\/acme-challenge\/[A-Za-z0-9_-]+$/

/** Where a certificate authority asks whether a host is ours, by plain HTTP. */
export function isChallengePath(path: string): boolean {
  return CHALLENGE_PATH.test(path)
}

/**
 * Whether a route is one that cert-manager made for an HTTP-01 challenge: what is meant for routes that say nothing
 * spares it, since nobody can annotate it in time. As anybody can write such an Ingress, nothing else gets through as
 * one: the Service has to be a solver's too, so that no application is behind it, and neither may have an annotation
 * of ours, which could send the requests elsewhere. Whoever needs those says `public` in cert-manager's ingressTemplate.
 */
export function isSolver(ingress: Ingress, service: Service | undefined, path: string): boolean {
  return (
    isChallengePath(path) &&
    service !== undefined &&
    [ingress, service].every((each) => isLabelled(each) && !isAnnotated(each))
  )
}

function isAnnotated({ metadata }: Ingress | Service): boolean {
  return Object.keys(metadata.annotations).some((name) => name.startsWith(ANNOTATION_PREFIX))
}

function isLabelled({ metadata }: Ingress | Service): boolean {
  return metadata.labels[SOLVER_LABEL] === 'true'
}
