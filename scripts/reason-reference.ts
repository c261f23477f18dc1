import { REASONS } from '../src/table/reasons.ts'
import { markdownTable } from './markdown-table.ts'

const CONDITIONS = `
| condition      | \`True\` means                                                                                       |
| -------------- | -------------------------------------------------------------------------------------------------- |
| \`Accepted\`     | The object is valid, and what guards a route with it can be resolved.                              |
| \`ResolvedRefs\` | The Secrets, Consumers and other objects that it names are there and may be used.                  |
| \`Programmed\`   | Every proxy thread of the leader runs on it. \`observedGeneration\` says of which edit this is true. |
| \`Warning\`      | It works, but something should be changed: a check that is off, an authorization server that fails. |
`.trim()

const HEADINGS = {
  closes: ['Routes are closed', 'Routes that this is about answer 503 and reach no upstream.'],
  tells: ['Something is left out, or should be changed', 'No route is closed by it.'],
  runtime: ['Found out while serving', 'In the condition `Warning` of an OIDCPlugin, and as an Event.'],
  condition: ['Of conditions', 'What conditions say where all is well, or where another one says why.'],
} as const

/** Every reason that a condition, an Event or a diagnostic can have, as Markdown. */
export function reasonReference(): string {
  const sections = Object.entries(HEADINGS).flatMap(([effect, [title, text]]) => {
    const rows = Object.entries(REASONS)
      .filter(([, reason]) => reason.effect === effect)
      .map(([name, { meaning, action }]) => [`\`${name}\``, meaning, action])
    return [`## ${title}`, text, markdownTable(['reason', 'meaning', 'what to do'], rows)]
  })
  return [
    '# Status and Events',
    '<!-- Generated from src/table/reasons.ts by `npm run generate`; do not edit. -->',
    'The words that `kubectl describe`, `kubectl get oidcplugins`, `ostiary check` and the log use. They are stable. On a cluster the leader writes them: conditions on OIDCPlugins and Consumers, addresses and Events on Ingresses. A repeated Event counts up in place of a new one.',
    '## Conditions',
    CONDITIONS,
    ...sections,
    '',
  ].join('\n\n')
}
