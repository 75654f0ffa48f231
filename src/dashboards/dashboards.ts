/** Every dashboard of an environment, in the order in which they are opened. */
import type { Dashboard } from "../grafana/dashboard.ts";
import type { Model } from "../model/resolve.ts";
import { jetstreamDashboard } from "../nats/dashboards/jetstream.ts";
import { natsDashboard } from "../nats/dashboards/servers.ts";
import { tile38Dashboard } from "../tile38/dashboards/servers.ts";
import { overviewDashboard } from "./overview.ts";

export const dashboards = (model: Model): Dashboard[] => [
  overviewDashboard(model),
  natsDashboard(model),
  jetstreamDashboard(model),
  tile38Dashboard(model),
];
