import { parser } from '@prometheus-io/lezer-promql'

/** What a PromQL expression speaks of. */
export interface Query {
  /** Each selector of a metric with the labels that it matches. */
  readonly selectors: readonly Selector[]
  /** Labels that aggregations group by, beside `le`, which is for histograms. */
  readonly grouping: readonly string[]
}

export interface Selector {
  readonly metric: string
  readonly labels: readonly string[]
  /** Whether it is read over a range, as `rate` does. */
  readonly isRange: boolean
}

type SyntaxNode = ReturnType<typeof parser.parse>['topNode']

/**
 * Reads an expression with the grammar of Prometheus' own editor. Types are not checked: promtool does that.
 *
 * @throws {SyntaxError} Where it is not PromQL, with the place.
 */
export function readQuery(text: string): Query {
  const selectors: Selector[] = []
  const grouping: string[] = []
  parser.parse(text).iterate({
    enter({ type, from, node }) {
      if (type.isError) throw new SyntaxError(`not PromQL at ${from}: ${text}`)
      if (type.name === 'VectorSelector') selectors.push(selectorOf(node, text))
      if (type.name === 'GroupingLabels') grouping.push(...wordsOf(node, 'LabelName', text))
    },
  })
  return { selectors, grouping }
}

function selectorOf(node: SyntaxNode, text: string): Selector {
  const name = node.getChild('Identifier')
  const matchers = node.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? []
  return {
    metric: name === null ? '' : text.slice(name.from, name.to),
    labels: matchers.flatMap((matcher) => wordsOf(matcher, 'LabelName', text)),
    isRange: node.parent?.name === 'MatrixSelector',
  }
}

function wordsOf(node: SyntaxNode, kind: string, text: string): string[] {
  return node.getChildren(kind).map(({ from, to }) => text.slice(from, to))
}
