import type { ClientLimits } from '../proxy/client-limits.ts'
import type { Settings } from '../settings/settings.ts'

/** The settings of `ostiary run` that say what clients may take. */
export function clientLimitsOf(settings: Settings): ClientLimits {
  return {
    maxHeaderBytes: settings.maxHeaderBytes,
    maxHeaderCount: settings.maxHeaderCount,
    maxUrlBytes: settings.maxUrlBytes,
    headerTimeoutMs: settings.headerTimeout,
    bodyTimeoutMs: settings.bodyTimeout,
    keepAliveMs: settings.keepAliveTimeout,
    maxConnections: settings.maxConnections,
    maxRequests: settings.maxRequests,
  }
}
