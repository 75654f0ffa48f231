/**
 * Rules in time-lapse: every duration is a thirtieth of what it is in dist, so that half a minute, the interval of scrapes and
 * rules, becomes a second. Groups, `for`, ranges and offsets all shrink alike, so their proportions stay. Nothing else is
 * touched: thresholds are those of dist, also the silence that NatsSourceStalled compares nanoseconds with.
 */
import { parser } from "@prometheus-io/lezer-promql";
import type { Alert, Recording, RuleGroup } from "../../src/kubernetes/prometheus-rule.ts";

const FACTOR = 30;
const SECONDS = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

export const inTimeLapse = (groups: readonly RuleGroup[]): RuleGroup[] =>
  groups.map((group) => ({
    ...group,
    interval: shortened(group.interval),
    rules: group.rules.map((rule): Recording | Alert => ({
      ...rule,
      expr: shortenedIn(rule.expr),
      ...("for" in rule ? { for: shortened(rule.for) } : {}),
    })),
  }));

/** "10m" -> "20000ms". @throws for what is no duration of one unit */
export function shortened(duration: string): string {
  const [, amount = "", unit = ""] = /^(\d+)([smhd])$/.exec(duration) ?? [];
  const seconds = SECONDS[unit as keyof typeof SECONDS];
  if (!seconds) throw new Error(`"${duration}" is no duration such as "10m"`);
  return `${Math.round((Number(amount) * seconds * 1_000) / FACTOR)}ms`;
}

/** Ranges and offsets of an expression. */
export function shortenedIn(expr: string): string {
  let text = "";
  let copied = 0;
  parser.parse(expr).iterate({
    enter({ type, from, to }) {
      if (type.name !== "NumberDurationLiteralInDurationContext") return;
      text += expr.slice(copied, from) + shortened(expr.slice(from, to));
      copied = to;
    },
  });
  return text + expr.slice(copied);
}
