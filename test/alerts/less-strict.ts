/** Alerts that are a notch less strict than ours: each must fire just beside what ours fires at, or nothing holds ours to its limits. */
import { parser } from "@prometheus-io/lezer-promql";
import type { Alert } from "../../src/kubernetes/prometheus-rule.ts";
import { secondsOf } from "./scenario.ts";

type SyntaxNode = ReturnType<typeof parser.parse>["topNode"];

/** What a part of an expression becomes, wherever it stands. */
type Edit = readonly [part: string, instead: string];

/**
 * One for each way in which `alert` could be careless, named "NatsDown 1", "NatsDown 2" and so on: it waits an evaluation less,
 * begins a twentieth earlier at one of its limits, or has lost one of its conditions.
 */
export function lessStrict(alert: Alert, step: "30s" | "5m"): Alert[] {
  const sooner = { ...alert, for: `${secondsOf(alert.for) - secondsOf(step)}s` };
  const text = ({ from, to }: SyntaxNode) => alert.expr.slice(from, to);
  const looser = editsOf(parser.parse(alert.expr).topNode.firstChild, text).map(([part, instead]) => ({
    ...alert,
    expr: alert.expr.replaceAll(part, () => instead),
  }));
  return [sooner, ...looser].map((changed, i) => ({ ...changed, alert: `${alert.alert} ${i + 1}` }));
}

/** Only where less of a condition means more alerts: not behind `unless`, nor in what must be small. */
function editsOf(node: SyntaxNode | null, text: (node: SyntaxNode) => string): Edit[] {
  if (!node) return [];
  if (node.name === "ParenExpr") return editsOf(node.firstChild, text);
  if (node.name === "AggregateExpr") return editsOf(node.getChild("FunctionCallBody")?.firstChild ?? null, text);
  if (node.name === "OffsetExpr" && node.firstChild?.name === "BinaryExpr")
    throw new Error(`lezer-promql takes this offset for that of all before it; put it in parentheses: ${text(node)}`);
  if (node.name !== "BinaryExpr") return [];
  const { firstChild: left, lastChild: right } = node;
  const operator = left?.nextSibling;
  if (!left || !right || !operator) return [];
  const whole = text(node);
  const dropped: Edit = [whole, text(left)];
  const limit = text(right);
  const before = whole.slice(0, whole.length - limit.length);
  const moved = (factor: number): Edit => [
    whole,
    limit === "0" ? before.replace(/ $/, "= ") + limit : `${before}${factor} * (${limit})`,
  ];
  switch (operator.name) {
    case "Or":
      return [...editsOf(left, text), ...editsOf(right, text)];
    case "And":
      return [dropped, ...editsOf(left, text), ...editsOf(right, text)];
    case "Unless":
    case "Eql":
    case "Neq":
      return [dropped, ...editsOf(left, text)];
    case "Gtr":
      // Nobody counts 0 of something: a count above it is there or not.
      return [...(limit === "0" && left.name === "AggregateExpr" ? [] : [moved(0.95)]), ...editsOf(left, text)];
    case "Lss":
      return [moved(1.05)];
    default:
      return [];
  }
}
