/** Leader and followers as dist starts them. */
import { readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { tile38ServiceMonitor } from "../../src/tile38/metrics.ts";
import { realModel } from "../support/definitions.ts";
import { relabelled, type Sample, samplesOf } from "../support/scrape.ts";
import { PASSWORD, Sandbox, type Tile38Server } from "../support/tile38-server.ts";
import { without } from "../support/tools.ts";

const model = realModel("production");
const trucks = (from: number, to: number, command = (i: number) => `SET fleet truck${i} POINT 33.5 -112.${i}`) =>
  Array.from({ length: to - from }, (_, i) => command(from + i));

/** Waits until `server` has as many objects. @throws after 20 s */
async function holds(server: Tile38Server, objects: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if ((await server.objects()) === objects) return;
    await sleep(100);
  }
  expect(await server.objects()).toBe(objects);
}

const metricsOf = (server: Tile38Server): Promise<string> =>
  fetch(`http://127.0.0.1:${server.metricsPort}/metrics`).then((reply) => reply.text());

describe.skipIf(without("busybox", "tile38-server"))("Tile38", { concurrent: true }, () => {
  test("lets nobody in without the password, which stands in no argument and no variable", async () => {
    await using sandbox = new Sandbox(model);
    const leader = await sandbox.start("leader", "leader");
    await leader.until("/healthz");
    expect(await leader.ask("set fleet truck1 point 33 -112", null)).toMatchObject({
      ok: false,
      err: "authentication required",
    });
    expect(await leader.ask("get fleet truck1", "wrong")).toMatchObject({ ok: false, err: "invalid password" });
    expect(await leader.ask("set fleet truck1 point 33 -112")).toMatchObject({ ok: true });
    for (const file of ["cmdline", "environ"]) {
      expect(readFileSync(`/proc/${leader.process.pid}/${file}`, "utf8")).not.toContain(PASSWORD);
    }
    expect(leader.log).not.toContain(PASSWORD);
    expect((statSync(join(leader.root, "run/config")).mode & 0o777).toString(8)).toBe("600");
    expect(readdirSync(join(leader.root, "data")).sort()).toEqual(["appendonly.aof", "queue.db"]);
  });

  test.each(["staging", "production", "local"] as const)("starts as %s says, leader and follower", async (name) => {
    await using sandbox = new Sandbox(realModel(name));
    const leader = await sandbox.start("leader", "leader");
    await leader.until("/healthz");
    expect(await leader.ask("server")).toMatchObject({ ok: true, stats: { id: `circl-${name}-tile38-leader` } });
    const follower = await sandbox.start("follower", "follower", leader.port);
    await follower.until("/healthz");
    expect(await follower.ask("server")).toMatchObject({ ok: true, stats: { caught_up: true } });
  });

  test("takes its limits and its name from document and environment", async () => {
    await using sandbox = new Sandbox(model);
    const leader = await sandbox.start("leader", "leader");
    await leader.until("/healthz");
    expect(await leader.ask("server")).toMatchObject({
      stats: { id: "circl-production-tile38-leader", max_heap_size: 1_503_238_553 },
    });
    const environment = readFileSync(`/proc/${leader.process.pid}/environ`, "utf8");
    expect(environment).toContain("GOMEMLIMIT=1331MiB");
    expect(environment).toContain("GOMAXPROCS=2");
    expect(await metricsOf(leader)).toMatch(/^tile38_memory_max_heap_size_bytes 1\.503238553e\+09$/m);
  });

  test("a follower fetches what the leader has and stays level, and refuses writes", async () => {
    await using sandbox = new Sandbox(model);
    const leader = await sandbox.start("leader", "leader");
    await leader.until("/healthz");
    await leader.send(trucks(0, 1_000));
    const follower = await sandbox.start("follower", "follower", leader.port);
    await follower.until("/healthz");
    await holds(follower, 1_000);
    await leader.send(trucks(1_000, 1_500));
    await holds(follower, 1_500);
    expect(await follower.ask("set fleet truck1 point 0 0")).toMatchObject({ ok: false, err: "not the leader" });
    expect(await follower.ask("get fleet truck1", null)).toMatchObject({ ok: false, err: "authentication required" });
  });

  test("probes without a password: /ping always, /healthz of a follower only with its leader", async () => {
    await using sandbox = new Sandbox(model);
    const leader = await sandbox.start("leader", "leader");
    await leader.until("/healthz");
    const follower = await sandbox.start("follower", "follower", leader.port);
    await follower.until("/healthz");
    await leader.stop();
    expect(leader.process.exitCode).toBe(0);
    for (let attempt = 0; attempt < 100 && (await follower.status("/healthz")) === 200; attempt++) await sleep(100);
    expect(await follower.status("/healthz")).toBe(500);
    expect(await follower.status("/ping")).toBe(200);
  });

  test("a follower that comes back in its pod has no ghosts of what was deleted meanwhile", async () => {
    await using sandbox = new Sandbox(model);
    const leader = await sandbox.start("leader", "leader");
    await leader.until("/healthz");
    // More than the 512 KiB from which a follower compares files instead of fetching all.
    await leader.send(trucks(0, 15_000));
    const before = await sandbox.start("follower", "follower", leader.port);
    await before.until("/healthz");
    await holds(before, 15_000);
    await before.kill();
    await leader.send(trucks(0, 5_000, (i) => `DEL fleet truck${i}`));
    expect(await leader.ask("aofshrink")).toMatchObject({ ok: true });
    await sleep(1_000);
    const after = await sandbox.start("follower", "follower", leader.port);
    await after.until("/healthz");
    await holds(after, 10_000);
  });

  test("a promoted follower stays what it is when it comes back in its pod", async () => {
    await using sandbox = new Sandbox(model);
    const leader = await sandbox.start("leader", "leader");
    await leader.until("/healthz");
    await leader.send(trucks(0, 1_000));
    const follower = await sandbox.start("follower", "follower", leader.port);
    await follower.until("/healthz");
    await holds(follower, 1_000);
    await leader.stop();
    expect(await follower.ask("follow no one")).toMatchObject({ ok: true });
    await follower.send(trucks(1_000, 1_100));
    await follower.kill();
    const again = await sandbox.start("follower", "follower", leader.port);
    await again.until("/healthz");
    expect(again.log).toContain("promoted");
    expect(await again.objects()).toBe(1_100);
    expect(await again.ask("set fleet truck1 point 0 0")).toMatchObject({ ok: true });
  });

  test("a leader killed between the renames of a shrink comes back with everything", async () => {
    await using sandbox = new Sandbox(model);
    const leader = await sandbox.start("leader", "leader");
    await leader.until("/healthz");
    await leader.send(trucks(0, 1_000));
    await leader.kill();
    // What the kernel leaves there: aofshrink.go renames the live file, then the shrunk one.
    const file = join(leader.root, "data/appendonly.aof");
    writeFileSync(`${file}-shrink`, readFileSync(file));
    renameSync(file, `${file}-bak`);
    const again = await sandbox.start("leader", "leader");
    await again.until("/healthz");
    expect(await again.objects()).toBe(1_000);
    expect(again.log).toContain("between its renames");
    expect(readdirSync(join(leader.root, "data")).sort()).toEqual(["appendonly.aof", "queue.db"]);
  });

  test("exposes words of strangers as commands, and whatever is written to, which the monitor drops", async () => {
    await using sandbox = new Sandbox(model);
    const leader = await sandbox.start("leader", "leader");
    await leader.until("/healthz");
    await leader.ask("junk", null);
    await leader.ask("set fleet truck1 point 0 0");
    await leader.ask("set truck1 position point 0 0");
    const samples = samplesOf(await metricsOf(leader));
    const monitor = tile38ServiceMonitor(model);
    const kept = relabelled(samples, monitor.endpoints[0]?.metricRelabelings ?? []);
    const values = (label: string, of: readonly Sample[]) => new Set(of.flatMap(({ labels }) => labels[label] ?? []));
    expect(values("cmd", samples)).toEqual(new Set(["healthz", "junk", "ping", "set"]));
    expect(values("cmd", kept)).toEqual(new Set(["healthz", "ping", "set"]));
    expect(values("col", samples)).toEqual(new Set(["fleet", "truck1"]));
    expect(values("col", kept)).toEqual(new Set(["fleet"]));
    expect(kept.length).toBeGreaterThan(50);
    // With every command and every collection there is room yet.
    expect(kept.length).toBeLessThan(monitor.sampleLimit / 4);
  });
});
