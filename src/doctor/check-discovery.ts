import type { Answer, ServerMetadata } from '../auth/authorization-server/authorization-server-client.ts'
import { parseJsonObject } from '../auth/authorization-server/json-object.ts'
import type { AuthorizationServer } from '../table/policy.ts'
import type { Advice } from './advice.ts'
import type { Asked } from './ask.ts'
import { failed, ok, warning, type Finding } from './finding.ts'
import { printable } from './printable.ts'
import { isTlsError } from './check-tls.ts'

/** What the discovery URLs answered, in their order. */
export interface DiscoveryAnswers {
  readonly server: AuthorizationServer
  readonly asked: readonly { readonly url: string; readonly answer: Asked }[]
  /** The client's own verdict on the same server. */
  readonly metadata: Answer<ServerMetadata>
}

/** The discovery document, as far as it says what clients may ask for. */
export interface DiscoveryDocument {
  /** Absent where the document lists none. */
  readonly scopesSupported?: readonly string[]
  readonly claimsSupported?: readonly string[]
}

/** Whether a discovery document can be had, and is of the very issuer that the plugin names. */
export function checkDiscovery(answers: DiscoveryAnswers, advice: Advice): Finding {
  const { server, metadata } = answers
  const found = documentOf(answers)
  if (metadata.ok && found !== undefined) return ok('discovery', `${found.url} is of the issuer`)
  if (metadata.ok) {
    return warning(
      'discovery',
      `${whatCame(answers)}; spec gives all endpoints, so they are used`,
      'Nothing to do where the server has no discovery document.',
    )
  }
  return failed('discovery', whatCame(answers), fixFor(answers, server, advice))
}

/** The document that was accepted; empty where there is none. */
export function discoveryDocument(answers: DiscoveryAnswers): DiscoveryDocument {
  const body = documentOf(answers)?.body ?? {}
  const scopesSupported = strings(body['scopes_supported'])
  const claimsSupported = strings(body['claims_supported'])
  return { ...(scopesSupported && { scopesSupported }), ...(claimsSupported && { claimsSupported }) }
}

function documentOf({ asked, metadata }: DiscoveryAnswers) {
  if (!metadata.ok) return undefined
  for (const { url, answer } of asked) {
    const body = bodyOf(answer)
    if (body?.['issuer'] === metadata.value.issuer) return { url, body }
  }
  return undefined
}

function whatCame({ server, asked, metadata }: DiscoveryAnswers): string {
  const other = otherIssuer(asked)
  if (other !== undefined)
    return `the document is of the issuer ${other}, and the plugin's is ${server.issuer}`
  const first = asked[0]
  if (first === undefined) return 'there is no discovery URL'
  if (!first.answer.ok) return `${first.url} cannot be reached: ${first.answer.code}`
  if (first.answer.status !== 200) return `${first.url} answered with status ${first.answer.status}`
  return metadata.ok || metadata.kind === 'refused' ? 'there is no document' : metadata.reason
}

function fixFor({ asked }: DiscoveryAnswers, server: AuthorizationServer, advice: Advice): string {
  if (otherIssuer(asked) !== undefined) return advice.issuer
  const answer = asked[0]?.answer
  if (answer === undefined || answer.ok) return advice.issuer
  const host = URL.parse(server.issuer)?.host ?? 'the server'
  if (answer.code === 'ADDRESS_REFUSED') {
    return 'Use an address that is not loopback or link-local, or run Ostiary (and this) with --allow-loopback-issuers.'
  }
  if (answer.code === 'ENOTFOUND')
    return `There is no such host: mend spec.issuer, or the DNS of this machine.`
  if (isTlsError(answer.code)) return 'See tls below.'
  return `See that ${host} can be reached from here: name, port, firewall, HTTP proxy.`
}

function otherIssuer(asked: DiscoveryAnswers['asked']): string | undefined {
  for (const { answer } of asked) {
    const issuer = bodyOf(answer)?.['issuer']
    if (typeof issuer === 'string') return printable(issuer)
  }
  return undefined
}

function bodyOf(answer: Asked): Readonly<Record<string, unknown>> | undefined {
  return answer.ok && answer.status === 200 ? parseJsonObject(answer.body) : undefined
}

function strings(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : undefined
}
