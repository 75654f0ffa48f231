/** A reload that fails on real servers: they count nothing, and Prometheus calls all the same. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { desiredState } from "../../src/jetstream/desired.ts";
import { quiet } from "../support/breaks.ts";
import { serveMetrics } from "../support/cluster-metrics.ts";
import { realModel } from "../support/definitions.ts";
import { createAll } from "../support/jetstream.ts";
import { NatsExporter } from "../support/nats-exporter.ts";
import { Cluster, type RunningServer } from "../support/nats-server.ts";
import { Prometheus } from "../support/prometheus.ts";
import { reload, setAuth } from "../support/reload.ts";
import { shortenedIn } from "../support/time-lapse.ts";
import { without } from "../support/tools.ts";

const monitoring = fileURLToPath(new URL("../../dist/production/50-monitoring.k8s.yaml", import.meta.url));
const model = realModel("production");
const { namespace } = model.environment.kubernetes;

/** When it read its configuration last, as the server itself says. */
const loadTime = async ({ monitorPort }: RunningServer): Promise<string> => {
  const reply = await fetch(`http://127.0.0.1:${monitorPort}/varz`);
  return ((await reply.json()) as { config_load_time: string }).config_load_time;
};

describe.skipIf(without("nats-server", "nats-exporter", "test-ca", "prometheus"))(
  "an auth.conf that the servers do not take",
  { timeout: 300_000 },
  () => {
    const started: AsyncDisposable[] = [];
    let cluster: Cluster;
    let prometheus: Prometheus;
    let auth = "";
    /** What kube-state-metrics says of the Secret; the API server counts it up at every change. */
    let version = 4711;

    beforeAll(async () => {
      cluster = await Cluster.start(model);
      started.unshift(cluster);
      auth = readFileSync(join(cluster.servers[0]?.root ?? "", "etc/nats-auth/auth.conf"), "utf8");
      const connection = await cluster.connect();
      const replies = await createAll(connection, desiredState(model));
      expect([...replies].filter(([, { error }]) => error)).toEqual([]);
      await connection.close();
      const exporters = await Promise.all(cluster.servers.map((server) => NatsExporter.start(model, server)));
      const secret = await serveMetrics(
        () => `kube_secret_metadata_resource_version{namespace="${namespace}",secret="nats-auth"} ${version}\n`,
      );
      started.unshift(...exporters, secret);
      const nats = Object.fromEntries(exporters.map(({ address }, i) => [`nats-${i}`, address]));
      prometheus = await Prometheus.start(monitoring, { nats }, [secret.address]);
      started.unshift(prometheus);
    });
    afterAll(async () => {
      for (const thing of started) await thing[Symbol.asyncDispose]();
    });

    /** As far back as the rule looks: five minutes, ten seconds in time-lapse. */
    const past = () => prometheus.query(shortenedIn("kube_secret_metadata_resource_version offset 5m"));

    test("calls once the patience with the kubelet is over, for every server, and nothing else does", async () => {
      await quiet(prometheus);
      await expect.poll(past, { timeout: 60_000 }).not.toEqual([]);
      const before = await Promise.all(cluster.servers.map(loadTime));
      setAuth(cluster, auth.replace("CIRCL {", "CIRCL { no_such_setting: true,"));
      version++;
      await reload(cluster, "Failed to reload server configuration");
      expect(await Promise.all(cluster.servers.map(loadTime))).toEqual(before);
      await expect
        .poll(() => prometheus.alerts("firing"), { timeout: 120_000, interval: 500 })
        .toEqual(["NatsReloadFailed"]);
      const calls = await prometheus.query('ALERTS{alertname="NatsReloadFailed",alertstate="firing"}');
      expect(calls.map(({ metric }) => metric.server_id).sort()).toEqual(
        cluster.servers.map((_, i) => `circl-production-nats-${i}`),
      );
    });

    test("and no more once they have taken another", async () => {
      setAuth(cluster, `${auth}\n# mended\n`);
      version++;
      await reload(cluster);
      await expect.poll(() => prometheus.alerts("firing"), { timeout: 60_000, interval: 500 }).toEqual([]);
    });

    test("a change that they take at once is none", async () => {
      // Behind the last change by more than what the rule allows for.
      await sleep(12_000);
      setAuth(cluster, `${auth}\n# changed\n`);
      await reload(cluster);
      version++;
      const seen = new Set<string>();
      // Twice the patience of the alert.
      for (let attempt = 0; attempt < 80; attempt++) {
        for (const name of await prometheus.alerts("firing")) seen.add(name);
        await sleep(500);
      }
      expect([...seen]).toEqual([]);
      const [changed] = await prometheus.query("namespace:nats_secrets:changed");
      expect(Number(changed?.value[1])).toBeGreaterThan(0);
    });

    test("a change of its annotations alone calls as well, and a reload of what is there ends it", async () => {
      version++;
      await expect
        .poll(() => prometheus.alerts("firing"), { timeout: 120_000, interval: 500 })
        .toEqual(["NatsReloadFailed"]);
      await reload(cluster);
      await expect.poll(() => prometheus.alerts("firing"), { timeout: 60_000, interval: 500 }).toEqual([]);
    });
  },
);
