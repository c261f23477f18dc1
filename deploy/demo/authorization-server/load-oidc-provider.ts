import type * as oidcProvider from 'oidc-provider'

type OidcProviderModule = typeof oidcProvider

const NOTICE = 'oidc-provider WARNING: Unsupported runtime.'

/**
 * Imports oidc-provider without its notice that a Node release not yet labelled long-term support is unsupported.
 * Everything else written meanwhile passes through.
 */
export async function loadOidcProvider(): Promise<OidcProviderModule> {
  const warn = console.warn
  console.warn = (...values: unknown[]) => {
    if (!String(values[0]).includes(NOTICE)) warn(...values)
  }
  try {
    return await import('oidc-provider')
  } finally {
    console.warn = warn
  }
}
