/** Alerts that are a notch less strict than ours: each must fire just beside what ours fires at, or nothing holds ours to its limits. */
import { parser } from "@prometheus-io/lezer-promql";
import type { Alert } from "../../src/kubernetes/prometheus-rule.ts";
import { readsOf } from "../support/promql.ts";
import { secondsOf } from "./scenario.ts";

type SyntaxNode = ReturnType<typeof parser.parse>["topNode"];

const JOINED = "it is compared with a recording of our namespace only";

/** Matchers without which an alert is no less strict, and why. */
const KEPT: Readonly<Record<string, { readonly matchers: RegExp; readonly why: string }>> = {
  NatsReloadFailed: { matchers: /^namespace=/, why: JOINED },
  NatsStreamReplicasMissing: { matchers: /^namespace=/, why: JOINED },
  Tile38FollowersMissing: { matchers: /^role=/, why: "a leader has no caught_up" },
  Tile38Slow: { matchers: /^quantile=/, why: "0.99 is the highest that it reports, and others are never above it" },
  Tile38MemoryFilling: { matchers: /^pod=/, why: "leader and followers of production have the same memory" },
};

/** What a part of an expression becomes, wherever it stands. */
type Edit = readonly [part: string, instead: string];

/**
 * One for each way in which `alert` could be careless, named "NatsDown 1", "NatsDown 2" and so on: it waits an evaluation less,
 * begins a twentieth earlier at one of its limits, or has lost one of its conditions or label matchers.
 */
export function lessStrict(alert: Alert, step: "30s" | "5m"): Alert[] {
  const sooner = { ...alert, for: `${secondsOf(alert.for) - secondsOf(step)}s` };
  const text = ({ from, to }: SyntaxNode) => alert.expr.slice(from, to);
  const looser = editsOf(parser.parse(alert.expr).topNode.firstChild, text).map(([part, instead]) => ({
    ...alert,
    expr: alert.expr.replaceAll(part, () => instead),
  }));
  return [sooner, ...looser, ...unselective(alert)].map((changed, i) => ({
    ...changed,
    alert: `${alert.alert} ${i + 1}`,
  }));
}

/** Without one of its label matchers, wherever it stands: it then hears of what is none of its business. */
function unselective(alert: Alert): Alert[] {
  const all = readsOf(alert.expr).selectors.flatMap(({ matchers }) =>
    matchers.map(({ label, op, value }) => `${label}${op}${JSON.stringify(value)}`),
  );
  const kept = KEPT[alert.alert]?.matchers;
  if (kept && !all.some((matcher) => kept.test(matcher))) throw new Error(`${alert.alert} has no matcher ${kept}`);
  return [...new Set(all)]
    .filter((matcher) => !kept?.test(matcher))
    .map((matcher) => ({
      ...alert,
      expr: alert.expr.replaceAll(`{${matcher},`, "{").replaceAll(`,${matcher}`, "").replaceAll(`{${matcher}}`, ""),
    }));
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
