/** Limits of panels, read off the alerts: said once, so that what is red and what calls never differ. */
import type { Alert, PrometheusRuleSpec } from "../kubernetes/prometheus-rule.ts";

export interface Limit {
  /** Alert whose limit this is. */
  readonly alert: string;
  /** from: the value itself is bad as well. */
  readonly bad: "above" | "below" | "from";
  readonly value: number;
  readonly severity: "critical" | "warning";
}

/** The comparison that an alternative ends with; what may follow is a condition (`and on`). Equality is no limit of a scale. */
const COMPARISON = /(<|>=|>)\s*(\d+(?:\.\d+)?(?:e[+-]?\d+)?)(?=$| and on \()/;
const BAD: Readonly<Record<string, Limit["bad"]>> = { "<": "below", ">": "above", ">=": "from" };

/**
 * Limits of the alerts named, for panels that show what these alerts compare: one each, or one at either end of a range.
 * @throws Error for an alert that does not exist or that ends with no comparison, since the panel would lose its limit unseen; and
 * for one that compares with several figures at the same end, since the panel would show that of another series
 */
export function limitsOf(alerts: readonly Alert[], ...names: readonly string[]): Limit[] {
  return names.flatMap((name) => {
    const { expr, labels } = alertNamed(alerts, name);
    const limits = new Map<string, Limit>();
    for (const alternative of expr.split(" or ")) {
      const [, operator = "", number = ""] = COMPARISON.exec(alternative) ?? [];
      const bad = BAD[operator];
      if (bad)
        limits.set(`${operator} ${number}`, { alert: name, bad, value: Number(number), severity: labels.severity });
    }
    if (limits.size === 0) throw new Error(`alert ${name} ends with no comparison that a panel can show: ${expr}`);
    const ends = new Set([...limits.values()].map(({ bad }) => bad === "below"));
    if (ends.size < limits.size) {
      const figures = [...limits.keys()].join(", ");
      throw new Error(
        `alert ${name} compares with several figures (${figures}), of which a panel can show none: ${expr}`,
      );
    }
    return [...limits.values()];
  });
}

/** The alerts among the rules of all groups. */
export const alertsIn = ({ groups }: PrometheusRuleSpec): Alert[] =>
  groups.flatMap(({ rules }) => rules.filter((rule): rule is Alert => "alert" in rule));

/**
 * A limit that the alert's expression does not end with: 1 where it calls when nothing is there, or where the panel shows
 * shares of what the alert compares with. @throws Error for an alert that does not exist
 */
export const limitAt = (alerts: readonly Alert[], name: string, bad: Limit["bad"], value: number): Limit => ({
  alert: name,
  bad,
  value,
  severity: alertNamed(alerts, name).labels.severity,
});

function alertNamed(alerts: readonly Alert[], name: string): Alert {
  const found = alerts.find(({ alert }) => alert === name);
  if (!found) throw new Error(`there is no alert ${name}`);
  return found;
}
