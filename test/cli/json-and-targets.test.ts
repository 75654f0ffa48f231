import { describe, expect, test } from "vitest";
import { realModel } from "../support/definitions.ts";
import { request } from "../support/jetstream.ts";
import { Cluster } from "../support/nats-server.ts";
import { without } from "../support/tools.ts";
import { circl } from "./circl.ts";
import { as } from "./cluster-user.ts";

describe.skipIf(without("nats-server"))("for programs and pull requests", () => {
  test("circl apply --json is the plan and what became of it as one document; words go to stderr", async () => {
    await using cluster = await Cluster.start(realModel("local"));
    const unasked = await circl(["apply", "local", "--json"], as(cluster));
    expect(unasked.code).toBe(3);
    expect(JSON.parse(unasked.stdout)).toMatchObject({ environment: "local", summary: { create: 17 } });
    expect(JSON.parse(unasked.stdout)).not.toHaveProperty("outcome");
    expect(unasked.stderr).toContain("Nothing was applied: there is nobody to ask.");

    const applied = await circl(["apply", "local", "--auto-approve", "--json"], as(cluster));
    const { formatVersion, outcome } = JSON.parse(applied.stdout);
    expect({ code: applied.code, formatVersion }).toEqual({ code: 0, formatVersion: 1 });
    expect(outcome).toMatchObject({ failed: [], notStarted: [] });
    expect(outcome.done).toHaveLength(17);
    expect(applied.stderr).toContain("Plan: 17 to create");
    expect(applied.stderr).toContain("17/17 created ");

    const again = await circl(["apply", "local", "--json"], as(cluster));
    expect(again.code).toBe(0);
    expect(JSON.parse(again.stdout)).toMatchObject({ summary: { create: 0, unchanged: 17 }, changes: [] });
  });

  test("circl status looks at the streams that are named, and folds what is well in a comment", async () => {
    await using cluster = await Cluster.start(realModel("local"));
    await circl(["apply", "local", "--auto-approve"], as(cluster));
    const connection = await cluster.connect();
    const { config } = await request(connection, "STREAM.INFO.circl_dlq");
    await request(connection, "STREAM.UPDATE.circl_dlq", { ...config, max_msgs: 7 });
    await connection.close();

    const other = await circl(["status", "local", "--target", "circl_oms", "--json"], as(cluster));
    const { streams, consumers, summary } = JSON.parse(other.stdout);
    expect(other.code).toBe(0);
    expect(streams.map(({ name }: { name: string }) => name)).toEqual(["circl_oms"]);
    expect(new Set(consumers.map(({ name }: { name: string }) => name.split("/")[0]))).toEqual(new Set(["circl_oms"]));
    expect(summary).toMatchObject({ streams: 1, problems: 0 });
    const folded = await circl(["status", "local", "--target", "circl_oms", "--format", "markdown"], as(cluster));
    expect(folded.stdout).toMatch(
      /^<!-- circl status local -->\n### Status of local: 1 stream, 4 consumers: 0 problems\./,
    );
    expect(folded.stdout).toContain("<details><summary>Status</summary>");

    const changed = await circl(["status", "local", "--target", "circl_dlq", "--format", "markdown"], as(cluster));
    expect(changed.code).toBe(1);
    expect(changed.stdout).toContain("<details open><summary>Status</summary>");
    expect(changed.stdout).toContain("! circl_dlq is not as declared: max_msgs\n    max_msgs 7 -> 100000\n");

    const wrong = await circl(["status", "local", "--target", "circl_omss"], as(cluster));
    expect(wrong.code).toBe(64);
    expect(wrong.stderr).toContain('there is no stream "circl_omss" (Did you mean circl_oms?)');
  });
});
