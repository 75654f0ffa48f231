/** The failover of docs/runbooks/Tile38NoLeader.md, step by step on real servers: the leader has lost its volume. */
import { copyFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { realModel } from "../support/definitions.ts";
import { Sandbox } from "../support/tile38-server.ts";
import { without } from "../support/tools.ts";

describe.skipIf(without("tile38-server", "busybox"))("the failover of Tile38", () => {
  test("brings a promoted follower's data to a new leader, and the follower back", async () => {
    await using sandbox = new Sandbox(realModel("production"));
    const lost = await sandbox.start("leader", "leader");
    await lost.until("/healthz");
    await lost.send(Array.from({ length: 300 }, (_, i) => `SET fleet truck${i} POINT 33 -112`));
    const follower = await sandbox.start("follower", "follower", lost.port);
    await follower.until("/healthz");
    await expect.poll(() => follower.objects()).toBe(300);

    await lost.stop();
    rmSync(join(lost.root, "data"), { recursive: true });
    await expect.poll(() => follower.status("/healthz")).toBe(500);
    expect(await follower.ask("FOLLOW no one")).toMatchObject({ ok: true });
    await follower.until("/healthz");
    expect(await follower.objects()).toBe(300);

    // Empty, and somebody writes to it.
    const empty = await sandbox.start("leader", "leader");
    await empty.until("/healthz");
    expect(await empty.objects()).toBe(0);
    await empty.send(["SET fleet truck0 POINT 34 -111"]);
    const file = join(empty.root, "data/appendonly.aof");
    copyFileSync(join(follower.root, "data/appendonly.aof"), `${file}.new`);
    renameSync(`${file}.new`, file);
    await empty.stop();
    const leader = await sandbox.start("leader", "leader");
    await leader.until("/healthz");
    expect(await leader.objects()).toBe(300);

    await follower.stop();
    const again = await sandbox.start("follower", "another pod", leader.port);
    await again.until("/healthz");
    await expect.poll(() => again.objects()).toBe(300);
  });
});
