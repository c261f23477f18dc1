import type { DemoSettings } from './demo-settings.ts'

interface Suggestion {
  readonly title: string
  /** To paste into a shell, in this order. */
  readonly commands: readonly string[]
  readonly outcome: string
}

/** What the demo prints once everything runs. Commands are indented by four spaces, one a line. */
export function whatToTry(settings: DemoSettings, manifests: string): string {
  const parts = suggestions(settings).map(({ title, commands, outcome }, index) =>
    [`${index + 1}. ${title}`, ...commands.map((command) => `    ${command}`), `   ${outcome}`].join('\n'),
  )
  return `
Ostiary runs on http://localhost:${settings.httpPort}, with its metrics on http://localhost:${settings.adminPort}/metrics.
Its dashboard is http://localhost:${settings.dashboardPort}: what follows can be watched there, and explained.
The authorization server is http://localhost:${settings.authorizationServerPort}/oauth2/default.

${parts.join('\n\n')}

To see a change live, edit a file in ${manifests}
and save it: in upstream.yaml set \`ready: false\`, or in app.yaml remove the # before groupsRequired.

Ctrl-C stops everything.
`
}

function suggestions({ httpPort, authorizationServerPort }: DemoSettings): readonly Suggestion[] {
  const ostiary = `http://localhost:${httpPort}`
  const server = `http://localhost:${authorizationServerPort}/oauth2/default/v1`
  const client = '-u orders-service:orders-secret'
  return [
    {
      title: 'An open route',
      commands: [`curl -i ${ostiary}/public`],
      outcome: 'The upstream answers with the request as it got it.',
    },
    {
      title: 'Client credentials: id and secret go in, the upstream gets a token',
      commands: [`curl -i ${client} ${ostiary}/orders`],
      outcome: 'See Authorization and Issuer-Header in the answer. Without -u, or with a wrong secret: 401.',
    },
    {
      title: 'A bearer token',
      commands: [
        `TOKEN=$(curl -s ${client} -d grant_type=client_credentials -d scope=orders.read ${server}/token | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')`,
        `curl -i -H "Authorization: Bearer $TOKEN" ${ostiary}/orders`,
      ],
      outcome: 'Checked by its signature: the authorization server is not asked again.',
    },
    {
      title: 'Introspection: the authorization server is asked on every request',
      commands: [`curl -i -H "Authorization: Bearer $TOKEN" ${ostiary}/reports`],
      outcome: 'See X-Consumer-Username in the answer.',
    },
    {
      title: 'The same after a revocation',
      commands: [
        `curl -i ${client} -d token=$TOKEN ${server}/revoke`,
        `curl -i -H "Authorization: Bearer $TOKEN" ${ostiary}/reports`,
      ],
      outcome: '401 at once.',
    },
    {
      title: `Login: open ${ostiary}/app in a browser`,
      commands: [`curl -i ${ostiary}/app`],
      outcome: 'Sign in as alice@example.com or bob@example.com, with any password. curl is no browser: 401.',
    },
  ]
}
