import type { X509Certificate } from 'node:crypto'
import { objectKey } from '../api/object.ts'
import type { OIDCPlugin, OIDCPluginSpec } from '../api/oidc-plugin.ts'
import { SECRET_LABEL, type Secret } from '../api/secret.ts'
import type { SecretId } from '../table/secret-table.ts'
import { digest } from './digest.ts'
import type { SecretInventory } from './inventory.ts'
import { PolicyProblems, type PolicyProblem } from './policy-problem.ts'
import { readCertificates } from './pem.ts'
import { resolveRedisSecrets, type RedisSecrets, type ResolvedSecret } from './policy-redis.ts'
import { privateKeyProblem } from './private-key.ts'

/** What a plugin's Secret references lead to. */
export interface PolicySecrets {
  readonly clientSecret?: { readonly id: SecretId; readonly value: string }
  readonly clientKey?: { readonly id: SecretId; readonly value: string }
  readonly certificateAuthorities?: string
  readonly redis: RedisSecrets
  /** Changes whenever a value does; tells nothing about it where the API server gave a version. */
  readonly stamp: string
  /** References that lead nowhere, each SecretNotFound. */
  readonly missing: readonly PolicyProblem[]
  /** Found, but not what is needed. */
  readonly invalid: readonly PolicyProblem[]
  readonly warnings: readonly PolicyProblem[]
}

type Reference = NonNullable<OIDCPluginSpec['clientSecretRef']>

/** Resolves `clientSecretRef`, `clientKeySecretRef` and `caSecretRef`: in the plugin's namespace, and only to labelled Secrets. */
export function resolveSecrets(
  plugin: OIDCPlugin,
  spec: OIDCPluginSpec,
  inventory: SecretInventory,
): PolicySecrets {
  const { namespace } = plugin.metadata
  const missing = new PolicyProblems()
  const invalid = new PolicyProblems()
  const warnings = new PolicyProblems()
  const find = (
    field: string,
    reference: Reference | undefined,
    defaultKey: string,
  ): ResolvedSecret | undefined =>
    reference && findValue({ field, reference, namespace, defaultKey }, inventory, missing)

  const client = find('clientSecretRef', spec.clientSecretRef, 'clientSecret')
  if (client !== undefined && client.value !== client.value.trim()) {
    warnings.add(
      'clientSecretRef',
      'leads to a value with white space at its beginning or end, which is sent as part of the secret',
      'If it is not meant, create the Secret with: printf %s … or kubectl create secret --from-literal.',
    )
  }
  const key = find('clientKeySecretRef', spec.clientKeySecretRef, 'privateKey')
  if (key !== undefined) checkPrivateKey(key.value, invalid)
  const authorities = find('caSecretRef', spec.caSecretRef, 'ca.crt')
  const certificateAuthorities = authorities && readAuthorities('caSecretRef', authorities.value, invalid)
  const redis = resolveRedisSecrets(spec, find, (field, pem) => readAuthorities(field, pem, invalid))
  return {
    ...(client && { clientSecret: { id: client.id, value: client.value } }),
    ...(key && { clientKey: { id: key.id, value: key.value } }),
    ...(certificateAuthorities !== undefined && { certificateAuthorities }),
    redis,
    stamp: digest([
      client?.stamp ?? null,
      authorities?.stamp ?? null,
      ...redis.stamps,
      ...(key ? [key.stamp] : []),
    ]),
    missing: missing.list,
    invalid: invalid.list,
    warnings: warnings.list,
  }
}

interface Lookup {
  readonly field: string
  readonly reference: Reference
  readonly namespace: string
  readonly defaultKey: string
}

function findValue(
  lookup: Lookup,
  inventory: SecretInventory,
  missing: PolicyProblems,
): ResolvedSecret | undefined {
  const { field, reference, namespace, defaultKey } = lookup
  const secretKey = objectKey({ namespace, name: reference.name })
  const key = reference.key ?? defaultKey
  const secret = inventory.secrets.get(secretKey)
  const labelLine = `kubectl label secret -n ${namespace} ${reference.name} ${SECRET_LABEL}=true`
  if (secret === undefined) {
    const message = `names Secret ${secretKey}, which does not exist or lacks the label ${SECRET_LABEL}: "true"`
    missing.add(field, message, `Create it with that label, or, where it exists: ${labelLine}`)
    return undefined
  }
  if (secret.metadata.labels[SECRET_LABEL] !== 'true') {
    const message = `names Secret ${secretKey}, which lacks the label ${SECRET_LABEL}: "true"`
    missing.add(field, message, `Allow Ostiary to read it: ${labelLine}`)
    return undefined
  }
  const value = valueOf(secret, key)
  if (value === undefined || value === '') {
    const message = `names Secret ${secretKey}, which has no value under the key ${key}`
    missing.add(field, message, `Add the key ${key} to the Secret, or name another in ${field}.key.`)
    return undefined
  }
  return { id: `${secretKey}/${key}`, value, stamp: stampOf(secret, value) }
}

function valueOf(secret: Secret, key: string): string | undefined {
  return Object.hasOwn(secret.values, key) ? secret.values[key]?.reveal() : undefined
}

/** A digest of a weak secret can be guessed offline, so it is taken only where there is no version: in files. */
function stampOf({ metadata: { uid, resourceVersion } }: Secret, value: string): string {
  return resourceVersion === '' ? digest(value) : `${uid}@${resourceVersion}`
}

function checkPrivateKey(text: string, invalid: PolicyProblems): void {
  const problem = privateKeyProblem(text)
  if (problem === undefined) return
  const remedy =
    'Put an RSA key of 2048 bits or more, an EC key or an Ed25519 key there, as PKCS#8 PEM or JWK.'
  invalid.add('clientKeySecretRef', `leads to a value that ${problem}`, remedy)
}

/** Certificates only: a private key beside them in the Secret must not get into the table. */
function readAuthorities(field: string, pem: string, invalid: PolicyProblems): string | undefined {
  const certificates = readCertificates(pem)
  if (certificates !== undefined) return certificates.map((each: X509Certificate) => each.toString()).join('')
  invalid.add(field, 'leads to a value that is not PEM certificates', 'Put the CA certificates there as PEM.')
  return undefined
}
