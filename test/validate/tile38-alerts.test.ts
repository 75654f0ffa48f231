/** What dist/production alerts on while real Tile38 servers break and recover, said by a real Prometheus in time-lapse. */
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Alertmanager } from "../support/alertmanager.ts";
import { type Break, breaking, quiet } from "../support/breaks.ts";
import { realModel } from "../support/definitions.ts";
import { inhibitRules } from "../support/inhibition.ts";
import { Prometheus } from "../support/prometheus.ts";
import { Sandbox, type Tile38Server } from "../support/tile38-server.ts";
import { without } from "../support/tools.ts";

const monitoring = fileURLToPath(new URL("../../dist/production/50-monitoring.k8s.yaml", import.meta.url));
const model = realModel("production");

describe.skipIf(without("tile38-server", "busybox", "prometheus", "alertmanager"))(
  "alerts of production on its Tile38 servers",
  { timeout: 400_000 },
  () => {
    let sandbox: Sandbox;
    let tile38: Record<string, Tile38Server>;
    let alertmanager: Alertmanager;
    let prometheus: Prometheus;

    const targets = () =>
      Object.fromEntries(Object.entries(tile38).map(([pod, { metricsPort }]) => [pod, `127.0.0.1:${metricsPort}`]));
    const when = (what: Break) => breaking(prometheus, alertmanager, what);

    beforeAll(async () => {
      sandbox = new Sandbox(model);
      const leader = await sandbox.start("leader", "leader");
      await leader.until("/healthz");
      await leader.send(Array.from({ length: 500 }, (_, i) => `SET fleet truck${i} POINT 33 -112`));
      tile38 = {
        "tile38-leader-0": leader,
        "tile38-follower-0": await sandbox.start("follower", "follower-0", leader.port),
        "tile38-follower-1": await sandbox.start("follower", "follower-1", leader.port),
      };
      alertmanager = await Alertmanager.start(inhibitRules);
      prometheus = await Prometheus.start(monitoring, { tile38: targets() }, [], alertmanager.address);
    }, 120_000);

    afterAll(async () => {
      for (const part of [prometheus, alertmanager, sandbox]) await part?.[Symbol.asyncDispose]();
    });

    test("none while everything is healthy, and the rules have something to read", async () => {
      const level = () => prometheus.query("pod:tile38_replication_info:caught_up == 1");
      await expect.poll(async () => (await level()).length, { timeout: 60_000 }).toBe(2);
      await quiet(prometheus);
      await sleep(10_000);
      expect(await prometheus.alerts("firing")).toEqual([]);
      await quiet(prometheus);
    });

    test("a follower that stops", () =>
      when({
        fires: ["Tile38Down", "Tile38FollowersMissing"],
        heard: ["Tile38Down"],
        breaks: async () => tile38["tile38-follower-1"]?.kill(),
        heals: async () => {
          tile38["tile38-follower-1"] = await sandbox.start("follower", "follower-1", tile38["tile38-leader-0"]?.port);
          prometheus.aim("tile38", targets());
        },
      }));

    test("a follower with ghosts: what its leader lost with the volume", () =>
      when({
        fires: ["Tile38FollowerDiverged", "Tile38FollowersMissing", "Tile38TwoLeaders"],
        passing: {
          Tile38Restarting:
            "its start is another's and then its own again, after that of the test before: three in an hour here",
        },
        breaks: async () => {
          const ghost = await sandbox.start("leader", "another", 0);
          await ghost.until("/healthz");
          await ghost.send(Array.from({ length: 200 }, (_, i) => `SET fleet ghost${i} POINT 33 -112`));
          prometheus.aim("tile38", { ...targets(), "tile38-follower-1": `127.0.0.1:${ghost.metricsPort}` });
        },
        heals: async () => prometheus.aim("tile38", targets()),
      }));

    test("a leader that stops", () =>
      when({
        fires: ["Tile38Down", "Tile38FollowersMissing", "Tile38NoLeader"],
        heard: ["Tile38NoLeader"],
        breaks: async () => tile38["tile38-leader-0"]?.stop(),
        heals: async () => {
          const leader = await sandbox.start("leader", "leader");
          tile38["tile38-leader-0"] = leader;
          // Here its port is another one, so the followers are told; in the cluster the Service does that.
          for (const i of [0, 1]) {
            await tile38[`tile38-follower-${i}`]?.stop();
            tile38[`tile38-follower-${i}`] = await sandbox.start("follower", `follower-${i}`, leader.port);
          }
          prometheus.aim("tile38", targets());
        },
      }));
  },
);
