import { send, type Exchange } from './exchange.ts'
import { errorPage, signInPage } from './pages.ts'
import { BASE_PATH, type RunningState } from './server-state.ts'

/** The sign-in page lies here, followed by the id of the authorization request that waits for it. */
export const SIGN_IN_PATH = `${BASE_PATH}/signin/`

/** Shows the sign-in form, or takes it: any password of an active user goes back to the authorization request. */
export async function signIn(state: RunningState, { request, response, form }: Exchange): Promise<void> {
  if (!(await waits(state, { request, response }))) {
    const advice = 'This sign-in has ended or was begun in another browser. Go back to the application.'
    send(response, errorPage(400, 'session_not_found', advice))
    return
  }
  if (request.method !== 'POST') {
    send(response, signInPage(state.registry.logins, false))
    return
  }
  const user = state.registry.activeUserByLogin(form.get('username')?.trim() ?? '')
  if (!user || !form.get('password')) {
    send(response, signInPage(state.registry.logins, true))
    return
  }
  const result = { login: { accountId: user.id, amr: ['pwd'] } }
  await state.provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false })
}

/** Whether this browser has an authorization request that waits: its cookie says so. */
async function waits(
  state: RunningState,
  { request, response }: Pick<Exchange, 'request' | 'response'>,
): Promise<boolean> {
  try {
    const interaction = await state.provider.interactionDetails(request, response)
    return request.url?.startsWith(SIGN_IN_PATH + interaction.uid) ?? false
  } catch {
    return false
  }
}
