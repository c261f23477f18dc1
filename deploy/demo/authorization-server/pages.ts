import type { Reply } from './exchange.ts'

const STYLE = `
  body { font: 1rem/1.5 system-ui, sans-serif; color: #1d1d21; background: #f4f4f4; margin: 0; }
  main { max-width: 22rem; margin: 12vh auto 0; padding: 2rem; background: #fff; border: 1px solid #d8d8d8; }
  h1 { font-size: 1.4rem; margin: 0 0 1rem; }
  label { display: block; margin-top: 1rem; font-weight: 600; }
  input { box-sizing: border-box; width: 100%; padding: .6rem; font: inherit; border: 1px solid #8c8c96; }
  button { width: 100%; margin-top: 1.5rem; padding: .7rem; font: inherit; font-weight: 600; color: #fff;
    background: #1662dd; border: 0; cursor: pointer; }
  .error { padding: .6rem; border-left: 4px solid #da372c; background: #fdf0ef; }
  .hint { margin-top: 1.5rem; color: #5c5c66; font-size: .9rem; }`

/** A page without scripts. `body` is HTML. */
export function page(status: number, title: string, body: string): Reply {
  return {
    status,
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    },
    body: `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title><style>${STYLE}</style></head>
<body><main><h1>${escapeHtml(title)}</h1>
${body}
</main></body></html>
`,
  }
}

/** The page for a request that cannot be sent back to an application. */
export function errorPage(status: number, error: string, description: string): Reply {
  const text = `<p class="error">${escapeHtml(description)}</p><p class="hint">Error: ${escapeHtml(error)}</p>`
  return page(status, 'This request cannot be answered', text)
}

export function signInPage(logins: readonly string[], refused: boolean): Reply {
  const options = logins.map((login) => `<option value="${escapeHtml(login)}">`).join('')
  const hint = logins.map((login) => `<strong>${escapeHtml(login)}</strong>`).join(' or ')
  return page(
    refused ? 401 : 200,
    'Sign in',
    `${refused ? '<p class="error" role="alert">Unable to sign in. Check the user name, and type any password.</p>' : ''}
<form method="post">
<label for="username">User name</label>
<input id="username" name="username" autocomplete="username" list="users" required autofocus>
<datalist id="users">${options}</datalist>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<button type="submit">Sign in</button>
</form>
<p class="hint">Sign in as ${hint}, with any password.</p>`,
  )
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
