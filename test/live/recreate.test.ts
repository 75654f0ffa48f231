import { describe, expect, test } from "vitest";
import { request } from "../support/jetstream.ts";
import { named, oms, recreating, withConsumer } from "../support/recreating.ts";
import { without } from "../support/tools.ts";

describe.skipIf(without("nats-server"))("--recreate", () => {
  const { connection, planned, applied, cutOffBehind, changed, consumerInfo, messages, read, begin } = recreating();

  test("is what the plan offers where the server refuses, and goes on behind the ack floor", async () => {
    await begin();
    const model = withConsumer({ maxWaiting: 20 });
    const [blocked] = await changed(model);
    expect(blocked?.refusals).toMatchObject([{ errCode: 10012, hint: expect.stringContaining("--recreate") }]);

    const [recreated] = await changed(model, named);
    expect(recreated?.refusals).toEqual([]);
    expect(recreated?.effects.map(({ says }) => says)).toEqual([
      "is cut off while it is away, and fetches or subscribes again: oms (reads orders/oms-orders)",
      expect.stringMatching(
        /^starts behind message 4, its ack floor: 2 messages, about \d+ B, unacknowledged, come again$/,
      ),
      expect.stringMatching(/^what was acknowledged beyond the floor comes twice: at most 1 message, about \d+ B$/),
    ]);
    expect(await applied(model, named)).toEqual({ done: ["orders/oms-orders"], failed: [], notStarted: [] });
    expect(await changed(model)).toEqual([]);
    expect(await read(10, [5])).toEqual([5, 6, 7, 8, 9, 10]);
  });

  test("is no reason for another: what can be changed is changed in place afterwards, at the place it has", async () => {
    const model = withConsumer({ maxWaiting: 20, maxDeliver: 7 });
    expect((await changed(model)).map(({ change }) => change.action)).toEqual(["update"]);
    expect((await applied(model)).failed).toEqual([]);
    expect((await consumerInfo()).ack_floor.stream_seq).toBe(5);
    expect(await changed(model)).toEqual([]);
  });

  test("keeps what only this consumer wants, where retention is interest", async () => {
    await begin({ retention: "interest" });
    const held = await messages();
    expect((await applied(withConsumer({ maxWaiting: 20 }, { retention: "interest" }), named)).failed).toEqual([]);
    expect(await messages()).toBe(held);
    expect(await read(10, [])).toEqual([5, 7, 8, 9, 10]);
  });

  test("takes a work queue as it stands", async () => {
    await begin({ retention: "workqueue" });
    const model = withConsumer({ maxWaiting: 20 }, { retention: "workqueue" });
    expect((await applied(model, named)).failed).toEqual([]);
    expect(await changed(model)).toEqual([]);
    expect(await read(10, [])).toEqual([5, 7, 8, 9, 10]);
  });

  test("turns pull into push", async () => {
    await begin();
    const { maxDeliver } = oms;
    const model = withConsumer({ deliverSubject: "oms.in", maxDeliver });
    const got: string[] = [];
    const subscription = connection().subscribe("oms.in", {
      callback: (_, message) => got.push(message.string()),
    });
    expect((await applied(model, named)).failed).toEqual([]);
    expect(await changed(model)).toEqual([]);
    await expect.poll(() => got).toEqual(["5", "6", "7", "8", "9", "10"]);
    subscription.unsubscribe();
  });

  test("is finished by the next apply where it was cut off in between", async () => {
    await begin({ retention: "interest" });
    const model = withConsumer({ maxWaiting: 20 }, { retention: "interest" });
    const outcome = await applied(model, named, cutOffBehind("oms-orders"));
    expect(outcome.failed.map(({ error }) => error.message)).toEqual([
      "orders/oms-orders is deleted and was not created again: the connection is gone. orders/oms-orders-recreating keeps " +
        "its place, before message 5: apply again once that is mended",
    ]);
    const [rest, ...others] = await changed(model);
    expect(others).toEqual([]);
    expect(rest?.effects.map(({ says }) => says)).toEqual([
      "starts before message 5, where an interrupted run deleted it",
    ]);
    expect((await applied(model)).failed).toEqual([]);
    expect(await changed(model)).toEqual([]);
    expect(await consumerInfo("oms-orders-recreating")).toMatchObject({ error: { err_code: 10014 } });
    expect(await read(10, [])).toEqual([5, 7, 8, 9, 10]);
  });

  test("is refused where the stream has no room for the guard, and done where it has", async () => {
    await begin({ maxConsumers: 1 });
    const [refused] = await changed(withConsumer({ maxWaiting: 20 }, { maxConsumers: 1 }), named);
    expect(refused?.refusals).toMatchObject([
      { errCode: 10026, says: "orders may have 1 consumers, and needs room for 2 while a guard keeps the place" },
    ]);
    const outcome = await applied(withConsumer({ maxWaiting: 20 }, { maxConsumers: 1 }), named);
    expect(outcome.failed.map(({ error }) => error.message)).toEqual([expect.stringContaining("(10026)")]);
    const raised = withConsumer({ maxWaiting: 20 }, { maxConsumers: 2 });
    expect((await applied(raised, named)).failed).toEqual([]);
    expect(await changed(raised)).toEqual([]);
  });

  // Guard, delete, create, delete of the guard: whichever is the last that gets through, the same command finishes it.
  test.each([0, 1, 2, 3, 4])("converges when it is cut off after %i writes to the consumer", async (through) => {
    await begin({ retention: "interest" });
    const model = withConsumer({ maxWaiting: 20 }, { retention: "interest" });
    let writes = 0;
    await applied(model, named, (writer) => ({
      ...writer,
      write: async (verb, names, body) => {
        if (names[0] === "orders" && writes++ >= through) throw new Error("the connection is gone");
        return await writer.write(verb, names, body);
      },
    }));
    expect((await applied(model, named)).failed).toEqual([]);
    expect(await changed(model)).toEqual([]);
    expect(await consumerInfo("oms-orders-recreating")).toMatchObject({ error: { err_code: 10014 } });
    expect(await read(10, [5, 7, 8, 9, 10])).toEqual([5, 7, 8, 9, 10]);
    await expect.poll(messages).toBe(0);
  });

  test("leaves a consumer alone that is called like a guard and is none", async () => {
    await begin();
    const stranger = { name: "oms-orders-recreating", durable_name: "oms-orders-recreating", ack_policy: "explicit" };
    const body = { stream_name: "orders", config: stranger };
    await request(connection(), "CONSUMER.CREATE.orders.oms-orders-recreating", body);
    const { failed } = await applied(withConsumer({ maxWaiting: 20 }), named);
    expect(failed.map(({ error }) => error.message)).toEqual([
      "orders/oms-orders-recreating is in the way: it is somebody's consumer, and recreating needs the name",
    ]);
    expect((await consumerInfo("oms-orders-recreating")).name).toBe("oms-orders-recreating");
    expect((await consumerInfo()).ack_floor.stream_seq).toBe(4);
  });

  test("needs leave where a narrower filter lets messages go", async () => {
    await begin({ retention: "interest" });
    const narrow = withConsumer({ maxWaiting: 20, filterSubject: "orders.paid" }, { retention: "interest" });
    const [planned] = await changed(narrow, named);
    expect(planned?.verdicts).toMatchObject([
      {
        code: "P002",
        says: expect.stringMatching(/^about 5 messages, \d+ B: at most: what no consumer is interested in goes$/),
      },
      { code: "P005" },
    ]);
    expect((await applied(narrow, named)).failed).toEqual([]);
    expect(await messages()).toBe(0);
  });

  test("starts where the definition says, if that is what has changed", async () => {
    await begin();
    const again = withConsumer({ deliverPolicy: "by_start_sequence", optStartSeq: 2 });
    const [planned] = await changed(again, named);
    expect(planned?.effects.map(({ says }) => says)).toContain(
      "starts at by_start_sequence 2 as it says now, not behind message 4, its ack floor",
    );
    expect((await applied(again, named)).failed).toEqual([]);
    expect(await changed(again)).toEqual([]);
    expect((await read(1, []))[0]).toBe(2);
  });

  test("needs no room for a guard where it starts as declared", async () => {
    await begin({ maxConsumers: 1 });
    const again = withConsumer({ deliverPolicy: "by_start_sequence", optStartSeq: 2 }, { maxConsumers: 1 });
    const [planned] = await changed(again, named);
    expect(planned?.refusals).toEqual([]);
    expect((await applied(again, named)).failed).toEqual([]);
    expect((await read(1, []))[0]).toBe(2);
  });

  test("lets a pause go on", async () => {
    await begin();
    const pause_until = new Date(Date.now() + 3_600_000).toISOString();
    await request(connection(), "CONSUMER.PAUSE.orders.oms-orders", { pause_until });
    expect((await applied(withConsumer({ maxWaiting: 20 }), named)).failed).toEqual([]);
    expect(await consumerInfo()).toMatchObject({ paused: true });
  });

  test("is refused where a stream takes away whatever would keep the place", async () => {
    const consumerLimits = { inactiveThreshold: "1h" } as const;
    await begin({ consumerLimits });
    await expect(planned(withConsumer({ maxWaiting: 20 }, { consumerLimits }), named)).rejects.toThrow(
      "--recreate orders/oms-orders would lose its place: consumer_limits.inactive_threshold",
    );
  });

  test("that has been done is noted and no error: a run may be repeated", async () => {
    await begin();
    const model = withConsumer({ maxWaiting: 20 });
    await applied(model, named);
    const { notes, summary } = await planned(model, { ...named, deletions: ["gone"] });
    expect(notes).toEqual([
      "--allow-delete gone: it is not there",
      "--recreate orders/oms-orders: it is as it should be",
    ]);
    expect(summary).toMatchObject({ recreate: 0, delete: 0 });
  });

  test.each([
    ["can be changed in place", { maxDeliver: 9, maxWaiting: 20 }, "orders/oms-orders"],
    ["is no consumer here", {}, "orders"],
    ["is no consumer here", {}, "orders/unheard-of"],
  ])("says that what is named %s", async (reason, consumer, name) => {
    await expect(planned(withConsumer(consumer), { recreations: [name] })).rejects.toThrow(
      `--recreate ${name} ${reason}`,
    );
  });
});
