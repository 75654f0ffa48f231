/** What every version of the server must hold to: everybody's account is a wall, and what crosses it arrives as it was sent. */
import { headers, type Msg, type NatsConnection } from "nats";
import { expect, test } from "vitest";
import type { Model } from "../../src/model/resolve.ts";
import { type Backbone, startBackbone } from "./identities.ts";
import { applyAll } from "./permission-suite.ts";

interface Kind {
  readonly binary: () => string;
  readonly model: Model;
}

/** What an empty message there would do, and whom it would reach, were it heard in the account with the streams. */
const ELSEWHERE = [
  "$JS.API.STREAM.DELETE.circl_iot",
  "$JS.API.STREAM.PURGE.circl_iot",
  "$JS.API.STREAM.DELETE.circl_audit",
  "$JS.API.CONSUMER.DELETE.circl_iot.bff-iot",
  "$JS.API.CONSUMER.MSG.NEXT.circl_iot.bff-iot",
  "circl.iot.command.lock",
  "circl.dlq.iot.location.updated",
  "circl.audit.connect.CIRCL",
  "circl.sync.lock",
  "_INBOX_bff.forged",
];

export function crossingSuite({ binary, model }: Kind): void {
  test("an answer that is sent elsewhere, empty or not, reaches nothing and nobody", async () => {
    await using backbone = await startBackbone(model, { binary: binary() });
    await applyAll(backbone, model);
    const [oms, bff, dms, sync] = await everybody(backbone, "oms", "bff", "dms", "stream-sync");
    const [monitor, operator] = await everybody(backbone, "monitor", "operator-streams");
    const forged: string[] = [];
    bff.subscribe("_INBOX_bff.forged", { callback: (_, { subject }) => forged.push(subject) });
    await bff.jetstream().publish("circl.iot.command.lock", "{}");
    await bff.jetstream().publish("circl.oms.command.cancel", "first");
    const before = await states(sync, model);

    const durable = "$JS.API.CONSUMER.MSG.NEXT.circl_oms";
    const taken = await next(oms, `${durable}.oms-commands`, { batch: 1, expires: 20e9 });
    for (const reply of ELSEWHERE) {
      // A fetch that finds nothing, at once and after a while; an acknowledgement; a published message that is confirmed.
      oms.publish(`${durable}.oms-delivery`, JSON.stringify({ batch: 1, no_wait: true }), { reply });
      oms.publish(`${durable}.oms-delivery`, JSON.stringify({ batch: 1, expires: 50e6 }), { reply });
      oms.publish(taken.reply ?? "", "+ACK", { reply });
      oms.publish("circl.dlq.oms.order.created", "{}", { reply });
      // A question about a consumer; a direct get that finds nothing, of who reads the audit; what operators may ask.
      oms.publish("$JS.API.CONSUMER.INFO.circl_oms.oms-commands", "", { reply });
      for (const reader of [monitor, operator]) {
        reader.publish("$JS.API.DIRECT.GET.circl_audit", JSON.stringify({ seq: 1, next_by_subj: "no.such" }), {
          reply,
        });
        reader.publish("$JS.API.STREAM.INFO.circl_oms", "", { reply });
      }
    }
    await Promise.all([oms, monitor, operator].map((connection) => connection.flush()));
    // Behind all of it: a fetch that expires, a direct get, and a change that the group which deletes streams agrees on.
    await next(oms, `${durable}.oms-delivery`, { batch: 1, expires: 1e9 });
    await monitor.request("$JS.API.DIRECT.GET.circl_audit", JSON.stringify({ seq: 1, next_by_subj: "no.such" }));
    await sync.request("$JS.API.STREAM.CREATE.behind", JSON.stringify({ name: "behind", subjects: ["behind"] }));
    await sync.request("$JS.API.STREAM.DELETE.behind");

    const letters = { circl_dlq: (before.circl_dlq ?? 0) + ELSEWHERE.length };
    await expect.poll(() => states(sync, model), { timeout: 20_000 }).toEqual({ ...before, ...letters });
    await bff.flush();
    expect(forged).toEqual([]);
    // The durable of bff was asked for nothing: its message is still to be had.
    const left = await bff.jetstream().consumers.get("circl_iot", "bff-iot");
    expect((await left.info()).num_pending).toBe(1);
    await Promise.all([oms, bff, dms, sync, monitor, operator].map((connection) => connection.close()));
  });

  test("messages arrive in order, whole and once, with their headers and no others", async () => {
    await using backbone = await startBackbone(model, { binary: binary() });
    await applyAll(backbone, model);
    const [oms, dms, operator] = await everybody(backbone, "oms", "dms", "operator-streams");
    const named = headers();
    named.set("Trace", "abc");
    for (const duplicate of [false, true]) {
      const ack = await oms.jetstream().publish("circl.oms.order.created", "0", { msgID: "order-0", headers: named });
      expect(ack).toMatchObject({ stream: "circl_oms", seq: 1, duplicate });
    }
    // Not waiting for one before the next.
    for (let i = 1; i < 200; i++) oms.publish("circl.oms.order.created", String(i));
    await oms.flush();
    // As large as the stream takes them, in one that is pulled in batches.
    const large = new Uint8Array(1_048_576 - 100).fill(65);
    await oms.jetstream().publish("circl.oms.order.created", large, { timeout: 20_000 });
    const consumer = await dms.jetstream().consumers.get("circl_oms", "dms-orders");
    const got: string[] = [];
    const sizes: number[] = [];
    for await (const message of await consumer.consume({ max_messages: 50 })) {
      if (message.seq === 1)
        expect(Object.fromEntries(message.headers ?? [])).toEqual({
          Trace: ["abc"],
          "Nats-Msg-Id": ["order-0"],
        });
      else expect(message.headers?.keys() ?? []).toEqual([]);
      got.push(message.seq === 201 ? "large" : message.string());
      sizes.push(message.data.length);
      expect(await message.ackAck()).toBe(true);
      if (got.length === 201) break;
    }
    expect(got).toEqual([...Array.from({ length: 200 }, (_, i) => String(i)), "large"]);
    expect(sizes.at(-1)).toBe(large.length);
    expect(await consumer.info()).toMatchObject({ num_ack_pending: 0, num_redelivered: 0, num_pending: 0 });
    await Promise.all([oms, dms, operator].map((connection) => connection.close()));
  });

  test("the audit says who asked, by key and account", async () => {
    await using backbone = await startBackbone(model, { binary: binary() });
    await applyAll(backbone, model);
    const [oms, monitor] = await everybody(backbone, "oms", "monitor");
    const asked: object[] = [];
    monitor.subscribe("$JS.EVENT.ADVISORY.API", {
      callback: (_, message) => {
        const { subject, client } = message.json<{ subject: string; client: object }>();
        if (subject === "$JS.API.CONSUMER.INFO.circl_oms.oms-commands") asked.push(client);
      },
    });
    await monitor.flush();
    await oms.jetstream().consumers.get("circl_oms", "oms-commands");
    const user = backbone.credentials.documents.oms?.current;
    await expect
      .poll(() => asked, { timeout: 20_000 })
      .toContainEqual(expect.objectContaining({ acc: "oms", svc: "CIRCL", user, host: "127.0.0.1", kind: "Client" }));
    await Promise.all([oms, monitor].map((connection) => connection.close()));
  });
}

const everybody = async <const T extends readonly string[]>(
  { as }: Backbone,
  ...names: T
): Promise<{ [K in keyof T]: NatsConnection }> => (await Promise.all(names.map((name) => as(name)))) as never;

/** The next message of a durable, or what the server says instead, under whatever subject it comes. */
const next = (connection: NatsConnection, subject: string, settings: object): Promise<Msg> =>
  connection.request(subject, JSON.stringify(settings), { noMux: true, timeout: 20_000 });

/** Messages and consumers of every stream but the audit's, which what is asked here fills. */
async function states(sync: NatsConnection, model: Model): Promise<Record<string, number>> {
  const found = await Promise.all(
    model.streams.map(async ({ name }) => {
      const reply = await sync.request(`$JS.API.STREAM.INFO.${name}`, "", { timeout: 10_000 });
      const { state } = reply.json<{ state?: { messages: number; consumer_count: number } }>();
      if (!state) return [[name, -1] as const];
      const audited = name.startsWith("circl_audit");
      return [[name, audited ? 0 : state.messages] as const, [`consumers of ${name}`, state.consumer_count] as const];
    }),
  );
  return Object.fromEntries(found.flat());
}
