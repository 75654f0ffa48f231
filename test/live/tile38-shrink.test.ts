/** shrink.sh against a real leader. */
import { readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { realModel } from "../support/definitions.ts";
import { PASSWORD, Sandbox, type Tile38Server } from "../support/tile38-server.ts";
import { without } from "../support/tools.ts";

const model = realModel("production");
const sets = (count: number, objects: number) =>
  Array.from({ length: count }, (_, i) => `SET fleet truck${i % objects} POINT 33.5 -112.${i}`);

/** The job's script with its arguments in the order of the manifest: sizes in bytes. */
const shrink = (sandbox: Sandbox, leader: Tile38Server, above: number, document = "document/config") =>
  sandbox.run("shrink.sh", "127.0.0.1", String(leader.port), join(leader.root, document), String(above), "60");

const fileOf = (leader: Tile38Server) => statSync(join(leader.root, "data/appendonly.aof")).size;

describe.skipIf(without("busybox", "tile38-server"))("shrink.sh", { concurrent: true }, () => {
  test("shrinks a file that has grown, says from what to what, and leaves a smaller one alone", async () => {
    await using sandbox = new Sandbox(model);
    const leader = await sandbox.start("leader", "leader");
    await leader.until("/healthz");
    await leader.send(sets(50_000, 100));
    const before = fileOf(leader);
    expect(before).toBeGreaterThan(2_000_000);

    const { code, said } = await shrink(sandbox, leader, 1_000_000);
    expect(code, said).toBe(0);
    const after = fileOf(leader);
    expect(after).toBeLessThan(20_000);
    expect(said).toMatch(
      new RegExp(`"level":"info","logger":"shrink","msg":"shrunk from ${before} to ${after} bytes in \\d+ s"`),
    );
    expect(said).not.toContain(PASSWORD);
    expect(await leader.objects()).toBe(100);
    expect(readdirSync(join(leader.root, "data")).sort()).toEqual(["appendonly.aof", "queue.db"]);

    expect(await shrink(sandbox, leader, 1_000_000)).toMatchObject({
      code: 0,
      said: expect.stringContaining(`left alone: ${after} bytes are not above 1000000`),
    });
  });

  test("leaves a follower with as much as its leader, also when it has fetched that anew", async ({ expect }) => {
    await using sandbox = new Sandbox(model);
    const leader = await sandbox.start("leader", "leader");
    await leader.until("/healthz");
    await leader.send(sets(20_000, 100));
    const follower = await sandbox.start("follower", "follower", leader.port);
    await follower.until("/healthz");
    // What Tile38ScratchFilling takes for granted: it asks the leader how much its followers keep.
    const sizes = () => [fileOf(follower), fileOf(leader)];
    await expect.poll(() => new Set(sizes()).size, { timeout: 30_000 }).toBe(1);
    const before = fileOf(follower);
    expect(await shrink(sandbox, leader, 1_000)).toMatchObject({ code: 0 });
    await expect.poll(() => new Set(sizes()).size, { timeout: 60_000 }).toBe(1);
    expect(fileOf(follower)).toBeLessThan(before);
    const page = await (await fetch(`http://127.0.0.1:${leader.metricsPort}/metrics`)).text();
    expect(Number(/^tile38_aof_size_bytes (\S+)$/m.exec(page)?.[1])).toBe(fileOf(leader));
  });

  test("warns where what is alive takes more than the limit", async () => {
    await using sandbox = new Sandbox(model);
    const leader = await sandbox.start("leader", "leader");
    await leader.until("/healthz");
    await leader.send(sets(10_000, 5_000));
    const { code, said } = await shrink(sandbox, leader, 10_000);
    expect(code).toBe(0);
    expect(said).toMatch(/"level":"warn".*\d+ bytes are still above 10000/);
  });

  test("fails where the file gets no smaller", async () => {
    await using sandbox = new Sandbox(model);
    const leader = await sandbox.start("leader", "leader");
    await leader.until("/healthz");
    await leader.send(sets(1_000, 1_000));
    const { code, said } = await shrink(sandbox, leader, 10);
    expect(code).toBe(1);
    expect(said).toMatch(/"level":"error".*no smaller after \d+ s/);
  });

  test("fails where the leader refuses, is not there, or the document has no password", async () => {
    await using sandbox = new Sandbox(model);
    const leader = await sandbox.start("leader", "leader");
    await leader.until("/healthz");
    writeFileSync(join(leader.root, "document/other"), '{"requirepass":"other"}');
    writeFileSync(join(leader.root, "document/none"), "{}");
    expect(await shrink(sandbox, leader, 10, "document/other")).toMatchObject({
      code: 1,
      said: expect.stringContaining("answers server+ext with: invalid password"),
    });
    expect(await shrink(sandbox, leader, 10, "document/none")).toMatchObject({
      code: 1,
      said: expect.stringContaining("has no requirepass"),
    });
    await leader.stop();
    expect(await shrink(sandbox, leader, 10)).toMatchObject({
      code: 1,
      said: expect.stringContaining("does not answer server+ext"),
    });
  });
});
