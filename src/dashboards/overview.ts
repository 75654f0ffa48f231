/** The dashboard to open first: is it the backbone, which part, and since when? */
import { chosen, type Dashboard, type Panel } from "../grafana/dashboard.ts";
import type { Model } from "../model/resolve.ts";
import { CONSUMER_LEADER, deadLetterStreams, hasRules, storedBy } from "../nats/dashboards/series.ts";
import { deadLetters, leaderless, nearestLimits, refusedLogins, servers, volumes } from "../nats/dashboards/shared.ts";
import { commandRate, leaders, level } from "../tile38/dashboards/servers.ts";

export function overviewDashboard(model: Model): Dashboard {
  const { nats, tile38 } = model.environment;
  return {
    name: "overview",
    title: "overview",
    description:
      "Open this one first: it says whether it is the backbone at all, and which of the others to open next.",
    series: "nats_varz_connections",
    variables: [],
    rows: [
      {
        title: "Is it us?",
        panels: [
          ...(hasRules(model) ? [calling(model)] : []),
          servers(model),
          ...(nats.servers > 1 ? [leaderless(model)] : []),
          leaders(model),
          ...(tile38.followers.count > 0 ? [level(model)] : []),
          ...(deadLetterStreams(model) === "" ? [] : [deadLetters(model)]),
          ...refusedLogins(model),
        ],
      },
      ...(hasRules(model)
        ? [{ title: "What is wrong, and what comes next?", panels: [alerts(model), nearestLimits(model)] }]
        : []),
      { title: "Does work go on?", panels: [stored, backlog, commandRate] },
      { title: "Is there room?", panels: [volumes(model)] },
    ],
  };
}

/** Alerts of this environment's backbone, by the names that all of them begin with: one Prometheus may see several environments. */
const ours = ({ environment }: Model, ...matchers: readonly string[]): string =>
  `ALERTS{${[`environment="${environment.name}"`, 'alertname=~"(Nats|Tile38|Secret).+"', ...matchers].join(",")}}`;

const calling = (model: Model): Panel => ({
  kind: "stat",
  title: "How many alerts call?",
  description: "Firing now. The table below names them; each has a runbook under docs/runbooks.",
  unit: "short",
  queries: [{ expr: `count(${ours(model, 'alertstate="firing"')}) or vector(0)`, legend: "alerts" }],
  limits: [{ alert: "any of them", bad: "above", value: 0, severity: "critical" }],
});

const alerts = (model: Model): Panel => ({
  kind: "table",
  title: "Which alerts call or are about to?",
  description: "Pending ones have not lasted long enough yet. Empty is good.",
  unit: "short",
  queries: [{ expr: `max by (alertname, severity, alertstate) (${ours(model)})`, legend: "" }],
});

const stored: Panel = {
  kind: "series",
  title: "How much is published?",
  description:
    "Messages stored a second, by stream. All at once less: clients cannot connect. One less: its publisher.",
  unit: "cps",
  queries: [{ expr: storedBy(), legend: "{{stream_name}}" }],
};

const backlog: Panel = {
  kind: "series",
  title: "How much waits to be handled?",
  description:
    "Messages not yet delivered. Growing: the service that reads there is slower than what comes in, or away.",
  unit: "short",
  queries: [
    {
      expr: `max by (stream_name, consumer_name) (${chosen("nats_consumer_num_pending", CONSUMER_LEADER)})`,
      legend: "{{stream_name}}/{{consumer_name}}",
    },
  ],
};
