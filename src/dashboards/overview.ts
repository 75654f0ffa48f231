/** The dashboard to open first: is it the backbone, which part, and since when? */
import { chosen, type Dashboard, type Panel } from "../grafana/dashboard.ts";
import type { Model } from "../model/resolve.ts";
import { CONSUMER_LEADER, deadLetterStreams, STREAM_LEADER, storedBy } from "../nats/dashboards/series.ts";
import { answering, leaderless, volumes } from "../nats/dashboards/servers.ts";
import { commandRate, leaders, level } from "../tile38/dashboards/servers.ts";

export const overviewDashboard = (model: Model): Dashboard => ({
  name: "overview",
  title: "overview",
  description: "Open this one first: it says whether it is the backbone at all, and which of the others to open next.",
  series: "nats_varz_connections",
  variables: [],
  rows: [
    {
      title: "Is it us?",
      panels: [
        calling,
        answering(model),
        ...(model.environment.nats.servers > 1 ? [leaderless(model)] : []),
        leaders(model),
        ...(model.environment.tile38.followers.count > 0 ? [level(model)] : []),
        ...(deadLetterStreams(model) === "" ? [] : [deadLetters(model)]),
      ],
    },
    { title: "What is wrong, and does work go on?", panels: [alerts, stored, backlog] },
    { title: "Where does it come from?", panels: [commandRate, lag, volumes(model)] },
  ],
});

/** Alerts of the backbone, by the names that all of them begin with. */
const OURS = 'alertname=~"(Circl|JetStream|Nats|Tile38).+"';

const calling: Panel = {
  kind: "stat",
  title: "How many alerts call?",
  description: "Firing now. The table below names them; each has a runbook under docs/runbooks.",
  unit: "short",
  queries: [{ expr: `count(ALERTS{${OURS},alertstate="firing"}) or vector(0)`, legend: "alerts" }],
};

const alerts: Panel = {
  kind: "table",
  title: "Which alerts call or are about to?",
  description: "Pending ones have not lasted long enough yet. Empty is good.",
  unit: "short",
  queries: [{ expr: `max by (alertname, severity, alertstate) (ALERTS{${OURS}})`, legend: "" }],
};

const deadLetters = (model: Model): Panel => ({
  kind: "stat",
  title: "How many dead letters lie there?",
  description: "Messages that a service could not handle three times.",
  unit: "short",
  queries: [
    {
      expr: `sum(${chosen("nats_stream_total_messages", `stream_name=~"${deadLetterStreams(model)}"`, STREAM_LEADER)})`,
      legend: "messages",
    },
  ],
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
  description: "Messages not yet delivered, by service's consumer. The service named last is the one to look at.",
  unit: "short",
  queries: [
    {
      expr: `max by (stream_name, consumer_name) (${chosen("nats_consumer_num_pending", CONSUMER_LEADER)})`,
      legend: "{{stream_name}}/{{consumer_name}}",
    },
  ],
};

const lag: Panel = {
  kind: "series",
  title: "How old is the last word of copied streams?",
  description: "Time since a copy heard of its origin. Growing steadily: the copy has stalled.",
  unit: "ns",
  queries: [
    {
      expr: `max by (stream_name, source_name) (${chosen("nats_stream_source_active_duration_ns", STREAM_LEADER)})`,
      legend: "{{stream_name}} from {{source_name}}",
    },
  ],
};
