import type { NatsConnection } from "nats";
import { describe, expect, test } from "vitest";
import { openReader } from "../../src/connect/nats.ts";
import type { WireConfig } from "../../src/jetstream/desired.ts";
import { observe } from "../../src/jetstream/observe.ts";
import { refusals } from "../../src/jetstream/refusals.ts";
import { realModel } from "../support/definitions.ts";
import { request } from "../support/jetstream.ts";
import { streamUpdate } from "../support/jetstream-changes.ts";
import { clusterRefusalSuite } from "../support/jetstream-cluster-refusal-suite.ts";
import { judge, refusalSuite } from "../support/jetstream-refusal-suite.ts";
import { restart } from "../support/jetstream-restart.ts";
import { Cluster } from "../support/nats-server.ts";
import { without } from "../support/tools.ts";

describe.skipIf(without("nats-server"))("we refuse what the server refuses, and nothing else", () => {
  refusalSuite("nats-server");
});

describe.skipIf(without("nats-server"))("a subject of another stream", () => {
  const change = (name: string, subjects: readonly string[]) =>
    ({ kind: "stream", name, stream: name, action: "create", config: { name, subjects } }) as const;

  test("refuses a create, unless the plan takes it from the other stream first", async () => {
    await using cluster = await Cluster.start(realModel("local"));
    const connection = await cluster.connect();
    const held = { name: "held", subjects: ["a.>", "b"] };
    await request(connection, "STREAM.CREATE.held", held);
    const wanted = change("wanted", ["a.x"]);
    await using reader = await openReader(cluster.target());
    const observed = await observe(reader, []);
    const version = { major: 2, minor: 14, patch: 9 };
    expect(refusals(wanted, version, { observed, changes: [wanted] })).toMatchObject([
      { field: "subjects", errCode: 10065, says: "held captures a.x, or a part of it" },
    ]);
    const reply = await request(connection, "STREAM.CREATE.wanted", wanted.config);
    expect(reply.error).toMatchObject({ err_code: 10065 });
    const released = await streamUpdate(connection, { ...held, subjects: ["b"] });
    expect(refusals(wanted, version, { observed, changes: [wanted, released] })).toEqual([]);
    await request(connection, "STREAM.UPDATE.held", released.config);
    expect((await request(connection, "STREAM.CREATE.wanted", wanted.config)).error).toBeUndefined();
    await connection.close();
  });
});

describe.skipIf(without("nats-server"))("a sealed stream", () => {
  test("is refused where it is not there yet", async () => {
    await using cluster = await Cluster.start(realModel("local"));
    const connection = await cluster.connect();
    const config = { name: "T", sealed: true };
    const create = { kind: "stream", name: "T", stream: "T", action: "create", config } as const;
    const version = { major: 2, minor: 14, patch: 9 };
    expect(refusals(create, version)).toMatchObject([{ field: "sealed", errCode: 10052 }]);
    expect((await request(connection, "STREAM.CREATE.T", config)).error).toMatchObject({ err_code: 10052 });
    expect(refusals({ ...create, config: { name: "T" } }, version)).toEqual([]);
    expect((await request(connection, "STREAM.CREATE.T", { name: "T" })).error).toBeUndefined();
    await connection.close();
  });
});

/** The one thing that we refuse and the server takes. */
describe.skipIf(without("nats-server"))("first_seq", () => {
  const published = { name: "T", subjects: ["$T.>"] };
  const pairs: readonly (readonly [before: WireConfig, after: WireConfig, left: number])[] = [
    [{}, { first_seq: 21 }, 0],
    [{}, { first_seq: 5 }, 0],
    [{ first_seq: 100 }, { first_seq: 200 }, 0],
    [{ first_seq: 100 }, { first_seq: 100, description: "nothing else" }, 20],
  ];
  test.each(pairs)("%j to %j leaves %i of 20 messages after a restart", async (before, after, left) => {
    await using cluster = await Cluster.start(realModel("local"));
    const connection = await cluster.connect();
    await request(connection, "STREAM.CREATE.T", { ...published, ...before });
    for (let i = 0; i < 20; i++) await connection.jetstream().publish("$T.a");
    const change = await streamUpdate(connection, { ...published, ...after });
    const { server, ours } = await judge(cluster, connection, change);
    expect(server).toEqual([]);
    expect(ours).toEqual(left === 0 ? [0] : []);
    expect(await messages(connection)).toBe(20);
    await connection.close();
    await restart(cluster);
    const again = await cluster.connect();
    expect(await messages(again)).toBe(left);
    await again.close();
  });
});

const messages = async (connection: NatsConnection): Promise<unknown> =>
  ((await request(connection, "STREAM.INFO.T")) as { state?: { messages: number } }).state?.messages;

describe.skipIf(without("nats-server", "test-ca"))("the same in a cluster", () => {
  clusterRefusalSuite("nats-server");
});
