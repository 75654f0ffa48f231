import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { realModel } from "../support/definitions.ts";
import { request } from "../support/jetstream.ts";
import { Cluster } from "../support/nats-server.ts";
import { without } from "../support/tools.ts";
import { circl, temporaryFolder } from "./circl.ts";
import { as } from "./cluster-user.ts";

describe.skipIf(without("nats-server"))("circl plan and circl apply local", () => {
  test("say what is to be done, do it after a yes, and then have nothing to do", async () => {
    await using cluster = await Cluster.start(realModel("local"));
    const before = await circl(["plan", "local", "--detailed-exitcode"], as(cluster));
    expect(before.code).toBe(2);
    expect(before.stdout).toContain("local: standalone circl-local-nats-0 at ");
    expect(before.stdout).toContain("+ stream circl_iot_location\n");
    expect(before.stdout).toMatch(/\nPlan: 17 to create, 0 to update, 0 to delete, 0 blocked\.\n$/);

    const unasked = await circl(["apply", "local"], as(cluster));
    expect({ code: unasked.code, stderr: unasked.stderr }).toEqual({
      code: 3,
      stderr: "Nothing was applied: there is nobody to ask. Give --auto-approve where that is meant.\n",
    });

    const applied = await circl(["apply", "local", "--auto-approve"], as(cluster));
    expect(applied.code).toBe(0);
    expect(applied.stdout).toMatch(/\nApply complete: 17 done, 0 failed, 0 not started\.\n$/);
    expect(applied.stderr).toContain("17/17 created ");

    const after = await circl(["apply", "local"], as(cluster));
    expect(after.code).toBe(0);
    expect(after.stdout).toMatch(/\nNo changes\. 17 unchanged\.\n$/);
  });

  test("delete messages only with leave by name", async () => {
    await using cluster = await Cluster.start(realModel("local"));
    await circl(["apply", "local", "--auto-approve"], as(cluster));
    const connection = await cluster.connect();
    const info = await request(connection, "STREAM.INFO.circl_dlq");
    await request(connection, "STREAM.UPDATE.circl_dlq", { ...info.config, max_msgs: 200_000 });
    for (let i = 0; i < 100_020; i++) connection.publish("circl.dlq.iot.location.updated");
    const stored = async () => (await (await connection.jetstreamManager()).streams.info("circl_dlq")).state.messages;
    await expect.poll(stored, { timeout: 20_000 }).toBe(100_020);
    const refused = await circl(["apply", "local", "--auto-approve"], as(cluster));
    expect(refused.code).toBe(3);
    expect(refused.stdout).toContain(
      "P002 20 messages, about 1.2 KiB: the oldest messages go at once. Needs --allow-loss circl_dlq.",
    );
    expect(refused.stderr).toContain("Nothing was applied. To give leave: --allow-loss circl_dlq");
    const document = JSON.parse((await circl(["plan", "local", "--json"], as(cluster))).stdout);
    expect(document.changes.find(({ name }: { name: string }) => name === "circl_dlq").effects).toEqual([
      { kind: "loses", says: "the oldest messages go at once", messages: 20, bytes: 1_200, bytesAbout: true },
    ]);
    const comment = await circl(["plan", "local", "--format", "markdown"], as(cluster));
    expect(comment.stdout).toContain("P002 20 messages, about 1.2 KiB: the oldest messages go at once.");
    const left = await circl(["apply", "local", "--auto-approve", "--allow-loss", "circl_dlq"], as(cluster));
    expect(left.code).toBe(0);
    expect(await stored()).toBe(100_000);
    await connection.close();
  });

  test("never send what the server refuses", async () => {
    await using cluster = await Cluster.start(realModel("local"));
    const connection = await cluster.connect();
    await request(connection, "STREAM.CREATE.circl_audit", {
      name: "circl_audit",
      subjects: ["$JS.EVENT.ADVISORY.>"],
      storage: "memory",
    });
    await connection.close();
    const { code, stdout } = await circl(["plan", "local"], as(cluster));
    expect(code).toBe(3);
    expect(stdout).toContain("! stream circl_audit");
    expect(stdout).toContain("P001 storage: the storage type cannot change (10052).");
    expect((await circl(["apply", "local", "--auto-approve"], as(cluster))).code).toBe(3);
  });

  test("keep a plan in a file, apply it while it holds, and refuse it when something has moved", async () => {
    await using cluster = await Cluster.start(realModel("local"));
    using folder = temporaryFolder();
    const file = join(folder.path, "plan.json");
    await circl(["plan", "local", "--out", file], as(cluster));
    const kept = readFileSync(file, "utf8");
    expect(JSON.parse(kept)).toMatchObject({ formatVersion: 2, environment: "local", server: { version: "2.14.9" } });
    expect(kept).not.toContain("loopback-only");

    const connection = await cluster.connect();
    await request(connection, "STREAM.CREATE.circl_dlq", { name: "circl_dlq", subjects: ["circl.dlq.>"] });
    const stale = await circl(["apply", "local", "--plan", file], as(cluster));
    expect({ code: stale.code, stderr: stale.stderr }).toEqual({
      code: 1,
      stderr: `Nothing was applied: ${file} no longer holds.\n- circl_dlq has changed on the server\nPlan again.\n`,
    });

    await request(connection, "STREAM.DELETE.circl_dlq");
    await connection.close();
    const applied = await circl(["apply", "local", "--plan", file], as(cluster));
    expect(applied.code).toBe(0);
    expect(applied.stdout).toContain("Apply complete: 17 done, 0 failed, 0 not started.");
    const again = await circl(["apply", "local", "--plan", file], as(cluster));
    expect(again.code).toBe(1);
    expect(again.stderr).toContain("- circl_iot: there is nothing to create any more");
  });

  test("take no more than was approved with the plan, but for what was published since", async () => {
    await using cluster = await Cluster.start(realModel("local"));
    using folder = temporaryFolder();
    const file = join(folder.path, "plan.json");
    await circl(["apply", "local", "--auto-approve"], as(cluster));
    const connection = await cluster.connect();
    const info = await request(connection, "STREAM.INFO.circl_dlq");
    // Unlimited by hand: what is over the declared 100 000 goes.
    await request(connection, "STREAM.UPDATE.circl_dlq", { ...info.config, max_msgs: -1 });
    let sent = 0;
    const publish = async (count: number) => {
      for (let i = 0; i < count; i++) connection.publish("circl.dlq.iot.location.updated");
      sent += count;
      const stored = async () => (await (await connection.jetstreamManager()).streams.info("circl_dlq")).state.messages;
      await expect.poll(stored, { timeout: 20_000 }).toBe(sent);
    };
    const apply = () => circl(["apply", "local", "--plan", file, "--allow-loss", "circl_dlq"], as(cluster));
    await publish(100_010);
    await circl(["plan", "local", "--out", file], as(cluster));
    expect(JSON.parse(readFileSync(file, "utf8")).changes).toMatchObject([
      { name: "circl_dlq", takes: { messages: 10, bytes: 600, lastSequence: 100_010 } },
    ]);

    await publish(11);
    const refused = await apply();
    expect({ code: refused.code, stderr: refused.stderr }).toEqual({
      code: 1,
      stderr:
        `Nothing was applied: ${file} no longer holds.\n` +
        "- circl_dlq: it would take 21 messages, 1.2 KiB, and 10 messages, 600 B were approved\nPlan again.\n",
    });
    expect((await (await connection.jetstreamManager()).streams.info("circl_dlq")).state.messages).toBe(sent);

    await circl(["plan", "local", "--out", file], as(cluster));
    await publish(9);
    expect((await apply()).code).toBe(0);
    expect((await (await connection.jetstreamManager()).streams.info("circl_dlq")).state.messages).toBe(100_000);
    await connection.close();
  });

  test("refuse a file that is no plan", async () => {
    using folder = temporaryFolder();
    const file = join(folder.path, "plan.json");
    writeFileSync(file, '{"formatVersion":1}');
    const { code, stderr } = await circl(["apply", "local", "--plan", file, "--server", "127.0.0.1:1"]);
    expect(code).toBe(64);
    expect(stderr).toContain(`${file}: formatVersion is not what a plan of format version 2 has there`);
  });

  test("write a comment for a pull request", async () => {
    await using cluster = await Cluster.start(realModel("local"));
    const { stdout } = await circl(["plan", "local", "--format", "markdown"], as(cluster));
    expect(stdout).toMatch(/^<!-- circl plan local -->\n### Streams of local: Plan: 17 to create, /);
    expect(stdout).toContain("```diff\n");
  });

  test("print one JSON document with --json", async () => {
    await using cluster = await Cluster.start(realModel("local"));
    const { stdout } = await circl(["plan", "local", "--json"], as(cluster));
    expect(JSON.parse(stdout)).toMatchObject({
      formatVersion: 1,
      environment: "local",
      server: { name: "circl-local-nats-0", version: "2.14.9" },
      summary: { create: 17, update: 0, blocked: 0 },
    });
  });
});
