/** GrafanaDashboard of the Grafana operator (grafana.integreatly.org/v1beta1), the fields we use. */
import { customResource } from "./custom-resource.ts";

export interface GrafanaDashboardSpec {
  /** Immutable, like the match. */
  readonly instanceSelector: { readonly matchLabels: Readonly<Record<string, string>> };
  /** Grafana mostly lives in another namespace. */
  readonly allowCrossNamespaceImport: true;
  readonly folder: string;
  /** Go duration: how soon the operator mends what somebody changed by hand. */
  readonly resyncPeriod: string;
  readonly configMapRef: { readonly name: string; readonly key: string };
}

export const grafanaDashboard = customResource<GrafanaDashboardSpec>({
  apiVersion: "grafana.integreatly.org/v1beta1",
  kind: "GrafanaDashboard",
});
