export const CALLBACK_PATH = '/oauth2/callback'

/** Says whether a credential is good. */
export const CHECK_PATH = '/oauth2/auth'

/** The paths that belong to Ostiary on a host with a login policy. */
const RESERVED_PATHS = new Set([
  '/oauth2/start',
  CALLBACK_PATH,
  '/oauth2/sign_out',
  '/oauth2/userinfo',
  CHECK_PATH,
  '/oauth2/backchannel_logout',
])

/** @param path in normal form */
export function isReservedPath(path: string): boolean {
  return path.startsWith('/oauth2/') && RESERVED_PATHS.has(path)
}
