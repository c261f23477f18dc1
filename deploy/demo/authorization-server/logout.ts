import type { Exchange, Reply } from './exchange.ts'
import { errorPage, page } from './pages.ts'
import { BASE_PATH, type RunningState } from './server-state.ts'

/**
 * RP-initiated logout by redirect, as Okta does it: the hint is required (an expired but genuine ID token is fine),
 * the return address must be registered, and there is no question in between. Tokens stay valid.
 */
export async function logout(state: RunningState, exchange: Exchange): Promise<Reply> {
  const parameters = exchange.request.method === 'POST' ? exchange.form : exchange.url.searchParams
  const hint = parameters.get('id_token_hint')
  const payload = hint === null ? undefined : await state.keys.verify(hint)
  const client = state.registry.client(String(payload?.['aud']))
  if (!payload || !client) {
    return errorPage(400, 'invalid_request', "The 'id_token_hint' parameter is missing or invalid.")
  }
  const returnTo = parameters.get('post_logout_redirect_uri')
  if (returnTo !== null && !client.postLogoutRedirectUris?.includes(returnTo)) {
    return errorPage(400, 'invalid_request', "The 'post_logout_redirect_uri' is not registered.")
  }
  await endSession(state, exchange, String(payload['sub']))
  if (returnTo === null) return page(200, 'Signed out', '<p>You have signed out.</p>')
  const location = new URL(returnTo)
  const appState = parameters.get('state')
  if (appState !== null) location.searchParams.set('state', appState)
  return { status: 302, headers: { Location: location.href } }
}

async function endSession(
  state: RunningState,
  { request, response }: Exchange,
  userId: string,
): Promise<void> {
  const context = state.provider.createContext(request, response)
  const session = await state.provider.Session.get(context)
  if (session.accountId !== userId) return
  await session.destroy()
  context.cookies.set(state.provider.cookieName('session'), null, { path: BASE_PATH })
}
