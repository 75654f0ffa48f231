/** What an expression of PromQL reads, by Prometheus' own grammar. */
import { parser } from "@prometheus-io/lezer-promql";

type SyntaxNode = ReturnType<typeof parser.parse>["topNode"];

export interface Matcher {
  readonly label: string;
  readonly op: "=" | "!=" | "=~" | "!~";
  readonly value: string;
}

export interface Selector {
  readonly metric: string;
  readonly matchers: readonly Matcher[];
}

/** Metrics with their matchers, and the labels that `by`, `on` and the like name. @throws for what is no PromQL */
export function readsOf(expr: string): {
  readonly selectors: readonly Selector[];
  readonly grouping: readonly string[];
} {
  const text = ({ from, to }: { from: number; to: number }) => expr.slice(from, to);
  const selectors: Selector[] = [];
  const grouping = new Set<string>();
  parser.parse(expr).iterate({
    enter({ node, type }) {
      if (type.isError) throw new SyntaxError(`no PromQL at ${node.from}: ${expr}`);
      if (type.name === "VectorSelector") selectors.push(selectorOf(node, text));
      if (type.name === "GroupingLabels") {
        for (const label of node.getChildren("LabelName")) grouping.add(text(label));
      }
    },
  });
  return { selectors, grouping: [...grouping] };
}

function selectorOf(node: SyntaxNode, text: (node: SyntaxNode) => string): Selector {
  const name = node.getChild("Identifier");
  if (!name) throw new SyntaxError(`a selector without a metric: ${text(node)}`);
  const matchers = node.getChild("LabelMatchers")?.getChildren("UnquotedLabelMatcher") ?? [];
  return {
    metric: text(name),
    matchers: matchers.map((matcher) => {
      const [label, op, value] = ["LabelName", "MatchOp", "StringLiteral"].map((kind) => matcher.getChild(kind));
      if (!label || !op || !value) throw new SyntaxError(`no label matcher: ${text(matcher)}`);
      return { label: text(label), op: text(op) as Matcher["op"], value: JSON.parse(text(value)) };
    }),
  };
}
