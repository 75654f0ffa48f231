/** Every metric and label that a rule or a panel reads exists in a scrape of the real servers, after the monitor's relabelling. */
import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dashboards } from "../../src/dashboards/dashboards.ts";
import { desiredState } from "../../src/jetstream/desired.ts";
import type { Alert, Recording } from "../../src/kubernetes/prometheus-rule.ts";
import { secretAlerts } from "../../src/kubernetes/secret-alerts.ts";
import type { ServiceMonitorSpec } from "../../src/kubernetes/service-monitor.ts";
import type { Model } from "../../src/model/resolve.ts";
import { natsAlerts } from "../../src/nats/alerts.ts";
import { natsServiceMonitor } from "../../src/nats/metrics.ts";
import { freePorts } from "../../src/proof/ports.ts";
import { tile38Alerts } from "../../src/tile38/alerts.ts";
import { tile38ServiceMonitor } from "../../src/tile38/metrics.ts";
import { createAll } from "../support/jetstream.ts";
import { NatsExporter } from "../support/nats-exporter.ts";
import { Cluster, stop } from "../support/nats-server.ts";
import { type Matcher, readsOf } from "../support/promql.ts";
import { relabelled, type Sample, samplesOf } from "../support/scrape.ts";
import { Sandbox } from "../support/tile38-server.ts";
import { tool, without } from "../support/tools.ts";
import { everything } from "./everything.ts";
import { FOREIGN_METRICS } from "./foreign-metrics.ts";

const model = everything;
const rulesOf = ({ groups }: ReturnType<typeof natsAlerts>): readonly (Alert | Recording)[] =>
  groups.flatMap(({ rules }) => rules);
const rules = [natsAlerts, tile38Alerts, secretAlerts].flatMap((rulesFor) => rulesOf(rulesFor(model)));

/** Labels that Prometheus gives every sample of a target that a ServiceMonitor found. */
const TARGET = ["job", "namespace", "pod", "instance", "service", "endpoint", "container"];
/** Values that only a broken server shows. */
const WHEN_BROKEN: readonly string[] = ['meta_leader=""', 'stream_leader=""', 'caught_up="false"'];

/** Series by metric. */
const seen = new Map<string, Sample[]>();
let natsSamples: Sample[] = [];

const keptBy = ({ endpoints, sampleLimit }: ServiceMonitorSpec, samples: readonly Sample[]): Sample[] => {
  const kept = relabelled(samples, endpoints[0]?.metricRelabelings ?? []);
  expect(kept.length).toBeLessThan(sampleLimit);
  return kept;
};

/** Which server an expression asks; what other programs say of either belongs to NATS. */
const asksTile38 = (expr: string): boolean => /\btile38_|job="tile38"/.test(expr);

/** A server that is missing here keeps nobody from proving the rules of the other. */
const SIDES = [
  {
    server: "NATS",
    missing: without("nats-server", "nats-exporter", "test-ca"),
    scrape: scrapeNats,
    isAsked: (expr: string) => !asksTile38(expr),
  },
  { server: "Tile38", missing: without("tile38-server", "busybox"), scrape: scrapeTile38, isAsked: asksTile38 },
] as const;

describe.each(SIDES)("rules and panels on $server", ({ missing, scrape, isAsked }) => {
  describe.skipIf(missing)("and its real servers", () => {
    beforeAll(async () => {
      seen.clear();
      await scrape();
      for (const name of Object.keys(FOREIGN_METRICS)) expect(seen.has(name)).toBe(false);
    }, 120_000);

    const own = rules.filter(({ expr }) => isAsked(expr));
    test.each(own.map((rule) => ["alert" in rule ? rule.alert : rule.record, rule.expr] as const))(
      "%s reads what is there",
      (_, expr) => {
        expect(missingIn(expr)).toEqual([]);
      },
    );

    test.each(panelQueries(model).filter(({ expr }) => isAsked(expr)))(
      "the panel $title reads what is there: $expr",
      ({ expr }) => {
        expect(missingIn(expr)).toEqual([]);
      },
    );
  });
});

