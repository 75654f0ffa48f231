/** A dashboard as data: questions, what answers them, and where an answer is bad. `json.ts` writes it as Grafana takes it. */
import type { Limit } from "./limit.ts";

/** Grafana's ids of units. Every panel has one: a bare number is read wrong at night. */
export type Unit = "bytes" | "cps" | "dateTimeFromNow" | "ops" | "percent" | "percentunit" | "s" | "short";

export interface Query {
  /** PromQL; `$namespace` and the dashboard's own variables are filled in by Grafana. */
  readonly expr: string;
  /** What a line is called: `{{pod}}`. */
  readonly legend: string;
}

export interface Panel {
  /** stat: one number now. series: lines over time. table: one row a series, its labels as columns. */
  readonly kind: "stat" | "series" | "table";
  /** The question that it answers. */
  readonly title: string;
  /** What a bad answer means and where to look next. */
  readonly description: string;
  readonly unit: Unit;
  readonly queries: readonly Query[];
  /** Whether values below 0 say something; others begin at 0, so that small changes look small. @default false */
  readonly belowZero?: boolean;
  /** Where the answer is bad: those of the alerts, so that a panel turns red when one of them calls. */
  readonly limits?: readonly Limit[];
}

export interface Row {
  readonly title: string;
  /** Side by side, equally wide. */
  readonly panels: readonly Panel[];
}

/** A choice at the top of the dashboard; `All` is one of its values. */
export interface Variable {
  readonly name: string;
  readonly label: string;
  /** Series and the label whose values are offered. */
  readonly series: string;
  readonly valuesOf: string;
}

export interface Dashboard {
  /** Its ConfigMap is `dashboard-<name>`; also the end of its uid. */
  readonly name: string;
  readonly title: string;
  /** When to open it. */
  readonly description: string;
  /** A series that is there wherever this environment's servers are scraped: offers namespaces. */
  readonly series: string;
  readonly variables: readonly Variable[];
  readonly rows: readonly Row[];
}

/** Links to a dashboard keep working for as long as this stays; Grafana takes 40 characters. */
export const uidOf = ({ name }: Pick<Dashboard, "name">, environment: string): string => `circl-${environment}-${name}`;

/** Every series of `metric` in the chosen namespace, narrowed by more matchers. */
export const chosen = (metric: string, ...matchers: readonly string[]): string =>
  `${metric}{${['namespace="$namespace"', ...matchers].join(",")}}`;

/** How fast a counter grows, a second. */
export const growth = (metric: string, ...matchers: readonly string[]): string =>
  `rate(${chosen(metric, ...matchers)}[$__rate_interval])`;
