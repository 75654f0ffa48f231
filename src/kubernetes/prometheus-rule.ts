/** PrometheusRule (monitoring.coreos.com/v1), the fields we use. */
import { customResource } from "./custom-resource.ts";

export interface Alert {
  /** Also the name of its runbook. */
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: { readonly severity: "critical" | "warning" };
  readonly annotations: { readonly summary: string; readonly description: string };
}

export interface PrometheusRuleSpec {
  /** Group names are unique: the CRD treats them as a key. */
  readonly groups: readonly { readonly name: string; readonly interval: string; readonly rules: readonly Alert[] }[];
}

export const prometheusRule = customResource<PrometheusRuleSpec>({
  apiVersion: "monitoring.coreos.com/v1",
  kind: "PrometheusRule",
});