describe.skipIf(SIDES[0].missing)("rules", () => {
  beforeAll(async () => {
    seen.clear();
    await scrapeNats();
  }, 120_000);
  afterAll(() => seen.clear());

  test("that read what is not there are found", () => {
    expect(missingIn("nats_varz_no_such_thing > 0")).toEqual(["no metric nats_varz_no_such_thing"]);
    expect(missingIn('nats_varz_remotes{color="red"} > 0')).toEqual(['nats_varz_remotes has no label "color"']);
    expect(missingIn('nats_stream_last_seq{account_name="OTHER"} > 0')).toEqual([
      'no nats_stream_last_seq with account_name="OTHER"',
    ]);
    // Such labels are there, but not after relabelling.
    expect(missingIn('nats_stream_last_seq{meta_leader="x"} > 0')).toEqual([
      'nats_stream_last_seq has no label "meta_leader"',
    ]);
    expect(missingIn("sum by (color) (nats_varz_remotes) > 0")).toEqual(['nothing here has a label "color"']);
  });

  test("read nothing of streams and consumers that are not declared: they are dropped", () => {
    const [endpoint] = natsServiceMonitor(model).endpoints;
    const named = (samples: readonly Sample[]) =>
      new Set(samples.map(({ labels }) => labels.consumer_name ?? labels.stream_name));
    expect(named(natsSamples)).toContain("strange");
    expect(named(natsSamples)).toContain("stranger");
    const kept = named(relabelled(natsSamples, endpoint?.metricRelabelings ?? []));
    expect(kept).not.toContain("strange");
    expect(kept).not.toContain("stranger");
    expect(kept).toContain("geo-location");
    expect(kept).toContain("circl_lock");
  });

  test("count with series that outlive starts and elections", () => {
    const [endpoint] = natsServiceMonitor(model).endpoints;
    const kept = relabelled(natsSamples, endpoint?.metricRelabelings ?? []);
    expect(natsSamples.some(({ name }) => name === "nats_varz_server_id")).toBe(true);
    expect(kept.some(({ name }) => name === "nats_varz_server_id")).toBe(false);
    const leaders = (prefix: string) =>
      new Set(
        kept
          .filter(({ name }) => name.startsWith(prefix))
          .flatMap(({ labels }) => Object.keys(labels).filter((label) => label.endsWith("leader"))),
      );
    expect(leaders("nats_varz_")).toEqual(new Set());
    expect(leaders("nats_server_")).toEqual(new Set(["meta_leader"]));
    expect(leaders("nats_stream_")).toEqual(new Set(["is_stream_leader", "stream_leader"]));
    expect(leaders("nats_consumer_")).toEqual(new Set(["is_consumer_leader", "consumer_leader"]));
    // What is counted over time stays one series of each server, whoever leads.
    for (const counted of [
      "nats_stream_last_seq",
      "nats_consumer_delivered_consumer_seq",
      "nats_consumer_ack_floor_consumer_seq",
    ]) {
      expect(kept.filter(({ name }) => name === counted).length).toBeGreaterThan(3);
      expect([counted, leaders(counted)]).toEqual([counted, new Set()]);
    }
    // Dropping labels must leave every series one of its own.
    const ours = kept.filter(({ name }) => name.startsWith("nats_"));
    const all = ours.map(({ name, labels }) => JSON.stringify([name, Object.entries(labels).sort()]));
    expect(new Set(all).size).toBe(all.length);
  });
});

test.skipIf(without("nats-server", "nats-exporter"))(
  "a server without JetStream says so, and names no leader",
  async () => {
    const [port = 0, monitorPort = 0] = await freePorts(2);
    const args = ["--addr", "127.0.0.1", "--port", String(port), "--http_port", String(monitorPort)];
    const process = spawn(tool("nats-server"), [...args, "--name", "plain"], { stdio: "ignore" });
    try {
      await using exporter = await NatsExporter.start(model, { monitorPort });
      const scrape = await exporter.scrape();
      expect(scrape).toMatch(/^nats_server_jetstream_disabled\{.*meta_leader="",server_id="plain".*\} 1$/m);
    } finally {
      await stop(process);
    }
  },
);

async function scrapeNats(): Promise<void> {
  await using cluster = await Cluster.start(model);
  const connection = await cluster.connect();
  const replies = await createAll(connection, desiredState(model));
  expect([...replies].filter(([, reply]) => reply.error)).toEqual([]);
  const manager = await connection.jetstreamManager();
  await manager.streams.add({ name: "strange", subjects: ["strange"], num_replicas: 3 });
  await manager.consumers.add("circl_iot", { durable_name: "stranger" });
  await connection.jetstream().publish("circl.iot.location.truck1", "{}");
  const exporters = await Promise.all(cluster.servers.map((server) => NatsExporter.start(model, server)));
  // Only leaders speak of sources and mirrors, and only once they have found their origins.
  const complete = () =>
    ["source", "mirror"].every((kind) => natsSamples.some(({ name }) => name === `nats_stream_${kind}_lag`));
  for (let attempt = 0; attempt < 100 && !complete(); attempt++) {
    await sleep(200);
    const scrapes = await Promise.all(exporters.map((exporter) => exporter.scrape()));
    for (const scrape of scrapes) keptBy(natsServiceMonitor(model), samplesOf(scrape));
    natsSamples = scrapes.flatMap(samplesOf);
  }
  await Promise.all(exporters.map((exporter) => exporter[Symbol.asyncDispose]()));
  await connection.close();
  remember(keptBy({ ...natsServiceMonitor(model), sampleLimit: Number.POSITIVE_INFINITY }, natsSamples));
}

