import { markdownTable } from './markdown-table.ts'
import { metricCatalogue } from './metric-catalogue.ts'

/** Every metric with kind, labels and meaning, as Markdown. */
export async function metricReference(): Promise<string> {
  const groups = await metricCatalogue()
  const sections = groups.flatMap(({ title, metrics }) => [
    `## ${title}`,
    markdownTable(
      ['metric', 'kind', 'labels', 'meaning'],
      metrics.map(({ name, kind, labels, help }) => [`\`${name}\``, kind, labels.join(', '), `${help}.`]),
    ),
  ])
  return [
    '# Metrics',
    '<!-- Generated from src/observability by `npm run generate`; do not edit. -->',
    'At `/metrics` on port 10254, all threads of a pod added up, as text or OpenMetrics: what the Accept field prefers. Labels come from objects and closed sets, never from a request: no path, user or unknown host. Series end with the Ingress, plugin, issuer or certificate that they are of. Times are seconds, times of day seconds since 1970; a histogram has `_bucket`, `_sum` and `_count`.',
    "Beside these there are Node's own (`process_…`, `nodejs_…`), of the main thread: CPU, memory, event loop, garbage collection.",
    ...sections,
    '',
  ].join('\n\n')
}
