export const CALLBACK_PATH = '/oauth2/callback'

/** The paths that belong to Ostiary on a host with a login policy. */
const RESERVED_PATHS = new Set([
  '/oauth2/start',
  CALLBACK_PATH,
  '/oauth2/sign_out',
  '/oauth2/userinfo',
  '/oauth2/auth',
  '/oauth2/backchannel_logout',
])

/** @param path in normal form */
export function isReservedPath(path: string): boolean {
  return path.startsWith('/oauth2/') && RESERVED_PATHS.has(path)
}
