/** Every panel gives an answer on a real Prometheus that scrapes real servers. */
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dashboards } from "../../src/dashboards/dashboards.ts";
import { desiredState } from "../../src/jetstream/desired.ts";
import type { Model } from "../../src/model/resolve.ts";
import { healthyCluster, serveMetrics } from "../support/cluster-metrics.ts";
import { realModel } from "../support/definitions.ts";
import { createAll } from "../support/jetstream.ts";
import { NatsExporter } from "../support/nats-exporter.ts";
import { Cluster } from "../support/nats-server.ts";
import { Prometheus, type Targets } from "../support/prometheus.ts";
import { Sandbox } from "../support/tile38-server.ts";
import { shortenedIn } from "../support/time-lapse.ts";
import { without } from "../support/tools.ts";

const production = realModel("production");
const monitoring = fileURLToPath(new URL("../../dist/production/50-monitoring.k8s.yaml", import.meta.url));
const { namespace } = production.environment.kubernetes;

/** What Grafana puts in for its variables when everything is chosen, in the same time-lapse as the rules. */
const filledIn = (expr: string): string =>
  shortenedIn(
    expr
      .replaceAll("$__rate_interval", "5m")
      .replaceAll("$namespace", namespace)
      .replace(/\$(stream|consumer)\b/g, ".+"),
  );

/** What is 0 in a healthy cluster finds nothing there: asked for its opposite, the same series must answer. */
const OPPOSITES = { 'meta_leader=""': 'meta_leader!=""', 'alertstate="firing"': 'alertstate="pending"' } as const;

/** Without the zero for "nothing there", which would be an answer to any misspelt question as well. */
function mustAnswer(expr: string): string {
  const question = expr.replace(/ or vector\(0\)$/, "");
  if (question === expr) return expr;
  return Object.entries(OPPOSITES).reduce((text, [bad, good]) => text.replace(bad, good), question);
}

/** Questions by dashboard and panel. */
const questions = (model: Model) =>
  dashboards(model).flatMap(({ name, rows }) =>
    rows.flatMap(({ panels }) =>
      panels.flatMap(({ title, queries }) => queries.map(({ expr, legend }) => ({ name, title, expr, legend }))),
    ),
  );

/** Its panels are then skipped, and those of NATS are asked all the same. */
const WITHOUT_TILE38 = without("tile38-server", "busybox");
const asksTile38 = (expr: string): boolean => /\btile38_|job="tile38"/.test(expr);

describe.skipIf(without("nats-server", "test-ca", "nats-exporter", "prometheus"))(
  "dashboards on a real Prometheus",
  () => {
    const started: AsyncDisposable[] = [];
    const use = <T extends AsyncDisposable>(thing: T): T => {
      started.unshift(thing);
      return thing;
    };
    let prometheus: Prometheus;
    afterAll(async () => {
      for (const thing of started) await thing[Symbol.asyncDispose]();
    });

    beforeAll(async () => {
      const nats = use(await Cluster.start(production));
      await work(nats);
      const exporters = await Promise.all(nats.servers.map((server) => NatsExporter.start(production, server)));
      for (const exporter of exporters) use(exporter);
      const pods = ["nats-0", "nats-1", "nats-2", "tile38-leader-0", "tile38-follower-0"];
      const others = use(await serveMetrics(() => healthyCluster(namespace, pods)));
      prometheus = use(
        await Prometheus.start(
          monitoring,
          {
            nats: Object.fromEntries(exporters.map(({ address }, i) => [`nats-${i}`, address])),
            tile38: WITHOUT_TILE38 ? {} : await startTile38(use),
          },
          [others.address],
        ),
      );
    });

    async function answers({ expr, legend }: ReturnType<typeof questions>[number]): Promise<void> {
      const labels = [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = ""]) => label);
      await expect
        .poll(
          async () => {
            const samples = await prometheus.query(filledIn(mustAnswer(expr)));
            const numbers = samples.filter(({ value: [, number] }) => Number.isFinite(Number(number)));
            return numbers.some(({ metric }) => labels.every((label) => metric[label]));
          },
          { timeout: 60_000, interval: 500, message: `no data for ${filledIn(mustAnswer(expr))}` },
        )
        .toBe(true);
    }
    async function offers({ series, valuesOf }: (typeof choices)[number]): Promise<void> {
      await expect.poll(() => prometheus.labelValues(valuesOf, series), { timeout: 60_000 }).not.toEqual([]);
    }
    const choices = dashboards(production).flatMap(({ name, series, variables }) => [
      { name, series, valuesOf: "namespace" },
      ...variables.map((variable) => ({ ...variable, name })),
    ]);
    for (const tile38 of [false, true]) {
      const these = test.skipIf(tile38 && WITHOUT_TILE38);
      these.each(questions(production).filter(({ expr }) => asksTile38(expr) === tile38))(
        "$name: $title ($legend)",
        answers,
      );
      these.each(choices.filter(({ series }) => asksTile38(series) === tile38))(
        "$name offers values of $valuesOf",
        offers,
      );
    }

    test("what does not parse or does not exist is told apart", async () => {
      await expect(prometheus.query("sum(")).rejects.toThrow(/parse error/);
      expect(await prometheus.query("nats_varz_no_such_thing")).toEqual([]);
      expect(await prometheus.query(mustAnswer("count(nats_varz_no_such_thing) or vector(0)"))).toEqual([]);
    });
  },
);

test("the other environments ask nothing that production does not ask, each of itself", () => {
  const asked = new Set(questions(production).map(({ expr }) => expr));
  for (const environment of ["staging", "local"] as const) {
    const same = (expr: string) => expr.replace(`environment="${environment}"`, 'environment="production"');
    expect(questions(realModel(environment)).filter(({ expr }) => !asked.has(same(expr)))).toEqual([]);
  }
});

/** Streams, consumers, a copy and a dead letter, with some messages handled and some not. */
async function work(cluster: Cluster): Promise<void> {
  const connection = await cluster.connect();
  const replies = await createAll(connection, desiredState(production));
  expect([...replies].filter(([, { error }]) => error)).toEqual([]);
  const js = connection.jetstream();
  for (let i = 0; i < 20; i++) await js.publish("circl.iot.location.updated", "here");
  await js.publish("circl.dlq.iot.location.updated", "failed");
  const consumer = await js.consumers.get("circl_iot", "bff-iot");
  const messages = await consumer.fetch({ max_messages: 10, expires: 2_000 });
  let handled = 0;
  for await (const message of messages) {
    if (handled++ < 5) message.ack();
  }
  await connection.close();
}

/** A leader, and one of two followers: an alert is pending, which is what the table of alerts shows. */
async function startTile38(use: (sandbox: Sandbox) => Sandbox): Promise<Targets> {
  const sandbox = use(new Sandbox(production));
  const leader = await sandbox.start("leader", "leader");
  await leader.send([
    "SET fleet truck1 POINT 52.5 13.4",
    "SETHOOK gate http://127.0.0.1:1/ NEARBY fleet FENCE POINT 52 13 100",
  ]);
  const follower = await sandbox.start("follower", "follower", leader.port);
  await follower.until("/healthz");
  for (const server of [leader, follower]) await server.ask("NEARBY fleet POINT 52 13 1000");
  return {
    "tile38-leader-0": `127.0.0.1:${leader.metricsPort}`,
    "tile38-follower-0": `127.0.0.1:${follower.metricsPort}`,
  };
}
