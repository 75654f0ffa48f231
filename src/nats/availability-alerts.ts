/** Are there enough servers, do they agree on a leader, and do they reach each other? */
import { NATS } from "../kubernetes/names.ts";
import { type Alert, withRunbooks } from "../kubernetes/prometheus-rule.ts";
import type { Model } from "../model/resolve.ts";
import { alive, answering, ours } from "./series.ts";

export function availabilityAlerts({ environment }: Model): Alert[] {
  const alert = withRunbooks(environment);
  const { servers } = environment.nats;
  const quorum = Math.floor(servers / 2) + 1;
  const here = ours(environment);
  const answers = answering(environment);
  const down = alert({
    name: "NatsDown",
    expr: `(count(${answers}) or vector(0)) < ${quorum}`,
    for: "1m",
    severity: "critical",
    summary: `Only {{ $value }} of ${servers} NATS servers answer`,
    description: `Below ${quorum} no replicated stream takes or gives messages, and nothing can be created or changed.`,
  });
  const jetStreamDisabled = alert({
    name: "NatsJetStreamDisabled",
    expr: `max by (namespace, server_id) (${answers}) == 1`,
    for: "1m",
    severity: "critical",
    summary: "{{ $labels.server_id }} runs without JetStream",
    description:
      "The server switched it off itself: its volume is full or fails, or it was removed from the meta group while it ran.",
  });
  const restarting = alert({
    name: "NatsRestarting",
    expr: `changes(nats_varz_start{${here}}[1h]) > 2`,
    for: "1m",
    severity: "warning",
    summary: "{{ $labels.server_id }} started {{ $value }} times in an hour",
    description:
      "Out of memory, a failing liveness probe, or a configuration that it cannot start with again and again.",
  });
  const notReady = alert({
    name: "NatsNotReady",
    // It answers, so it is not missing; and the startup probe gives it half an hour (pod.ts) before it starts anew, so it hardly ever
    // restarts three times in an hour.
    expr: `max by (namespace, pod) (kube_pod_status_ready{namespace="${environment.kubernetes.namespace}",pod=~"${NATS.name}-[0-9]+",condition="true"}) == 0`,
    for: "35m",
    severity: "warning",
    summary: "{{ $labels.pod }} has not been ready for more than half an hour",
    description:
      "No client is led to it, and a rollout waits for it. Its streams or the meta group do not catch up, or it starts again and again.",
  });
  if (servers === 1) return [down, jetStreamDisabled, restarting, notReady];
  const missing = alert({
    name: "NatsServerMissing",
    expr: `(count(${answers}) or vector(0)) < ${servers}`,
    // A planned restart: 30 s of lame duck, then the start, until its streams have caught up.
    for: "5m",
    severity: "warning",
    summary: `Only {{ $value }} of ${servers} NATS servers answer`,
    description: `Streams with three replicas go on with two; a second loss stops them. Streams with one replica on it are away.`,
  });
  const noMetaLeader = alert({
    name: "NatsNoMetaLeader",
    // A server without JetStream knows none, and has an alert of its own.
    expr: `count(nats_server_jetstream_disabled{${here},meta_leader=""} == 0) > 0`,
    for: "1m",
    severity: "critical",
    summary: "{{ $value }} NATS servers know no meta leader",
    description: "No stream or consumer can be created or changed until the meta group has one.",
  });
  const metaLeaderDisputed = alert({
    name: "NatsMetaLeaderDisputed",
    expr: `count(count by (meta_leader) (nats_server_jetstream_disabled{${here},meta_leader!=""})) > 1`,
    // Scrapes of three servers lie up to 30 s apart, so an election shows as two leaders for one interval.
    for: "2m",
    severity: "critical",
    summary: "NATS servers name {{ $value }} different meta leaders",
    description: "The cluster is split: each part sees another leader, and only one of them can commit anything.",
  });
  const metaGroupSize = alert({
    name: "NatsMetaGroupSize",
    expr: alive(environment, `nats_varz_jetstream_meta_cluster_size{${here}} != ${servers}`),
    for: "10m",
    severity: "warning",
    summary: `{{ $labels.server_id }} counts {{ $value }} members of the meta group, not ${servers}`,
    description:
      "Somebody removed a peer, or a server came under another name and is counted twice: quorum is reckoned with this number.",
  });
  const routeLost = alert({
    name: "NatsRouteLost",
    // Where a server does not answer at all, NatsServerMissing says so; where all do, no exporter tells of a dead one.
    expr: `nats_varz_remotes{${here}} < ${servers - 1} and on () count(${answers}) == ${servers}`,
    for: "2m",
    severity: "critical",
    summary: `{{ $labels.server_id }} is connected to {{ $value }} of ${servers - 1} peers`,
    description: "All servers run but do not reach each other: network policy, DNS, or an expired route certificate.",
  });
  return [
    down,
    missing,
    jetStreamDisabled,
    noMetaLeader,
    metaLeaderDisputed,
    metaGroupSize,
    routeLost,
    restarting,
    notReady,
  ];
}
