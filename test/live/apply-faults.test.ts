import { describe, expect, test } from "vitest";
import { exitCodeOf } from "../../src/cli/commands/apply.ts";
import { openWriter } from "../../src/connect/nats.ts";
import { ConnectionFailure, type Writer } from "../../src/jetstream/api.ts";
import { apply, type Outcome } from "../../src/jetstream/apply.ts";
import { plan } from "../../src/jetstream/plan.ts";
import { policy } from "../../src/rules/changes.ts";
import { realModel } from "../support/definitions.ts";
import { type Fault, FaultProxy } from "../support/fault-proxy.ts";
import { request } from "../support/jetstream.ts";
import { Cluster } from "../support/nats-server.ts";
import { without } from "../support/tools.ts";

const model = realModel("local");
const quiet = { holder: "test", lockWait: 200_000, interrupted: () => false, progress: () => {}, readyTimeout: 20_000 };
const run = async (writer: Writer, options = quiet): Promise<Outcome> =>
  apply(await plan(model, writer, policy, Date.now() * 1e6), writer, options);

async function stateOf(cluster: Cluster) {
  await using writer = await openWriter(cluster.target());
  const { summary } = await plan(model, writer, policy, Date.now() * 1e6);
  return summary;
}
const complete = {
  create: 0,
  update: 0,
  recreate: 0,
  delete: 0,
  blocked: 0,
  unknown: 0,
  unmanaged: 0,
  unchanged: 17,
};

describe.skipIf(without("nats-server"))("an apply that is cut off", () => {
  test("after any of its 17 writes is finished by the next one", async () => {
    await using cluster = await Cluster.start(model);
    const connection = await cluster.connect();
    for (let survived = 0; survived < 17; survived++) {
      await using writer = await openWriter(cluster.target());
      let writes = 0;
      const dying: Writer = {
        ...writer,
        write: (verb, names, body) => {
          writes += 1;
          return writes > survived ? Promise.reject(new Error("the process is gone")) : writer.write(verb, names, body);
        },
      };
      const first = await run(dying);
      expect(first.done).toHaveLength(survived);
      expect(first.done.length + first.failed.length + first.notStarted.length).toBe(17);
      const second = await run(writer);
      expect(second).toEqual({ done: expect.any(Array), failed: [], notStarted: [] });
      expect(second.done).toHaveLength(17 - survived);
      expect(await stateOf(cluster)).toEqual(complete);
      for (const { name } of model.streams) await request(connection, `STREAM.DELETE.${name}`);
    }
    await connection.close();
  });

  test("while nobody answers how the new streams are, waits and then says what is done", async () => {
    await using cluster = await Cluster.start(model);
    await using writer = await openWriter(cluster.target());
    const planned = await plan(model, writer, policy, Date.now() * 1e6);
    let silent = 3;
    const silentForAWhile: Writer = {
      ...writer,
      read: (verb, names, body) =>
        verb === "STREAM.LIST" && silent-- > 0
          ? Promise.reject(new ConnectionFailure("no answer in time", { passing: true }))
          : writer.read(verb, names, body),
    };
    expect(await apply(planned, silentForAWhile, quiet)).toMatchObject({ failed: [], notStarted: [] });
  });

  test("whose new streams nobody may read says what it wrote, and what it has not begun", async () => {
    await using cluster = await Cluster.start(model);
    await using writer = await openWriter(cluster.target());
    const planned = await plan(model, writer, policy, Date.now() * 1e6);
    let written = 0;
    const cutOff: Writer = {
      ...writer,
      write: (verb, names, body) => {
        written += 1;
        return writer.write(verb, names, body);
      },
      read: (verb, names, body) =>
        verb === "STREAM.LIST"
          ? Promise.reject(new ConnectionFailure("this user may not list streams", {}))
          : writer.read(verb, names, body),
    };
    const { done, failed, notStarted } = await apply(planned, cutOff, quiet);
    expect(done).toEqual(["circl_lock"]);
    expect(failed).toHaveLength(written - 1);
    expect(done.length + failed.length + notStarted.length).toBe(17);
    for (const { name, error } of failed) {
      expect(error.message).toBe(
        `${name} was written, but how it is now cannot be read: this user may not list streams`,
      );
    }
  });

  test("tells of a change when it is written, not when all of its step are settled", async () => {
    await using cluster = await Cluster.start(model);
    await using writer = await openWriter(cluster.target());
    const planned = await plan(model, writer, policy, Date.now() * 1e6);
    let written = 0;
    let told = 0;
    const behind: number[] = [];
    const counting: Writer = {
      ...writer,
      write: (verb, names, body) =>
        writer.write<never>(verb, names, body).finally(() => {
          written += 1;
        }),
      read: (verb, names, body) => {
        if (verb === "STREAM.LIST") behind.push(written - told);
        return writer.read(verb, names, body);
      },
    };
    const progress = () => {
      told += 1;
    };
    expect((await apply(planned, counting, { ...quiet, progress })).failed).toEqual([]);
    expect(behind.length).toBeGreaterThan(0);
    expect(new Set(behind)).toEqual(new Set([0]));
    expect(told).toBe(17);
  });

  test("that loses its lock begins nothing more", async () => {
    await using cluster = await Cluster.start(model);
    await using writer = await openWriter(cluster.target());
    const planned = await plan(model, writer, policy, Date.now() * 1e6);
    let lost = false;
    const outcome = await apply(planned, writer, {
      ...quiet,
      interrupted: () => lost,
      progress: (name) => {
        lost ||= name === "circl_iot";
      },
    });
    expect(outcome.failed).toEqual([]);
    expect(outcome.notStarted.length).toBeGreaterThan(0);
    expect(exitCodeOf(outcome, false)).toBe(1);
    expect(exitCodeOf(outcome, true)).toBe(130);
    expect(exitCodeOf({ ...outcome, notStarted: [] }, false)).toBe(0);
  });

  test("by the user starts nothing new, and says what it has not done", async () => {
    await using cluster = await Cluster.start(model);
    await using writer = await openWriter(cluster.target());
    let done = 0;
    const outcome = await run(writer, {
      ...quiet,
      interrupted: () => done >= 3,
      progress: () => {
        done += 1;
      },
    });
    expect(outcome.failed).toEqual([]);
    expect(outcome.done.length + outcome.notStarted.length).toBe(17);
    expect(outcome.notStarted.length).toBeGreaterThan(0);
    expect((await run(writer)).failed).toEqual([]);
    expect(await stateOf(cluster)).toEqual(complete);
  });
});

describe.skipIf(without("nats-server"))("replies that are lost on the way", () => {
  const every = (n: number, fault: Fault) => (reply: number) => (reply % n === n - 1 ? fault : "none");

  test.each([
    ["dropped", every(3, "drop")],
    ["delayed", every(2, "delay")],
    ["doubled", every(2, "double")],
  ] as const)("%s: everything is created once, and nothing is left to do", async (_, choose) => {
    await using cluster = await Cluster.start(model);
    await using proxy = await FaultProxy.start(cluster.servers[0]?.clientPort ?? 0, choose);
    await using writer = await openWriter({
      ...cluster.target(),
      servers: [`127.0.0.1:${proxy.port}`],
      timeout: 400,
    });
    expect((await run(writer)).failed).toEqual([]);
    expect(proxy.spoiled.length).toBeGreaterThan(3);
    expect(await stateOf(cluster)).toEqual(complete);
  });
});
