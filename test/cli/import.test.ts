import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test, vi } from "vitest";
import { importFound, run } from "../../src/cli/commands/import.ts";
import { renderDefinitions } from "../../src/cli/output/definitions.ts";
import { openReader } from "../../src/connect/nats.ts";
import { desiredState } from "../../src/jetstream/desired.ts";
import { importStream } from "../../src/jetstream/import.ts";
import { findLive } from "../../src/jetstream/import-live.ts";
import { realModel } from "../support/definitions.ts";
import { EVERYTHING } from "../support/every-field.ts";
import { createAll, request } from "../support/jetstream.ts";
import { Cluster, stop } from "../support/nats-server.ts";
import { without } from "../support/tools.ts";
import { root, temporaryFolder } from "./circl.ts";
import { changesAfterImport } from "./imported.ts";
import { evaluate, typeErrors } from "./printed-definitions.ts";

const legacy = (name: string): string => fileURLToPath(new URL(`../fixtures/legacy/${name}.json`, import.meta.url));

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

/** Runs the command and gives what it wrote. */
async function imported(files: readonly string[], options: { env: string; server?: string; user?: string }) {
  const written = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    vi.spyOn(process[stream], "write").mockImplementation((text) => {
      written[stream] += text;
      return true;
    });
  }
  const code = await run(files, { timeout: "5000", ...options });
  vi.restoreAllMocks();
  return { code, ...written };
}

describe("circl import of files", () => {
  test("prints the legacy streams as definitions, and that two of them want one subject", async () => {
    const { code, stdout, stderr } = await imported(
      [legacy("iot-prod"), legacy("iot_location-prod"), legacy("oms-prod")],
      { env: "production" },
    );
    expect(code).toBe(1);
    expect(stdout).toContain(`import { defineStream } from "../src/model/stream.ts";

const circlIot = defineStream({
  name: "circl_iot",
  subjects: ["circl.iot.>"],
  retention: "limits",
  storage: "file",
  discard: "old",
  replicas: 3,
  maxMsgs: 1_000_000,
  maxBytes: "1GiB",
  maxAge: "7d",
  maxMsgSize: "1MiB",
});
`);
    expect(stdout).toMatch(/\nexport const streams = \[circlIot, circlIotLocation, circlOms\];\n$/);
    expect(stderr).toContain(
      'error S012 streams/imported.ts: circl_iot_location.subjects[0] "circl.iot.location.>" overlaps "circl.iot.>" of circl_iot',
    );
    expect(stderr).toContain("\n3 streams, 0 consumers imported: 1 error, 3 warnings by `circl check` once this is in");
  });

  test("prints one that breaks no rule with exit code 0, and counts that nobody is said to publish", async () => {
    const { code, stdout, stderr } = await imported([legacy("oms-staging")], { env: "staging" });
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: "1 stream, 0 consumers imported: 0 errors, 1 warning by `circl check` once this is in streams/.\n",
    });
    const { streams } = await evaluate(stdout);
    expect(streams[0]).toMatchObject({ name: "circl_oms", maxMsgs: 100_000, maxBytes: "100MiB", maxAge: "3d" });
  });

  test("says what definitions cannot say, and what is no stream", async () => {
    using folder = temporaryFolder();
    const file = (name: string, text: string) => {
      const path = join(folder.path, name);
      writeFileSync(path, text);
      return path;
    };
    const stream = { name: "orders", subjects: ["orders.>"], max_bytes: 1_000, template_owner: "old" };
    const newer = { durable_name: "oms-newer", ack_policy: "explicit", mood_policy: "calm" };
    const pull = { durable_name: "oms-pull", ack_policy: "explicit", max_deliver: 3 };
    const { code, stdout, stderr } = await imported(
      [
        file("stream.json", JSON.stringify({ type: "io.nats.jetstream.api.v1.stream_info_response", config: stream })),
        file("newer.json", JSON.stringify({ stream_name: "orders", name: "oms-newer", config: newer })),
        file("pull.json", JSON.stringify({ stream_name: "orders", name: "oms-pull", config: pull })),
        file("lost.json", JSON.stringify({ stream_name: "gone", config: pull })),
        file("bare.json", JSON.stringify(pull)),
        file("broken.json", "{"),
      ],
      { env: "production" },
    );
    expect(code).toBe(1);
    expect(stdout).toContain('  consumers: [defineConsumer({ name: "oms-pull", service: "oms" })],\n');
    expect(stdout).toContain('  // On the server there is also template_owner "old".\n');
    expect(stdout).toContain('  // Left out: the consumer oms-newer, for its mood_policy "calm".\n');
    expect(stderr).toContain('! orders has template_owner "old", which definitions cannot say: a plan would take it');
    expect(stderr).toContain(
      '! orders/oms-newer has mood_policy "calm", which definitions cannot say: the consumer is left out',
    );
    expect(stderr).toMatch(/! .*lost\.json is a consumer of gone, but no file has that stream\n/);
    expect(stderr).toMatch(/! .*bare\.json is neither a stream /);
    expect(stderr).toMatch(/! .*broken\.json is no JSON object\n/);
    expect(stderr).toContain(" 5 problems with what is there.\n");
  });

  test("needs to be told from where", async () => {
    await expect(run([], { env: "local", timeout: "5000" })).rejects.toThrow("from where? Name JSON files, or give");
    await expect(run(["none.json"], { env: "local", timeout: "5000" })).rejects.toThrow("there is no file none.json");
    await expect(run([], { env: "lokal", timeout: "5000" })).rejects.toThrow("Did you mean local?");
  });
});

