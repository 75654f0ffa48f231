/** A wrong password in a loop: Prometheus calls, and `circl audit` says who it is. */
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { audit } from "../../src/audit/audit.ts";
import { openReader } from "../../src/connect/nats.ts";
import { desiredState } from "../../src/jetstream/desired.ts";
import { Alertmanager } from "../support/alertmanager.ts";
import { AUDITED_AUTH, createAudited } from "../support/audit.ts";
import { breaking, quiet } from "../support/breaks.ts";
import { realModel } from "../support/definitions.ts";
import { inhibitRules } from "../support/inhibition.ts";
import { NatsExporter } from "../support/nats-exporter.ts";
import { Cluster } from "../support/nats-server.ts";
import { Prometheus } from "../support/prometheus.ts";
import { without } from "../support/tools.ts";

const monitoring = fileURLToPath(new URL("../../dist/production/50-monitoring.k8s.yaml", import.meta.url));
const model = realModel("production");

describe.skipIf(without("nats-server", "nats-exporter", "test-ca", "prometheus", "alertmanager"))(
  "refused logins",
  { timeout: 400_000 },
  () => {
    let cluster: Cluster;
    let exporters: NatsExporter[] = [];
    let alertmanager: Alertmanager;
    let prometheus: Prometheus;

    beforeAll(async () => {
      cluster = await Cluster.start(model, { auth: AUDITED_AUTH });
      const connection = await cluster.connect();
      await createAudited(connection, desiredState(model));
      await connection.close();
      exporters = await Promise.all(cluster.servers.map((server) => NatsExporter.start(model, server)));
      alertmanager = await Alertmanager.start(inhibitRules);
      const nats = Object.fromEntries(exporters.map(({ address }, i) => [`nats-${i}`, address]));
      prometheus = await Prometheus.start(monitoring, { nats }, [], alertmanager.address);
    });
    afterAll(async () => {
      for (const part of [prometheus, alertmanager, ...exporters, cluster]) await part?.[Symbol.asyncDispose]();
    });

    test("call once they are a loop, nothing else does, and no more when it ends", async () => {
      const before = Date.now();
      const trying = new AbortController();
      let tried = 0;
      let loop: Promise<void> | undefined;
      // Nobody has failed yet: what is counted is the loop alone.
      const measured = () => prometheus.query("stream:nats_stream_total_messages:leader");
      await expect.poll(measured, { timeout: 60_000 }).not.toEqual([]);
      await quiet(prometheus);
      await breaking(prometheus, alertmanager, {
        fires: ["NatsLoginsRefused"],
        breaks: async () => {
          loop = (async () => {
            for (; !trying.signal.aborted; tried++) {
              await cluster.connect({ user: "alice", pass: "rotated away" }).catch(() => undefined);
              await sleep(100);
            }
          })();
        },
        meanwhile: async () => {
          const enough = tried;
          await using reader = await openReader(cluster.target());
          const { failedLogins } = await audit(model, reader, before, { changes: false });
          expect(failedLogins).toMatchObject([
            { who: { user: "alice", host: "127.0.0.1" }, reason: "Authentication Failure" },
          ]);
          expect(failedLogins[0]?.attempts).toBeGreaterThanOrEqual(enough);
        },
        heals: async () => {
          trying.abort();
          await loop;
        },
      });
    });
  },
);
