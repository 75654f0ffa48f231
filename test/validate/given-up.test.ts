/** Messages that a real server gives up on: no dead letter tells of them, and Prometheus does. */
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { desiredState } from "../../src/jetstream/desired.ts";
import { Alertmanager } from "../support/alertmanager.ts";
import { breaking, quiet } from "../support/breaks.ts";
import { realModel } from "../support/definitions.ts";
import { inhibitRules } from "../support/inhibition.ts";
import { createAll } from "../support/jetstream.ts";
import { NatsExporter } from "../support/nats-exporter.ts";
import { Cluster } from "../support/nats-server.ts";
import { Prometheus } from "../support/prometheus.ts";
import { without } from "../support/tools.ts";

const monitoring = fileURLToPath(new URL("../../dist/production/50-monitoring.k8s.yaml", import.meta.url));
const model = realModel("production");
const given = 'consumer:nats_consumer_given_up:least{consumer_name="dms-orders"}';

test.skipIf(without("nats-server", "nats-exporter", "test-ca", "prometheus", "alertmanager"))(
  "a service that never answers for three messages: the server gives up on them, and nothing else calls",
  { timeout: 400_000 },
  async () => {
    await using cluster = await Cluster.start(model);
    const connection = await cluster.connect();
    const replies = await createAll(connection, desiredState(model));
    expect([...replies].filter(([, { error }]) => error)).toEqual([]);
    const exporters = await Promise.all(cluster.servers.map((server) => NatsExporter.start(model, server)));
    onTestFinished(async () => {
      for (const exporter of exporters) await exporter[Symbol.asyncDispose]();
    });
    await using alertmanager = await Alertmanager.start(inhibitRules);
    const nats = Object.fromEntries(exporters.map(({ address }, i) => [`nats-${i}`, address]));
    await using prometheus = await Prometheus.start(monitoring, { nats }, [], alertmanager.address);
    const counted = async () => (await prometheus.query(given)).map(({ value }) => value[1]);
    await expect.poll(counted, { timeout: 60_000 }).toEqual(["0"]);
    await quiet(prometheus);

    const jetstream = connection.jetstream();
    const readers = await Promise.all(
      ["dms-orders", "bff-orders"].map((name) => jetstream.consumers.get("circl_oms", name)),
    );
    const [orders, others] = readers;
    const { max_deliver: attempts = 0 } = (await orders?.info())?.config ?? {};
    expect(attempts).toBeGreaterThan(1);
    await breaking(prometheus, alertmanager, {
      fires: ["NatsConsumerGaveUp"],
      breaks: async () => {
        for (let i = 0; i < 3; i++) await jetstream.publish("circl.oms.order.created", "{}");
        for await (const message of (await others?.fetch({ max_messages: 3, expires: 5_000 })) ?? []) message.ack();
        for (let refused = 0; refused < 3 * attempts; ) {
          for await (const message of (await orders?.fetch({ max_messages: 3, expires: 5_000 })) ?? []) {
            message.nak();
            refused++;
          }
        }
        // The server notices when somebody asks for the next.
        for await (const _ of (await orders?.fetch({ max_messages: 1, expires: 2_000 })) ?? [])
          expect.fail("given once more");
      },
      meanwhile: async () => {
        const calls = await prometheus.query('ALERTS{alertname="NatsConsumerGaveUp",alertstate="firing"}');
        expect(calls.map(({ metric }) => metric.consumer_name)).toEqual(["dms-orders"]);
        expect(await counted()).toEqual(["3"]);
        // The server goes on counting them as redelivered; nobody is given them again.
        const again = await Promise.all(
          ["leader", "in_hand"].map((what) =>
            prometheus.query(`consumer:nats_consumer_num_redelivered:${what}{consumer_name="dms-orders"}`),
          ),
        );
        expect(again.map(([series]) => series?.value[1])).toEqual(["3", "0"]);
      },
    });
    await connection.close();
  },
);
