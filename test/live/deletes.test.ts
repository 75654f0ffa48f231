import { describe, expect, test } from "vitest";
import { openWriter } from "../../src/connect/nats.ts";
import type { ConsumerInfo } from "../../src/jetstream/api.ts";
import { apply } from "../../src/jetstream/apply.ts";
import { plan } from "../../src/jetstream/plan.ts";
import type { Model } from "../../src/model/resolve.ts";
import { policy } from "../../src/rules/changes.ts";
import { streams as lock } from "../../streams/sync.ts";
import { modelWith, orders } from "../support/definitions.ts";
import { type ChooseFault, FaultProxy, type MakeUp } from "../support/fault-proxy.ts";
import { Cluster } from "../support/nats-server.ts";
import { without } from "../support/tools.ts";

const reader = { name: "oms-orders", service: "oms" } as const;
const withOrders = (...streams: readonly object[]): Model =>
  modelWith({
    key: "local",
    environment: { name: "local", streamFigures: "staging", nats: { servers: 1, tls: false } },
    streams: [...lock, ...streams.map((one) => ({ ...orders, replicas: 1, ...one }))],
  });
const quiet = { holder: "test", lockWait: 0, interrupted: () => false, progress: () => {} };

describe.skipIf(without("nats-server"))("a delete", () => {
  /** Deletes `name` over a wire that is spoiled, and says what became of it and what is there afterwards. */
  async function deleting(name: string, after: Model, choose: ChooseFault, makeUp?: MakeUp) {
    const before = withOrders({ consumers: [reader] });
    await using cluster = await Cluster.start(before);
    await using direct = await openWriter(cluster.target());
    await apply(await plan(before, direct, policy, Date.now() * 1e6), direct, { ...quiet, readyTimeout: 20_000 });
    await using proxy = await FaultProxy.start(cluster.servers[0]?.clientPort ?? 0, choose, makeUp);
    const target = { ...cluster.target(), servers: [`127.0.0.1:${proxy.port}`], timeout: 1_000 };
    await using writer = await openWriter(target);
    const planned = await plan(after, writer, policy, Date.now() * 1e6, { deletions: [name] });
    const { done, failed } = await apply(planned, writer, { ...quiet, readyTimeout: 1_000 });
    const { changes } = await plan(before, direct, policy, Date.now() * 1e6);
    return {
      done,
      failed: failed.map(({ error }) => error.message),
      gone: changes.flatMap(({ change }) => (change.action === "create" ? [change.name] : [])),
      spoiled: proxy.spoiled,
    };
  }
  const none: ChooseFault = () => "none";
  const deletes = (subject: string) => /\.DELETE\./.test(subject);

  test.each([
    ["orders", withOrders(), "$JS.API.STREAM.DELETE.orders"],
    ["orders/oms-orders", withOrders({}), "$JS.API.CONSUMER.DELETE.orders.oms-orders"],
  ])("of %s that was answered and has not happened is no success", async (name, after, subject) => {
    const lie = (asked: string) => (deletes(asked) ? { success: true } : undefined);
    expect(await deleting(name, after, none, lie)).toEqual({
      done: [],
      failed: [`${name} was deleted, says the server, and is still there. Plan again: it may have been created anew.`],
      gone: [],
      spoiled: [subject],
    });
  });

  test("whose answer was lost is done all the same, and read back", async () => {
    let lost = 0;
    const choose: ChooseFault = (_, subject) => (deletes(subject) && lost++ === 0 ? "drop" : "none");
    expect(await deleting("orders", withOrders(), choose)).toEqual({
      done: ["orders"],
      failed: [],
      gone: ["orders", "orders/oms-orders"],
      spoiled: ["$JS.API.STREAM.DELETE.orders"],
    });
  });

  test("of which nobody says whether it happened is no success either", async () => {
    let deleted = false;
    const choose: ChooseFault = (_, subject) => {
      deleted ||= deletes(subject);
      return deleted && subject === "$JS.API.STREAM.INFO.orders" ? "drop" : "none";
    };
    const { done, failed, gone } = await deleting("orders", withOrders(), choose);
    expect({ done, failed, gone }).toEqual({
      done: [],
      failed: [
        expect.stringMatching(
          /^orders was deleted, says the server, but whether it is gone cannot be read: STREAM\.INFO orders: no answer in time/,
        ),
      ],
      gone: ["orders", "orders/oms-orders"],
    });
  });

  test.each([
    ["of a consumer that is recreated", "oms-orders", "explicit"],
    ["of what kept its place meanwhile", "oms-orders-recreating", "all"],
  ])("%s that was answered and has not happened is no success either", async (_, name, ackPolicy) => {
    const wanted = withOrders({ consumers: [{ ...reader, ackPolicy: "all" }] });
    await using cluster = await Cluster.start(wanted);
    await using direct = await openWriter(cluster.target());
    const before = withOrders({ consumers: [{ ...reader, ackPolicy: "explicit" }] });
    await apply(await plan(before, direct, policy, Date.now() * 1e6), direct, { ...quiet, readyTimeout: 20_000 });
    const lie = (asked: string) => (asked.endsWith(`.DELETE.orders.${name}`) ? { success: true } : undefined);
    await using proxy = await FaultProxy.start(cluster.servers[0]?.clientPort ?? 0, none, lie);
    await using writer = await openWriter({ ...cluster.target(), servers: [`127.0.0.1:${proxy.port}`] });
    const scope = { recreations: ["orders/oms-orders"] };
    const planned = await plan(wanted, writer, policy, Date.now() * 1e6, scope);
    const { done, failed } = await apply(planned, writer, { ...quiet, readyTimeout: 1_000 });
    expect([...done, ...failed.map(({ error }) => error.message)]).toEqual([
      `orders/${name} was deleted, says the server, and is still there. Plan again: it may have been created anew.`,
    ]);
    const there = await direct.read<{ readonly consumers: readonly ConsumerInfo[] }>("CONSUMER.LIST", ["orders"]);
    expect(there.consumers.map((info) => [info.name, info.config.ack_policy]).sort()).toEqual([
      ["oms-orders", ackPolicy],
      ["oms-orders-recreating", "explicit"],
    ]);

    const again = await plan(wanted, direct, policy, Date.now() * 1e6, scope);
    expect((await apply(again, direct, { ...quiet, readyTimeout: 20_000 })).failed).toEqual([]);
    expect((await plan(wanted, direct, policy, Date.now() * 1e6)).summary).toMatchObject({
      unchanged: 3,
      unmanaged: 0,
    });
  });
});
