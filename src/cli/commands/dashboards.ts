/** `circl dashboards`: what Grafana shows of an environment, panel by panel. */
import { dashboards } from "../../dashboards/dashboards.ts";
import { type ExitCode, exitCodes } from "../exit-codes.ts";
import { dashboardsJson, dashboardsPage, renderDashboards } from "../output/dashboards.ts";
import { lookOf, print, printJson } from "../output/terminal.ts";
import { soundModel } from "./plan.ts";

export interface DashboardsOptions {
  readonly json?: boolean;
  readonly format?: "text" | "markdown";
}

export async function run(name: string, { json, format }: DashboardsOptions): Promise<ExitCode> {
  const model = soundModel(name);
  if (!model) return exitCodes.problems;
  const all = dashboards(model);
  const { name: environment } = model.environment;
  if (json) printJson(dashboardsJson(all, environment));
  else if (format === "markdown") print(dashboardsPage(all, environment));
  else print(renderDashboards(all, environment, lookOf(process.stdout)));
  return exitCodes.done;
}
