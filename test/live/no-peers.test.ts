/** 10005: why no plan can foresee it, and what is said when the server says it. */
import { expect, test } from "vitest";
import { openWriter } from "../../src/connect/nats.ts";
import type { StreamInfo } from "../../src/jetstream/api.ts";
import { plan } from "../../src/jetstream/plan.ts";
import { policy } from "../../src/rules/changes.ts";
import { streams as lock } from "../../streams/sync.ts";
import { modelWith, orders } from "../support/definitions.ts";
import { Cluster, metaReady, stop } from "../support/nats-server.ts";
import { without } from "../support/tools.ts";

const copies = ["first", "second"].map((name) => ({ ...orders, name, subjects: [`${name}.>`], publishers: [] }));
const model = modelWith({ streams: [...lock, ...copies] });

test.skipIf(without("nats-server", "test-ca"))(
  "a server that is down is still taken, until the others restart: the account's API shows both alike",
  async () => {
    await using cluster = await Cluster.start(model);
    const planned = async () => {
      await using writer = await openWriter(cluster.target());
      const { changes } = await plan(model, writer, policy, Date.now() * 1e6);
      return changes.flatMap(({ change, refusals }) => (change.action === "create" ? [{ change, refusals }] : []));
    };
    const create = async (name: string) => {
      await using writer = await openWriter({ ...cluster.target(), timeout: 20_000 });
      const wanted = (await planned()).find(({ change }) => change.name === name);
      expect(wanted?.refusals).toEqual([]);
      return await writer.write<StreamInfo>("STREAM.CREATE", [name], wanted?.change.config);
    };
    const last = cluster.servers[2];
    if (!last) throw new Error("there are fewer than three servers");
    await stop(last.process);
    cluster.servers.splice(2, 1);
    expect((await create("first")).config.num_replicas).toBe(3);

    for (const i of [0, 1]) {
      const restarted = await cluster.restart(i);
      await metaReady(restarted);
    }
    await expect(create("second")).rejects.toThrow(
      /^STREAM\.CREATE second: no server can take it: no suitable peers for placement.*\(10005\)\. Too few servers have room and /,
    );
  },
  120_000,
);
