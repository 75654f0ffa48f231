/** PrometheusRule (monitoring.coreos.com/v1), the fields we use. */
import type { Environment } from "../model/environment.ts";
import { customResource } from "./custom-resource.ts";

/** critical: somebody gets up for it. warning: somebody looks at it today. */
export type Severity = "critical" | "warning";

export interface Alert {
  /** Also the name of its runbook, `docs/runbooks/<alert>.md`. */
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  /** All environments have the same namespace: without its name an alert of one would silence those of another. */
  readonly labels: { readonly severity: Severity; readonly environment: string };
  readonly annotations: { readonly summary: string; readonly description: string; readonly runbook_url: string };
}

/** A series that alerts and dashboards share. Named `level:metric:operation`, where the level is what labels are left. */
export interface Recording {
  readonly record: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface RuleGroup {
  readonly name: string;
  readonly interval: string;
  readonly rules: readonly (Recording | Alert)[];
}

export interface PrometheusRuleSpec {
  /** Group names are unique: the CRD treats them as a key. */
  readonly groups: readonly RuleGroup[];
}

/** What an alert says, before it gets its runbook. */
export interface AlertInput {
  readonly name: string;
  readonly expr: string;
  /** How long `expr` must hold, "5m". */
  readonly for: string;
  readonly severity: Severity;
  /** One line with values. */
  readonly summary: string;
  readonly description: string;
}

/** Makes alerts of one environment: each links to its runbook where that environment's people read them. */
export const withRunbooks =
  ({ name: environment, monitoring }: Environment) =>
  ({ name, expr, for: holds, severity, summary, description }: AlertInput): Alert => ({
    alert: name,
    expr,
    for: holds,
    labels: { severity, environment },
    annotations: { summary, description, runbook_url: `${monitoring.runbooks}/${name}.md` },
  });

export const prometheusRule = customResource<PrometheusRuleSpec>({
  apiVersion: "monitoring.coreos.com/v1",
  kind: "PrometheusRule",
});
