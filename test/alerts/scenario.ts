/** What happens to a healthy backbone, and which alert says so: turned into tests of promtool. */
import type { Alert } from "../../src/kubernetes/prometheus-rule.ts";
import type { PromtoolTest } from "../support/promtool.ts";
import type { Series } from "./healthy.ts";

/** Changes to healthy series. Each pattern must match something, or the scenario would prove nothing. */
export interface Scenario {
  /** When the alert is asked for, "12m". */
  readonly at: string;
  readonly set?: readonly (readonly [pattern: RegExp, values: string])[];
  readonly drop?: readonly RegExp[];
  readonly add?: Series;
}

export interface Firing extends Scenario {
  /** Of the alert, without its severity. */
  readonly labels?: Readonly<Record<string, string>>;
  /** The whole line, as people get it. */
  readonly summary: string;
  /** What else fires, and is inhibited by this one or the other way round (docs/alerts.md). */
  readonly also?: readonly string[];
}

export interface AlertCase {
  /** Time between samples, for what takes long. @default "30s" */
  readonly step?: "30s" | "5m";
  readonly fires: Firing | readonly Firing[];
  /** Just beside it: nothing may fire. */
  readonly quiet: Scenario;
}

export type AlertCases = Readonly<Record<string, AlertCase>>;

/** The tests of a case: it fires, with these words and nothing unsaid beside it; it does not. */
export function testsOf(
  alert: Alert,
  healthy: Series,
  { fires, quiet, step = "30s" }: AlertCase,
): readonly PromtoolTest[] {
  const { description, runbook_url } = alert.annotations;
  const firing = [fires].flat().map(({ labels, summary, also = [], ...scenario }: Firing) => ({
    ...over(healthy, scenario, step),
    alert_rule_test: [
      {
        eval_time: scenario.at,
        alertname: alert.alert,
        exp_alerts: [
          { exp_labels: { ...alert.labels, ...labels }, exp_annotations: { summary, description, runbook_url } },
        ],
      },
    ],
    promql_expr_test: [firingAre(scenario.at, [alert.alert, ...also])],
  }));
  return [...firing, { ...over(healthy, quiet, step), promql_expr_test: [firingAre(quiet.at, [])] }];
}

/** Nothing fires and nothing is pending, from the first minute to the last. */
export const quietFor = (healthy: Series, minutes: number): PromtoolTest => ({
  ...over(healthy, { at: `${minutes}m` }, "30s"),
  promql_expr_test: [{ expr: `count_over_time(ALERTS[${minutes}m])`, eval_time: `${minutes}m`, exp_samples: [] }],
});

const firingAre = (at: string, names: readonly string[]) => ({
  expr: 'group by (alertname) (ALERTS{alertstate="firing"})',
  eval_time: at,
  exp_samples: names.map((name) => ({ labels: `{alertname="${name}"}`, value: 1 })),
});

function over(healthy: Series, { at, set = [], drop = [], add = {} }: Scenario, step: "30s" | "5m"): PromtoolTest {
  const steps = Math.ceil(minutes(at) / (step === "5m" ? 5 : 0.5)) + 1;
  const names = Object.keys(healthy);
  for (const pattern of [...drop, ...set.map(([pattern]) => pattern)]) {
    if (!names.some((name) => pattern.test(name)))
      throw new Error(`${pattern} matches no series of a healthy backbone`);
  }
  const kept = Object.entries(healthy).filter(([name]) => !drop.some((pattern) => pattern.test(name)));
  const changed = kept.map(([name, values]) => [name, set.findLast(([pattern]) => pattern.test(name))?.[1] ?? values]);
  return {
    interval: step,
    input_series: [...changed, ...Object.entries(add)].map(([series = "", values = ""]) => ({
      series,
      values: expanded(values, steps),
    })),
  };
}

/** Constant and steadily growing values get as many steps as the test is long; `1x10 0x20` is taken as it is. */
const expanded = (values: string, steps: number): string => (/[x ]/.test(values) ? values : `${values}x${steps}`);

function minutes(text: string): number {
  const [, amount = "", unit] = /^(\d+)([mh])$/.exec(text) ?? [];
  if (!unit) throw new Error(`"${text}" is no time such as "12m" or "27h"`);
  return Number(amount) * (unit === "h" ? 60 : 1);
}
