import type { Report, Row } from '../test/bench/report.ts'
import { markdownTable } from './markdown-table.ts'

/** The groups of the charts: what is compared with what. */
const CHARTS: readonly (readonly [title: string, scenarios: readonly string[]])[] = [
  [
    'A token that was seen before',
    [
      'bearer, token seen before',
      'session cookie',
      'introspection, cached',
      'Envoy jwt_authn with its cache',
      'Apache mod_oauth2',
      'nginx + oauth2-proxy',
    ],
  ],
  [
    'A token that was never seen',
    ['bearer, token never seen', 'HAProxy jwt_verify', 'Envoy jwt_authn without cache'],
  ],
  [
    'Without a guard',
    [
      'no plugin',
      'bare forwarder (the floor)',
      'nginx, no guard',
      'HAProxy, no guard',
      'Envoy, no guard',
      'Apache, no guard',
    ],
  ],
]

const METHOD = `
## Method

\`npm run bench\` starts an upstream, a load generator, a bare forwarder (node:http in front, undici behind, no rules: the
least that a Node proxy can do), Ostiary with one proxy thread, built as for the image, and each peer that is on the machine,
on one core each. The scenarios take turns in rounds; every figure is the median of its rounds. CPU is what the kernel counts
for all processes of the contestant, user and system, divided by the requests that were answered 200; any other answer ends
the run. A peer that lets a request without a token through is refused as a contestant. Metrics are on, access logs off,
everywhere but in rows that name them. A cookie that an answer sets anew, as a session's is once a minute, is sent from then on, as browsers do.

CPU of a request is the figure that a cluster pays for, and the one that a busy machine disturbs least. "× floor" is the
ratio to the bare forwarder in the same run: it is what \`npm run bench\` compares with the run on this page.

HAProxy verifies with one key from a file and knows no key sets; it keeps nothing it verified. Envoy's cache and Ostiary's
know a token by its bytes. oauth2-proxy verifies every token anew, in a second process.

Run it yourself: \`npm run bench\`, with \`ENVOY\`, \`OAUTH2_PROXY\`, \`NGINX\`, \`HAPROXY\` and \`APACHE\` naming programs that are not
on the PATH; \`npm run bench -- steadiness\` for routes, threads, idle connections and a soak; \`npm run bench -- control-plane\`
for the time from a change to its being live.
`.trim()

/** \`docs/performance.md\` from the committed run. */
export function performancePage(json: string): string {
  const report = JSON.parse(json) as Report
  const { machine, connections, rounds, rows } = report
  return [
    '# Performance',
    '<!-- Generated from docs/performance.json by `npm run generate`; do not edit. -->',
    `CPU of one request, and what else was measured in the same run, on ${machine}; ${connections} connections, ${rounds} rounds.`,
    markdownTable(
      ['scenario', 'CPU µs', '× floor', 'requests/s', 'p50 ms', 'p99 ms', 'memory MiB'],
      rows.map((row) => Object.values(cells(row))),
    ),
    ...recordings(rows),
    ...CHARTS.flatMap(([title, scenarios]) => chart(title, scenarios, rows)),
    METHOD,
    '',
  ].join('\n\n')
}

function cells(row: Row): Record<Exclude<keyof Row, 'addedMicros'>, string> {
  return {
    scenario: row.scenario,
    cpuMicrosPerRequest: String(row.cpuMicrosPerRequest),
    timesFloor: row.timesFloor.toFixed(2),
    requestsPerSecond: String(row.requestsPerSecond),
    p50Ms: String(row.p50Ms),
    p99Ms: String(row.p99Ms),
    memoryMiB: String(row.memoryMiB),
  }
}

/** What is written of requests, apart from all else. */
function recordings(rows: readonly Row[]): string[] {
  const found = rows.filter(({ addedMicros }) => addedMicros !== undefined)
  if (found.length === 0) return []
  const table = markdownTable(
    ['scenario', 'CPU µs more'],
    found.map(({ scenario, addedMicros }) => [scenario, String(addedMicros)]),
  )
  return ['## Access log and traces', 'Each beside the same scenario without it:', table]
}

/** Drawn by the reader's Markdown viewer. Rows that the run lacks are left out. */
function chart(title: string, scenarios: readonly string[], rows: readonly Row[]): string[] {
  const found = scenarios.flatMap((name) => rows.find(({ scenario }) => scenario === name) ?? [])
  if (found.length === 0) return []
  const lines = [
    'xychart-beta horizontal',
    `    title "CPU µs of one request: ${title}"`,
    `    x-axis [${found.map(({ scenario }) => JSON.stringify(scenario)).join(', ')}]`,
    '    y-axis "µs"',
    `    bar [${found.map(({ cpuMicrosPerRequest }) => cpuMicrosPerRequest).join(', ')}]`,
  ]
  return [`## ${title}`, `\`\`\`mermaid\n${lines.join('\n')}\n\`\`\``]
}
