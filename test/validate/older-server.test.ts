/** A field that is newer than the server, whatever the environment says of its version: blocked, and nothing is applied. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import pc from "picocolors";
import { describe, expect, test } from "vitest";
import { withheldBy } from "../../src/cli/commands/apply.ts";
import { renderPlan } from "../../src/cli/output/plan.ts";
import { openReader, openWriter } from "../../src/connect/nats.ts";
import { apply } from "../../src/jetstream/apply.ts";
import { type Plan, plan } from "../../src/jetstream/plan.ts";
import type { ConsumerInput, StreamInput } from "../../src/model/stream.ts";
import { policy } from "../../src/rules/changes.ts";
import { streams as lock } from "../../streams/sync.ts";
import { circl, repositoryCopy } from "../cli/circl.ts";
import { modelWith, orders } from "../support/definitions.ts";
import { Cluster } from "../support/nats-server.ts";
import { tool, without } from "../support/tools.ts";

const quiet = { holder: "test", lockWait: 0, interrupted: () => false, progress: () => {}, readyTimeout: 60_000 };
const pushed = { name: "flow", service: "oms", ackPolicy: "flow_control", deliverSubject: "orders.flow" } as const;
const wanting = (more: Partial<StreamInput>, consumers: readonly ConsumerInput[] = []) =>
  modelWith({
    key: "local",
    environment: { name: "local", streamFigures: "staging", nats: { servers: 1, tls: false } },
    streams: [...lock, { ...orders, replicas: 1, ...more, ...(consumers.length > 0 ? { consumers } : {}) }],
  });

const said = ({ changes }: Plan): string[] =>
  changes.flatMap(({ verdicts }) => verdicts.map(({ code, says }) => `${code} ${says}`));

describe.skipIf(without("nats-server-2.12"))("nats-server 2.12, given what came with 2.14", () => {
  test.each([
    ["which it would refuse", true],
    ["which it would drop without a word", false],
  ])("%s: all of the plan is blocked before anything is applied", async (_, strict) => {
    await using cluster = await Cluster.start(wanting({}), { strict, binary: tool("nats-server-2.12") });
    await using writer = await openWriter(cluster.target());
    const planned = async (model: ReturnType<typeof wanting>) => await plan(model, writer, policy, Date.now() * 1e6);
    const fresh = { allowBatched: true, description: "with fast batches" };
    const says = [
      "P001 allow_batched: it exists since 2.14, and this server is 2.12.15 (10025)",
      'P001 ack_policy: "flow_control" exists since 2.14, and this server is 2.12.15 (10025)',
    ];

    // By the version that the environment names, all of it is sound.
    const created = await planned(wanting(fresh, [pushed]));
    expect(said(created)).toEqual(says);
    expect(created.summary).toMatchObject({ create: 1, update: 0, blocked: 2 });
    // What `circl apply` asks before it writes; there is no option that gives leave.
    expect(withheldBy(created, { allowLoss: ["orders"], allowIrreversible: ["orders"] })).toHaveLength(2);

    expect(await apply(await planned(wanting({})), writer, quiet)).toMatchObject({ failed: [], notStarted: [] });
    const updated = await planned(wanting(fresh, [pushed]));
    expect(said(updated)).toEqual(says);
    expect(updated.summary).toMatchObject({ create: 0, update: 0, blocked: 2 });
    expect(withheldBy(updated, {})).toHaveLength(2);
  });

  test("circl apply says so, and leaves the server as it was", async () => {
    using copy = repositoryCopy();
    const file = join(copy.path, "streams/oms.ts");
    writeFileSync(file, readFileSync(file, "utf8").replace('maxAge: "7d",', 'maxAge: "7d",\n  allowBatched: true,'));
    await using cluster = await Cluster.start(wanting({}), { binary: tool("nats-server-2.12") });
    const [server = ""] = cluster.target().servers;
    const env = { CIRCL_SERVER: server, CIRCL_USER: "sync", CIRCL_PASSWORD: "loopback-only" };
    const { code, stdout, stderr } = await circl(["apply", "local", "--auto-approve"], { root: copy.path, env });
    expect(stdout).toMatch(
      /\n! stream circl_oms\n {4}P001 allow_batched: it exists since 2\.14, and this server is 2\.12\.15 \(10025\)\. /,
    );
    expect(stderr).toBe("Nothing was applied. Changes marked with ! are refused by the server.\n");
    expect(code).toBe(3);
    await using reader = await openReader(cluster.target());
    expect(await reader.read("INFO")).toMatchObject({ streams: 0 });
  });
});

describe.skipIf(without("nats-server", "nats-server-2.12", "test-ca"))("a cluster that is being upgraded", () => {
  test("is judged by all of its servers, whichever of them answers", async () => {
    const wanted = modelWith({ streams: [{ ...orders, allowBatched: true }] });
    await using cluster = await Cluster.start(wanted, { binary: tool("nats-server-2.12") });
    const { clientPort } = await cluster.restart(0, { binary: tool("nats-server") });
    await using reader = await openReader({ ...cluster.target(), servers: [`127.0.0.1:${clientPort}`] });
    expect(reader.server.version).toMatch(/^2\.14\./);
    const look = { colours: pc.createColors(false), width: 200 };
    // Its routes come back one by one, and one that is late with its answer is not known.
    const shown = async () => renderPlan(await plan(wanted, reader, policy, Date.now() * 1e6), look);
    await expect
      .poll(shown, { timeout: 60_000 })
      .toMatch(
        /, nats-server 2\.14\.\d+ \(circl-production-nats-1 is 2\.12\.15, circl-production-nats-2 is 2\.12\.15\), /,
      );
    expect(said(await plan(wanted, reader, policy, Date.now() * 1e6))).toEqual([
      expect.stringMatching(
        /^P001 allow_batched: it exists since 2\.14, and circl-production-nats-\d is 2\.12\.15 \(10025\)$/,
      ),
    ]);
  });
});
