/** Our refusals against the server's, update by update: both refuse, with the same code, or neither does. */
import type { NatsConnection } from "nats";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openReader } from "../../src/connect/nats.ts";
import type { WireConfig } from "../../src/jetstream/desired.ts";
import type { Change } from "../../src/jetstream/diff.ts";
import { observe } from "../../src/jetstream/observe.ts";
import { refusals } from "../../src/jetstream/refusals.ts";
import { parseVersion } from "../../src/model/version.ts";
import { realModel } from "./definitions.ts";
import { request } from "./jetstream.ts";
import { consumerUpdate, streamUpdate } from "./jetstream-changes.ts";
import { CONSUMER_UPDATES } from "./jetstream-consumer-updates.ts";
import { ORIGINS } from "./jetstream-fields.ts";
import { freshName, serverIsAtLeast } from "./jetstream-round-trip.ts";
import { SEALED_UPDATES, STREAM_UPDATES } from "./jetstream-stream-updates.ts";
import { Cluster } from "./nats-server.ts";
import { tool } from "./tools.ts";

/** What the server says to an update, and what we would have said. */
export interface Judged {
  readonly server: readonly number[];
  readonly ours: readonly number[];
}

export async function judge(
  cluster: Pick<Cluster, "target">,
  connection: NatsConnection,
  change: Change,
): Promise<Judged> {
  await using reader = await openReader(cluster.target());
  const observed = await observe(reader, [change.stream]);
  const version = parseVersion(reader.server.version);
  if (change.action !== "update" || !version) throw new Error(`${change.name} is no update`);
  const ours = refusals(change, version, { observed, changes: [change] });
  const { error } =
    change.kind === "stream"
      ? await request(connection, `STREAM.UPDATE.${change.name}`, change.config)
      : await createConsumer(connection, change.stream, change.config, "update");
  return { server: error ? [error.err_code ?? 0] : [], ours: [...new Set(ours.map(({ errCode }) => errCode))] };
}

export async function createConsumer(
  connection: NatsConnection,
  stream: string,
  config: WireConfig,
  action = "create",
): ReturnType<typeof request> {
  const filter = config.filter_subject ? `.${config.filter_subject}` : "";
  const subject = `CONSUMER.CREATE.${stream}.${config.name}${filter}`;
  return request(connection, subject, { stream_name: stream, config, action });
}

/** A title prints without quotes only as an argument of its own. */
export const titled = <T extends { readonly title: string }>(cases: readonly T[]): [string, T][] =>
  cases.map((one) => [one.title, one]);

export function refusalSuite(server: string): void {
  let cluster: Cluster;
  let connection: NatsConnection;
  const ok = async (reply: ReturnType<typeof request>) => expect((await reply).error?.description).toBeUndefined();
  beforeAll(async () => {
    cluster = await Cluster.start(realModel("local"), { binary: tool(server) });
    connection = await cluster.connect();
    for (const origin of ORIGINS) await ok(request(connection, `STREAM.CREATE.${origin.name}`, origin));
    await ok(request(connection, "STREAM.CREATE.consumed", { name: "consumed", subjects: ["c.>"] }));
  });
  afterAll(async () => {
    await connection?.close();
    await cluster?.[Symbol.asyncDispose]();
  });

  test.each(titled(STREAM_UPDATES))(
    "a stream with %s",
    async (_, { before, after, consumers = [], since = "2.12" }) => {
      if (!serverIsAtLeast(connection, since)) return;
      const name = freshName();
      await ok(request(connection, `STREAM.CREATE.${name}`, { name, ...before }));
      for (const consumer of consumers) await ok(createConsumer(connection, name, consumer));
      const { server, ours } = await judge(cluster, connection, await streamUpdate(connection, { name, ...after }));
      await request(connection, `STREAM.DELETE.${name}`);
      expect(ours).toEqual(server);
    },
  );

  test("a stream with messages and no consumer, and retention interest: refused by us alone", async () => {
    const name = freshName();
    const named = { name, subjects: [`${name}.a`] };
    const interest = () => streamUpdate(connection, { ...named, retention: "interest" });
    await ok(request(connection, `STREAM.CREATE.${name}`, named));
    await connection.jetstream().publish(`${name}.a`);
    await ok(createConsumer(connection, name, { name: "w", durable_name: "w", ack_policy: "explicit" }));
    await using reader = await openReader(cluster.target());
    const ours = async () => {
      const observed = await observe(reader, [name]);
      const change = await interest();
      const version = parseVersion(reader.server.version) ?? { major: 0, minor: 0, patch: 0 };
      return refusals(change, version, { observed, changes: [change] });
    };
    expect(await ours()).toEqual([]);
    await ok(request(connection, `CONSUMER.DELETE.${name}.w`));
    expect(await ours()).toMatchObject([{ field: "retention", hint: expect.stringContaining("the consumers first") }]);
    const judged = await judge(cluster, connection, await interest());
    await request(connection, `STREAM.DELETE.${name}`);
    // 0 is no code of the server's.
    expect(judged).toEqual({ server: [], ours: [0] });
  });

  test.each(titled(SEALED_UPDATES))("a stream with %s", async (_, { before, after }) => {
    const name = freshName();
    await ok(request(connection, `STREAM.CREATE.${name}`, { name }));
    await ok(request(connection, `STREAM.UPDATE.${name}`, { name, ...before }));
    const { server, ours } = await judge(cluster, connection, await streamUpdate(connection, { name, ...after }));
    await request(connection, `STREAM.DELETE.${name}`);
    expect(ours).toEqual(server);
  });

  test.each(titled(CONSUMER_UPDATES))("a consumer with %s", async (_, { before, after, listened }) => {
    const named = { name: "T", durable_name: "T" };
    const listener = listened ? connection.subscribe(String(before.deliver_subject)) : undefined;
    await ok(createConsumer(connection, "consumed", { ...named, ...before }));
    const change = await consumerUpdate(connection, "consumed", { ...named, ...after });
    const { server, ours } = await judge(cluster, connection, change);
    await request(connection, "CONSUMER.DELETE.consumed.T");
    listener?.unsubscribe();
    expect(ours).toEqual(server);
  });
}
