/** A wrong password in a loop: Prometheus calls, and `circl audit` says who it is. */
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { audit } from "../../src/audit/audit.ts";
import { openReader } from "../../src/connect/nats.ts";
import { desiredState } from "../../src/jetstream/desired.ts";
import { AUDITED_AUTH, createAudited } from "../support/audit.ts";
import { realModel } from "../support/definitions.ts";
import { NatsExporter } from "../support/nats-exporter.ts";
import { Cluster } from "../support/nats-server.ts";
import { Prometheus } from "../support/prometheus.ts";
import { without } from "../support/tools.ts";

const monitoring = fileURLToPath(new URL("../../dist/production/50-monitoring.k8s.yaml", import.meta.url));
const model = realModel("production");

describe.skipIf(without("nats-server", "nats-exporter", "test-ca", "prometheus"))(
  "refused logins",
  { timeout: 300_000 },
  () => {
    let cluster: Cluster;
    let exporters: NatsExporter[] = [];
    let prometheus: Prometheus;

    beforeAll(async () => {
      cluster = await Cluster.start(model, { auth: AUDITED_AUTH });
      const connection = await cluster.connect();
      await createAudited(connection, desiredState(model));
      await connection.close();
      exporters = await Promise.all(cluster.servers.map((server) => NatsExporter.start(model, server)));
      prometheus = await Prometheus.start(monitoring, {
        nats: Object.fromEntries(exporters.map(({ address }, i) => [`nats-${i}`, address])),
      });
    });
    afterAll(async () => {
      for (const part of [prometheus, ...exporters, cluster]) await part?.[Symbol.asyncDispose]();
    });

    const calls = async () => (await prometheus.alerts("firing")).includes("NatsLoginsRefused");

    test("call once they are a loop, and no more when it ends", async () => {
      const before = Date.now();
      let tried = 0;
      // Nobody has failed yet: what is counted is the loop alone.
      await expect
        .poll(() => prometheus.query("stream:nats_stream_total_messages:leader"), { timeout: 60_000 })
        .not.toEqual([]);
      expect(await calls()).toBe(false);
      for (; tried < 2_000 && !(await calls()); tried++) {
        await cluster.connect({ user: "alice", pass: "rotated away" }).catch(() => undefined);
        await sleep(100);
      }
      expect(await calls()).toBe(true);

      await using reader = await openReader(cluster.target());
      const { failedLogins } = await audit(model, reader, before, { changes: false });
      expect(failedLogins).toMatchObject([
        { who: { user: "alice", host: "127.0.0.1" }, reason: "Authentication Failure" },
      ]);
      expect(failedLogins[0]?.attempts).toBeGreaterThanOrEqual(tried);
      await expect.poll(calls, { timeout: 90_000, interval: 500 }).toBe(false);
    });
  },
);
