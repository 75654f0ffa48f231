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
  /** The first evaluation at which it fires. @default its `for`: what is broken here is broken from the beginning */
  readonly from?: string;
  /** Of the alert, without its severity. */
  readonly labels?: Readonly<Record<string, string>>;
  /** The whole line, as people get it. */
  readonly summary: string;
  /** What else fires, and is inhibited by this one or the other way round (docs/alerts.md). */
  readonly also?: readonly string[];
}

export interface NearMiss extends Scenario {
  /** What fires of others. @default nothing */
  readonly also?: readonly string[];
}

export interface AlertCase {
  /** Time between samples, for what takes long. @default "30s" */
  readonly step?: "30s" | "5m";
  readonly fires: Firing | readonly Firing[];
  /** Just beside it, at most a twentieth from its limit or one condition short: at no time until `at` does it fire. */
  readonly quiet: NearMiss | readonly NearMiss[];
}

export type AlertCases = Readonly<Record<string, AlertCase>>;

/** The tests of a case: it fires, not an evaluation too early, with these words and nothing unsaid beside it; and not just beside it. */
export function testsOf(
  alert: Alert,
  healthy: Series,
  { fires, quiet, step = "30s" }: AlertCase,
): readonly PromtoolTest[] {
  const { description, runbook_url } = alert.annotations;
  const firing = [fires].flat().map(({ labels, summary, also = [], from = alert.for, ...scenario }: Firing) => ({
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
    promql_expr_test: [
      firedUntil(before(from, step), [], alert.alert),
      firedUntil(from, [alert.alert], alert.alert),
      firingAre(scenario.at, [alert.alert, ...also]),
    ],
  }));
  const beside = [quiet].flat().map(({ also = [], ...scenario }: NearMiss) => ({
    ...over(healthy, scenario, step),
    promql_expr_test: [firedUntil(scenario.at, also)],
  }));
  return [...firing, ...beside];
}

/** Who else may be in the same Prometheus: another environment, another kind of server with pods of its own beside ours, another account. */
const STRANGERS: readonly ((series: string) => string)[] = [
  (series) => series.replaceAll('namespace="', 'namespace="elsewhere-'),
  (series) =>
    series.includes('job="') ? series.replace('job="', 'job="other-').replace(/(?<=pod="[^"]+)(?=")/, "7") : series,
  (series) => series.replace('account_name="', 'account_name="OTHER_'),
];

const strangersLike = (own: PromtoolTest["input_series"]): PromtoolTest["input_series"] =>
  STRANGERS.flatMap((other) =>
    own.flatMap(({ series, values }) => (other(series) === series ? [] : [{ series: other(series), values }])),
  );

/** A scenario, and everybody else is well: they must not make up for what is missing here. */
function amongStrangers(healthy: Series, scenario: Scenario, step: "30s" | "5m") {
  const own = over(healthy, scenario, step);
  const well = over(healthy, { at: scenario.at }, step).input_series;
  return { ...own, input_series: [...own.input_series, ...strangersLike(well)] };
}

/** What makes it fire happens to everybody else, and not here: that is none of its business. */
const strangersBroken = (healthy: Series, { fires, step = "30s" }: AlertCase): readonly PromtoolTest[] =>
  [fires].flat().map((scenario) => {
    const own = over(healthy, { at: scenario.at }, step);
    const theirs = strangersLike(over(healthy, scenario, step).input_series);
    return {
      ...own,
      input_series: [...own.input_series, ...theirs],
      promql_expr_test: [firedUntil(scenario.at, [])],
    };
  });

/** What each of a case fires at, beside healthy strangers. It says that nothing may fire: who is not complained of is deaf. */
export const firings = (healthy: Series, { fires, step = "30s" }: AlertCase): readonly PromtoolTest[] =>
  [fires].flat().map((scenario) => ({
    ...amongStrangers(healthy, scenario, step),
    promql_expr_test: [firedUntil(scenario.at, [])],
  }));

/** What a case holds to be too little: near-misses, and what breaks until an evaluation before it fires. Here nothing may fire at all. */
export const nearMisses = (
  alert: Alert,
  healthy: Series,
  { fires, quiet, step = "30s" }: AlertCase,
): readonly PromtoolTest[] => [
  ...[
    ...[fires].flat().map(({ from = alert.for, ...scenario }: Firing) => ({ ...scenario, at: before(from, step) })),
    ...[quiet].flat(),
  ].map((scenario) => ({ ...over(healthy, scenario, step), promql_expr_test: [firedUntil(scenario.at, [])] })),
  ...strangersBroken(healthy, { fires, quiet, step }),
];

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

/** Whatever fired at any time from the beginning, of all alerts or of one. */
const firedUntil = (at: string, names: readonly string[], alertname = ".+") => ({
  ...firingAre(at, names),
  expr: `group by (alertname) (last_over_time(ALERTS{alertstate="firing",alertname=~"${alertname}"}[${secondsOf(at) + 1}s]))`,
});

const before = (at: string, step: "30s" | "5m"): string => `${secondsOf(at) - secondsOf(step)}s`;

function over(healthy: Series, { at, set = [], drop = [], add = {} }: Scenario, step: "30s" | "5m"): PromtoolTest {
  const steps = Math.ceil(secondsOf(at) / secondsOf(step)) + 1;
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

/** "90s", "12m" or "27h". */
export function secondsOf(text: string): number {
  const [, amount = "", unit] = /^(\d+)([smh])$/.exec(text) ?? [];
  if (!unit) throw new Error(`"${text}" is no time such as "90s", "12m" or "27h"`);
  return Number(amount) * { s: 1, m: 60, h: 3_600 }[unit as "s" | "m" | "h"];
}
