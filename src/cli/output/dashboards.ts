/** Dashboards as text, JSON and Markdown. */
import { type Dashboard, type Panel, uidOf } from "../../grafana/dashboard.ts";
import type { Limit } from "../../grafana/limit.ts";
import { formatBytes, formatDuration, SECOND } from "../../units.ts";
import { paragraph } from "./paragraph.ts";
import type { Look } from "./terminal.ts";

/** The questions of every dashboard, with what they mean. */
export const renderDashboards = (
  dashboards: readonly Dashboard[],
  environment: string,
  { colours, width }: Look,
): string =>
  dashboards
    .flatMap((dashboard) => [
      `${colours.bold(dashboard.title)} (${uidOf(dashboard, environment)}): ${dashboard.description}`,
      ...dashboard.rows.flatMap(({ title, panels }) => [
        `  ${title}`,
        ...panels.flatMap((panel) => [
          paragraph("    ", panel.title, width),
          paragraph("      ", panel.description + calls(panel), width),
        ]),
      ]),
      "",
    ])
    .join("\n");

/** Without Grafana's layout: what is asked, of whom, and where the answer is bad. */
export const dashboardsJson = (dashboards: readonly Dashboard[], environment: string) => ({
  formatVersion: 1,
  dashboards: dashboards.map((dashboard) => ({ uid: uidOf(dashboard, environment), ...dashboard })),
});

/** The page docs/dashboards.md. */
export const dashboardsPage = (dashboards: readonly Dashboard[], environment: string): string =>
  `${[
    "<!-- Generated from src/dashboards, src/nats/dashboards and src/tile38/dashboards by `npm run docs`; edit those. -->",
    "# Dashboards",
    `What Grafana shows of \`${environment}\`; the other environments have the same, with limits of their own. A panel turns orange or red where the\nalert named calls.`,
    ...dashboards.flatMap((dashboard) => [
      `## Circl ${environment}: ${dashboard.title}`,
      `\`${uidOf(dashboard, environment)}\`. ${dashboard.description} Chosen at the top: ${chosenAtTheTop(dashboard)}.`,
      ...dashboard.rows.flatMap(({ title, panels }) => [
        `### ${title}`,
        ["| question | what the answer means | bad |", "|---|---|---|", ...panels.map(line)].join("\n"),
      ]),
    ]),
  ].join("\n\n")}\n`;

const chosenAtTheTop = ({ variables }: Dashboard): string =>
  ["Prometheus", "Namespace", ...variables.map(({ label }) => label)].join(", ");

const line = ({ title, description, ...panel }: Panel): string =>
  `| ${title} | ${description} | ${(panel.limits ?? []).map((limit) => bad(limit, panel.unit)).join("; ")} |`;

const calls = ({ limits = [], unit }: Panel): string =>
  limits.length > 0 ? ` Bad: ${limits.map((limit) => bad(limit, unit)).join("; ")}.` : "";

/** `below 15 % (NatsVolumeFilling, critical)` */
const bad = ({ alert, bad, value, severity }: Limit, unit: Panel["unit"]): string =>
  `${bad} ${amount(value, unit)} (${alert}, ${severity})`;

function amount(value: number, unit: Panel["unit"]): string {
  switch (unit) {
    case "bytes":
      return formatBytes(value);
    case "percentunit":
      return `${Number((value * 100).toFixed(2))} %`;
    case "s":
      return formatDuration(value * SECOND);
    default:
      return String(value);
  }
}