describe("the printed file", () => {
  const printed = (...configs: object[]) =>
    renderDefinitions(
      configs.map((config) => importStream({ config: config as Record<string, unknown>, consumers: [] }, [])),
    );

  test("has names that JavaScript takes, each once", () => {
    const text = printed(
      ...["circl_iot", "circl-iot", "streams", "delete", "7days", "ORDERS"].map((name) => ({ name })),
    );
    expect(text).toMatch(
      /export const streams = \[circlIot, circlIot2, streams2, streamDelete, stream7days, oRDERS\];\n$/,
    );
  });

  test("says nothing but what was found, whatever characters are in it", async () => {
    const description = "\"}); process.exit(1); // ' \\ \u2028 \u0000";
    const text = printed({ name: "odd", description, subjects: ["a.'b"], template_owner: "\u2028process.exit(1)" });
    const { streams } = await evaluate(text);
    expect(streams).toEqual([
      {
        name: "odd",
        description,
        subjects: ["a.'b"],
        retention: "limits",
        storage: "file",
        discard: "old",
        replicas: 1,
      },
    ]);
  });

  test("lists the 20 busiest patterns and counts the rest", () => {
    const kinds = "abcdefghijkl".split("");
    const subjects = new Map(kinds.flatMap((a, i) => ["x", "y"].map((b) => [`t.${a}.${b}`, 1_000 + i] as const)));
    const text = renderDefinitions([
      importStream({ config: { name: "t", subjects: ["t.>"] }, consumers: [], subjects }, []),
    ]);
    expect(text).toContain("  // 1_011  t.l.x\n  // 1_011  t.l.y\n");
    expect(text).toContain("  // 1_002  t.c.y\n  // and 4 quieter patterns\n  publishers: [");
  });
});

