import type { Logger } from 'pino'
import { SECRET_LABEL, secretSchema } from '../../api/secret.ts'
import { systemTimers, type Timers } from '../../clock.ts'
import { OstiaryError } from '../../errors.ts'
import { newSessionKey, parseSessionKeys, SESSION_KEY_FIELD, type SessionKeys } from '../session-key.ts'
import { ApiServerError } from './api-server-error.ts'
import type { ApiServer } from './api-server.ts'
import { BackOff, pause } from './back-off.ts'

export interface SessionKeySecretOptions {
  readonly api: ApiServer
  readonly namespace: string
  readonly name: string
  readonly logger: Logger
  readonly timers?: Timers
  /** As Math.random: for jitter only. */
  readonly random?: () => number
}

/**
 * The session keys that all replicas share: those of the key Secret, which is made with one random key when it is
 * absent. Of replicas that start at once one creates it and the others read it. An API server that is away is waited
 * for.
 *
 * @throws OstiaryError ERR_SESSION_KEY_INVALID when the Secret is there and holds something else: it is not replaced,
 * because that would end every session.
 * @throws OstiaryError ERR_SOURCE_UNAVAILABLE when it may be neither read nor made, or the signal is aborted.
 */
export async function getOrCreateSessionKeys(
  options: SessionKeySecretOptions,
  signal: AbortSignal,
): Promise<SessionKeys> {
  const backOff = new BackOff({ random: options.random ?? Math.random })
  for (;;) {
    try {
      return (await read(options, signal)) ?? (await create(options, signal))
    } catch (error) {
      if (signal.aborted || isFinal(error)) throw error
      const { namespace, name, logger } = options
      const reason = error instanceof OstiaryError ? error.message : 'the API server cannot be reached'
      logger.warn({ namespace, name, reason }, 'the session key Secret cannot be read; trying again')
      const retryAfterMs = error instanceof ApiServerError ? (error.retryAfterMs ?? 0) : 0
      await pause(
        options.timers ?? systemTimers,
        Math.max(backOff.next(), Math.min(retryAfterMs, 60_000)),
        signal,
      )
    }
  }
}

/** Undefined when there is none. */
async function read(options: SessionKeySecretOptions, signal: AbortSignal): Promise<SessionKeys | undefined> {
  const { api, namespace, name } = options
  try {
    return keysOf(await api.json({ path: pathOf(namespace, name), signal }), `Secret ${namespace}/${name}`)
  } catch (error) {
    if (error instanceof ApiServerError && error.status === 404) return undefined
    throw error
  }
}

async function create(options: SessionKeySecretOptions, signal: AbortSignal): Promise<SessionKeys> {
  const { api, namespace, name, logger } = options
  const key = newSessionKey()
  const body = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace, labels: { [SECRET_LABEL]: 'true' } },
    type: 'Opaque',
    stringData: { [SESSION_KEY_FIELD]: `${key.reveal()}\n` },
  }
  try {
    await api.json({ method: 'POST', path: pathOf(namespace), body, signal })
    logger.info({ namespace, name }, 'session key Secret created')
    return [key]
  } catch (error) {
    // Another replica was faster. Where it is gone again by now, the next attempt begins anew.
    if (!(error instanceof ApiServerError) || error.status !== 409) throw error
    const keys = await read(options, signal)
    if (keys !== undefined) return keys
    throw error
  }
}

function keysOf(raw: unknown, place: string): SessionKeys {
  const secret = secretSchema.safeParse(raw)
  const text = secret.data?.values[SESSION_KEY_FIELD]?.reveal() ?? ''
  return parseSessionKeys(text, `${place}, key ${SESSION_KEY_FIELD}`)
}

function isFinal(error: unknown): boolean {
  if (error instanceof ApiServerError) return [400, 403, 404, 422].includes(error.status)
  return error instanceof OstiaryError && error.code === 'ERR_SESSION_KEY_INVALID'
}

function pathOf(namespace: string, name?: string): string {
  const secrets = `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets`
  return name === undefined ? secrets : `${secrets}/${encodeURIComponent(name)}`
}