async function scrapeTile38(): Promise<void> {
  await using sandbox = new Sandbox(model);
  const leader = await sandbox.start("leader", "leader");
  await leader.until("/healthz");
  for (const command of ["set fleet truck1 point 33 -112", "get fleet truck1", "scan fleet", "healthz"]) {
    await leader.ask(command);
  }
  for (const area of [
    "nearby fleet point 33 -112 100",
    "within fleet circle 33 -112 9",
    "intersects fleet circle 33 -112 9",
  ]) {
    await leader.ask(area);
  }
  const follower = await sandbox.start("follower", "follower", leader.port);
  await follower.until("/healthz");
  for (const { metricsPort } of [leader, follower]) {
    const reply = await fetch(`http://127.0.0.1:${metricsPort}/metrics`);
    remember(keptBy(tile38ServiceMonitor(model), samplesOf(await reply.text())));
  }
  remember([{ name: "up", labels: {} }]);
}

const remember = (samples: readonly Sample[]): void => {
  for (const sample of samples) seen.set(sample.name, [...(seen.get(sample.name) ?? []), sample]);
};

/** What panels and the choices above them ask, with what Grafana fills in when everything is chosen. */
function panelQueries(of: Model): { readonly title: string; readonly expr: string }[] {
  const asked = dashboards(of).flatMap(({ name, series, variables, rows }) => [
    { title: name, expr: series },
    ...variables.map((variable) => ({
      title: `${name} by ${variable.label}`,
      expr: `sum by (${variable.valuesOf}) (${variable.series}{${variable.valuesOf}!=""})`,
    })),
    ...rows.flatMap(({ panels }) =>
      panels.flatMap(({ title, queries }) => queries.map(({ expr }) => ({ title: `${name}: ${title}`, expr }))),
    ),
  ]);
  return asked.map(({ title, expr }) => ({
    title,
    expr: expr.replaceAll("$__rate_interval", "5m").replace(/\$(stream|consumer)\b/g, ".+"),
  }));
}

/** What `expr` reads and nobody says. */
function missingIn(expr: string): string[] {
  const { selectors, grouping } = readsOf(expr);
  const labels = new Set(TARGET);
  const missing = selectors.flatMap(({ metric, matchers }) => {
    const known = labelsOf(metric);
    for (const label of known) labels.add(label);
    if (known.length === 0) return [`no metric ${metric}`];
    return matchers.flatMap((matcher) => {
      if (TARGET.includes(matcher.label)) return [];
      if (!known.includes(matcher.label)) {
        return [`${metric} has no label "${matcher.label}"`];
      }
      return isSeen(metric, matcher) ? [] : [`no ${metric} with ${matcher.label}${matcher.op}"${matcher.value}"`];
    });
  });
  return [
    ...missing,
    ...grouping.filter((label) => !labels.has(label)).map((label) => `nothing here has a label "${label}"`),
  ];
}

/** Labels of a metric: scraped, documented, or of one of our recordings. Every one has those of its target. */
function labelsOf(metric: string): string[] {
  const scraped = seen.get(metric)?.flatMap((sample) => Object.keys(sample.labels));
  const recorded = rules.filter((rule): rule is Recording => "record" in rule && rule.record === metric);
  const made = recorded.flatMap(({ expr, labels = {} }) => [...readsOf(expr).grouping, ...Object.keys(labels)]);
  const found = scraped ?? FOREIGN_METRICS[metric]?.labels ?? (recorded.length > 0 ? made : undefined);
  return found ? [...new Set([...TARGET, ...found])] : [];
}

/** Whether some scraped series matches; of metrics that are not scraped only names can be checked. */
function isSeen(metric: string, { label, op, value }: Matcher): boolean {
  const samples = seen.get(metric);
  if (!samples || WHEN_BROKEN.includes(`${label}${op}"${value}"`)) return true;
  const pattern = new RegExp(`^(?:${value})$`);
  return samples.some(({ labels }) => {
    const found = labels[label] ?? "";
    if (op === "=") return found === value;
    if (op === "!=") return found !== value;
    return pattern.test(found) === (op === "=~");
  });
}