describe.skipIf(without("nats-server"))("circl import from a live server", () => {
  test("gives what was applied: the plan has nothing to do but to mark it", async () => {
    await using cluster = await Cluster.start(realModel("local"));
    const connection = await cluster.connect();
    await createAll(connection, desiredState(realModel("local")));
    await connection.close();
    await using reader = await openReader(cluster.target());
    const { streams } = importFound(await findLive(reader), "local");
    const changes = await changesAfterImport(cluster, streams);
    expect(changes).toContain("circl_iot_location: metadata");
    expect(changes).toContain("circl_oms/oms-delivery: none");
    expect(changes.filter((change) => !/: (none|metadata)$/.test(change))).toEqual([]);
    const { streams: evaluated } = await evaluate(renderDefinitions(streams));
    expect(evaluated).toEqual(streams.map(({ definition }) => definition));

    vi.stubEnv("CIRCL_PASSWORD", "loopback-only");
    const printed = await imported([], { env: "local", server: cluster.target().servers.join(), user: "sync" });
    expect(printed.code).toBe(0);
    expect(printed.stdout).toContain(
      'import { defineConsumer, defineStream, SERVER } from "../src/model/stream.ts";\n',
    );
    expect(printed.stdout).toContain('  publishers: [{ service: SERVER, subject: "$JS.EVENT.ADVISORY.>", data: {');
    expect(printed.stdout).toContain('    defineConsumer({ name: "bff-iot", service: "bff" }),\n');
    expect(printed.stderr).toMatch(/^\d+ streams, 9 consumers imported: 0 errors, \d+ warnings? by `circl check`/);
  });

  test("gives every field that can be said, in units that lose nothing", async () => {
    await using cluster = await Cluster.start(realModel("local"));
    const connection = await cluster.connect();
    for (const [subject, body] of EVERYTHING)
      expect(await request(connection, subject, body)).not.toHaveProperty("error");
    for (let i = 0; i < 60; i++) connection.publish(`all.order.${i % 30}.${i % 2 ? "created" : "paid"}`);
    connection.publish("all.news");
    await connection.flush();
    await using reader = await openReader(cluster.target());
    const report = importFound(await findLive(reader), "local");
    expect(report.problems).toEqual([]);
    expect(report.notes).toEqual([{ name: "all/passing", says: "is left out: it is not durable" }]);
    const changes = await changesAfterImport(cluster, report.streams);
    expect(changes).toEqual([
      "KV_settings: metadata",
      "all: metadata",
      "all/iot-last: metadata",
      "all/oms-none: metadata",
      "all/oms-push: metadata",
      "all/oms-slow: metadata",
      "all/passing: unmanaged",
      "copy: metadata",
      "second: metadata",
    ]);
    const text = renderDefinitions(report.streams);
    const { streams } = await evaluate(text);
    expect(streams).toEqual(report.streams.map(({ definition }) => definition));
    for (const line of [
      `  description: 'says "everything"\\nfor the SERVER',`,
      '  maxBytes: "1500000B",',
      '  maxAge: "90s",',
      '  duplicateWindow: "1500.000001ms",',
      '  consumerLimits: { inactiveThreshold: "1h", maxAckPending: 500 },',
      '  metadata: { "needs-quotes": "yes", service: "nats-server" },',
      "  // 30  all.order.*.created",
      '  publishers: [{ service: "unknown", subject: "all.>", data: { sensitivity: "unstated" } }],',
      '    { name: "oms-none", service: "oms", deliverPolicy: "new", ackPolicy: "none" },',
      '    { name: "all", subjectTransforms: [{ src: "all.order.>", dest: "copy.order.>" }], optStartSeq: 100 },',
    ]) {
      expect(text).toContain(`${line}\n`);
    }
    expect(report.broken.filter(({ code }) => ["S005", "S050"].includes(code)).map(({ place }) => place)).toEqual([
      "streams/imported.ts: all.publishers[0].service",
      "streams/imported.ts: all.publishers[0].data",
    ]);
    expect(typeErrors(text)).toBe("");
    expect(
      execFileSync("npx", ["biome", "format", "--stdin-file-path=streams/imported.ts"], {
        input: text,
        cwd: root,
      }).toString(),
    ).toBe(text);
    await connection.close();
  });

  test("says which streams did not answer", async () => {
    await using cluster = await Cluster.start(realModel("staging"));
    const connection = await cluster.connect();
    await createAll(connection, desiredState(realModel("staging")));
    const info = await request(connection, "STREAM.INFO.circl_oms");
    await connection.close();
    const holder = cluster.servers[Number(info.cluster?.leader?.at(-1))];
    if (!holder) throw new Error("no leader");
    await stop(holder.process);
    await using reader = await openReader(cluster.target());
    const { streams, problems } = importFound(await findLive(reader), "staging");
    expect(streams.map(({ definition }) => definition.name)).not.toContain("circl_oms");
    expect(problems).toContainEqual({ name: "circl_oms", says: "is not imported: its servers do not answer" });
  });
});
