import { assertNever } from '../assert-never.ts'
import type { HeaderList, OwnPage } from '../auth/decision.ts'
import { escapeHtml } from '../escape-html.ts'
import { htmlResponse, type HtmlPage } from './html.ts'
import type { ProblemResponse } from './problem.ts'

/** A page of ours that refuses nothing. */
export function ownPage(status: number, page: OwnPage, headers: HeaderList): ProblemResponse {
  return htmlResponse(status, describe(page), headers)
}

function describe(page: OwnPage): HtmlPage {
  switch (page.name) {
    case 'continue':
      return {
        title: 'You are signed in',
        // An address without quotes around it ends where the attribute does.
        head: `<meta http-equiv="refresh" content="0; url=${escapeHtml(page.location)}">\n`,
        main: `<p><a href="${escapeHtml(page.location)}">Continue</a></p>\n`,
      }
    case 'confirm_sign_out':
      return {
        title: 'Sign out?',
        main: `${who(page.who)}<form method="post" action="${escapeHtml(page.action)}"><button>Sign out</button></form>\n`,
        hasForm: true,
      }
    case 'signed_out':
      return {
        title: 'You are signed out',
        main: `<p>Close the browser if others use it too: other sites may still know you.</p>\n${signIn(page.signIn)}`,
      }
    default:
      return assertNever(page)
  }
}

function who(name: string | undefined): string {
  return name === undefined ? '' : `<dl>\n<dt>Signed in as</dt><dd>${escapeHtml(name)}</dd>\n</dl>\n`
}

function signIn(path: string | undefined): string {
  return path === undefined ? '' : `<p><a href="${escapeHtml(path)}">Sign in again</a></p>\n`
}
