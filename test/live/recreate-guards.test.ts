/** The consumer that keeps a place while another is recreated goes only once nobody needs the place any more. */
import { describe, expect, test } from "vitest";
import type { Writer } from "../../src/jetstream/api.ts";
import { request } from "../support/jetstream.ts";
import { named, recreating, withConsumer } from "../support/recreating.ts";
import { without } from "../support/tools.ts";

describe.skipIf(without("nats-server"))("a guard", () => {
  const { connection, planned, applied, cutOffBehind, changed, consumerInfo, messages, begin } = recreating();

  test("leaves the guard alone where somebody else created the consumer meanwhile", async () => {
    await begin({ retention: "interest" });
    const model = withConsumer({ maxWaiting: 20 }, { retention: "interest" });
    await applied(model, named, cutOffBehind("oms-orders"));
    const config = { durable_name: "oms-orders", ack_policy: "explicit", deliver_policy: "new" };
    await request(connection(), "CONSUMER.CREATE.orders.oms-orders", { stream_name: "orders", config });
    const guard = (await changed(model)).find(({ change }) => change.name === "orders/oms-orders-recreating");
    expect(guard?.change).toMatchObject({ action: "unmanaged", owned: true });
    expect(guard?.verdicts).toMatchObject([{ code: "P007", hint: expect.stringContaining("--allow-delete") }]);
    const held = await messages();
    // It starts where it says, and the place that is kept stays so.
    expect((await applied(model, named)).failed).toEqual([]);
    const behindFloor = await applied(withConsumer({ maxWaiting: 30 }, { retention: "interest" }), named);
    expect(behindFloor.failed.map(({ error }) => error.message)).toEqual([
      expect.stringMatching(
        /^orders\/oms-orders-recreating keeps a place that oms-orders, created since by somebody else/,
      ),
    ]);
    expect((await consumerInfo("oms-orders-recreating")).config.opt_start_seq).toBe(5);
    expect(await messages()).toBe(held);

    const leave = { deletions: ["orders/oms-orders-recreating"] };
    const [going] = (await planned(model, leave)).changes.filter(({ change }) => change.action === "delete");
    expect(going?.verdicts).toMatchObject([{ code: "P005" }, { code: "P006" }]);
  });

  test("takes no guard for gone because the server said so", async () => {
    await begin();
    const model = withConsumer({ maxWaiting: 20 });
    // One that an earlier run left, whose place is behind by now.
    const guard = "oms-orders-recreating";
    const metadata = { "circl.dev/environment": "local", "circl.dev/guards": "oms-orders" };
    const start = { deliver_policy: "by_start_sequence", opt_start_seq: 2 };
    const config = { durable_name: guard, ack_policy: "explicit", ...start, metadata };
    await request(connection(), `CONSUMER.CREATE.orders.${guard}`, { stream_name: "orders", config });
    const deaf = (writer: Writer): Writer => ({
      ...writer,
      write: async <T>(...[verb, names, body]: Parameters<Writer["write"]>) =>
        verb === "CONSUMER.DELETE" && names.at(-1) === guard ? ({} as T) : await writer.write<T>(verb, names, body),
    });
    const { failed } = await applied(model, named, deaf, 500);
    expect(failed.map(({ error }) => error.message)).toEqual([
      expect.stringContaining("orders/oms-orders-recreating was deleted, says the server, and is still there"),
    ]);
    expect((await consumerInfo()).ack_floor.stream_seq).toBe(4);
  });
});
