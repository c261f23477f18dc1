import type { RefusalReason } from '../auth/decision.ts'
import { escapeHtml } from '../escape-html.ts'
import { htmlResponse } from './html.ts'
import { statusPhrase, type ProblemOptions, type ProblemResponse } from './problem.ts'

/** What a page says beside its status. Nothing here may hold a credential. */
export interface PageOptions extends Omit<ProblemOptions, 'reason'> {
  readonly reason?: RefusalReason
  /** Name of the person or client that was recognised; absent: nobody was. */
  readonly who?: string
  /** Where the person can sign out to come back as somebody else. */
  readonly signOutPath?: string
}

const SIGN_IN_AGAIN = 'Open the page again from its start to sign in anew.'
const ASK_FOR_ACCESS = 'If you need this page, ask whoever runs it to give your account access.'

/** Why and what next, in words for the person at the browser. */
const EXPLANATIONS: Readonly<Record<RefusalReason, readonly [why: string, next: string]>> = {
  no_credential: ['You are not signed in.', SIGN_IN_AGAIN],
  invalid_token: ['Your sign-in could not be verified.', SIGN_IN_AGAIN],
  expired_token: ['Your sign-in has expired.', SIGN_IN_AGAIN],
  authentication_too_old: ['You signed in too long ago for this page.', SIGN_IN_AGAIN],
  wrong_issuer: ['Your sign-in comes from another authorization server than this page takes.', SIGN_IN_AGAIN],
  wrong_audience: ['Your sign-in was meant for another application.', SIGN_IN_AGAIN],
  unknown_key: ['Your sign-in could not be verified.', SIGN_IN_AGAIN],
  inactive_token: ['Your sign-in has ended.', SIGN_IN_AGAIN],
  invalid_client: ['The client is unknown or its secret is wrong.', 'Check the client and its secret.'],
  invalid_session: ['Your session has ended.', SIGN_IN_AGAIN],
  invalid_callback: [
    'This sign-in could not be completed: it is too old, was already used, or began in another browser.',
    'Go back to the page you wanted and sign in from there. Cookies have to be allowed for it.',
  ],
  insufficient_scope: ['Your sign-in lacks a scope that this page asks for.', ASK_FOR_ACCESS],
  missing_audience: ['Your sign-in was not issued for this page.', ASK_FOR_ACCESS],
  missing_group: ['You are not in a group that may open this page.', ASK_FOR_ACCESS],
  missing_role: ['You do not have a role that may open this page.', ASK_FOR_ACCESS],
  no_consumer: ['Your account is not registered for this page.', ASK_FOR_ACCESS],
  anonymous_consumer_not_found: ['This page is not set up completely.', 'Tell whoever runs it.'],
  group_denied: ['A group that you are in may not open this page.', ASK_FOR_ACCESS],
  cross_origin: ['Another site sent you here in a way that is not allowed.', 'Open the page directly.'],
  authorization_server_unavailable: ['Sign-in is not available at the moment.', 'Try again in a minute.'],
  session_store_unavailable: ['Sessions cannot be read at the moment.', 'Try again in a minute.'],
  too_large: [
    'Your sign-in does not fit into the cookies that a browser keeps.',
    'Tell whoever runs this page: your account has too many groups or claims for it.',
  ],
  invalid_request: ['The request could not be understood.', 'Go back to the page you wanted and try again.'],
  group_overage: [
    'You are in more groups than your sign-in can name, so none of them could be checked.',
    'Tell whoever runs this page: the authorization server has to send fewer groups.',
  ],
  server_refused: ['The authorization server refused to sign you in.', 'Try again, or ask whoever runs it.'],
  policy_missing: ['This page is not set up completely.', 'Tell whoever runs it.'],
  login_loop: [
    'You signed in several times within a minute, but the browser never came back with a session that is accepted.',
    'Allow cookies for this site. If they are allowed, tell whoever runs it.',
  ],
}

/**
 * A readable page for a refused navigation: why, who was recognised, what to do. All text is escaped, nothing is
 * loaded or run, nothing is cached.
 */
export function refusalPage(status: number, options: PageOptions = {}): ProblemResponse {
  const title = options.message ?? statusPhrase(status)
  return htmlResponse(status, { title, main: renderMain(status, options) }, options.headers ?? [])
}

function renderMain(status: number, options: PageOptions): string {
  const explanation = options.reason === undefined ? undefined : EXPLANATIONS[options.reason]
  const facts = [
    fact('Signed in as', options.who),
    fact('Reason', options.reason),
    fact('Status', `${status} ${statusPhrase(status)}`),
  ]
  return `${paragraph(explanation?.[0])}${paragraph(options.detail)}${paragraph(explanation?.[1])}<dl>
${facts.join('')}</dl>
${switchAccount(options.signOutPath)}`
}

function switchAccount(path: string | undefined): string {
  return path === undefined ? '' : `<p><a href="${escapeHtml(path)}">Switch account</a></p>\n`
}

function paragraph(text: string | undefined): string {
  return text === undefined ? '' : `<p>${escapeHtml(text)}</p>\n`
}

function fact(term: string, value: string | undefined): string {
  return value === undefined ? '' : `<dt>${escapeHtml(term)}</dt><dd>${escapeHtml(value)}</dd>\n`
}
