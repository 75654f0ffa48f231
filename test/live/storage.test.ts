import { describe, expect, test } from "vitest";
import { openReader, openWriter } from "../../src/connect/nats.ts";
import { apply, type Outcome } from "../../src/jetstream/apply.ts";
import { desiredState } from "../../src/jetstream/desired.ts";
import { observe } from "../../src/jetstream/observe.ts";
import { type Plan, type PlanScope, plan } from "../../src/jetstream/plan.ts";
import { shortOfStorage } from "../../src/jetstream/storage.ts";
import type { StreamInput } from "../../src/model/stream.ts";
import { streams as lock } from "../../streams/sync.ts";
import { modelWith, orders } from "../support/definitions.ts";
import { request } from "../support/jetstream.ts";
import { Cluster } from "../support/nats-server.ts";
import { without } from "../support/tools.ts";

const auth = `accounts {
  SYS { users: [ { user: "sys", password: "loopback-only" } ] }
  CIRCL { jetstream { max_file: 600MiB, max_mem: 60MiB }, users: [ { user: "sync", password: "loopback-only" } ] }
}
SYSTEM_ACCOUNT: SYS
`;
type Size = `${number}MiB`;

describe.skipIf(without("nats-server", "test-ca"))("room in the account: the plan says what the server says", () => {
  test.each([
    { servers: 1, replicas: 1, has: "300MiB", fits: "300MiB", over: "301MiB", errCode: 10047 },
    { servers: 3, replicas: 3, has: "100MiB", fits: "100MiB", over: "101MiB", errCode: 10047 },
    { servers: 1, replicas: 1, has: "30MiB", fits: "30MiB", over: "31MiB", errCode: 10028, storage: "memory" },
  ] as const)(
    "$servers servers, $fits more or $over",
    async ({ servers, replicas, has, fits, over, errCode, ...kind }) => {
      const environment = servers === 1 ? ({ name: "local", nats: { servers: 1, tls: false } } as const) : {};
      const key = servers === 1 ? "local" : "production";
      const stream = (name: string, maxBytes: Size) => ({
        ...{ ...orders, ...kind, name, replicas, subjects: [`${name}.>`], maxBytes, publishers: [] },
      });
      const model = (more: Size, first: Size = has) =>
        modelWith({ key, environment, streams: [stream("first", first), stream("second", more)] });
      await using cluster = await Cluster.start(model(fits), { auth });
      const connection = await cluster.connect();
      const create = (wanted: ReturnType<typeof model>, i: number) => {
        const config = desiredState(wanted).streams[i];
        return request(connection, `STREAM.CREATE.${config?.name}`, config);
      };
      const blocked = async (wanted: ReturnType<typeof model>) => {
        await using reader = await openReader(cluster.target());
        const { changes } = await plan(wanted, reader, () => [], Date.now() * 1e6);
        return changes.flatMap(({ change, refusals }) => refusals.map((refusal) => [change.name, refusal.errCode]));
      };
      expect(await blocked(model(over))).toEqual([
        ["first", errCode],
        ["second", errCode],
      ]);
      expect(await blocked(model(fits))).toEqual([]);
      expect((await create(model(fits), 0)).error).toBeUndefined();

      expect(await blocked(model(over))).toEqual([["second", errCode]]);
      expect((await create(model(over), 1)).error?.err_code).toBe(errCode);
      expect(await blocked(model(fits))).toEqual([]);
      expect((await create(model(fits), 1)).error).toBeUndefined();

      expect(await blocked(model(over))).toEqual([["second", errCode]]);
      await connection.close();
    },
  );

  const nats = { servers: 1, tls: false } as const;
  const local = { key: "local", environment: { name: "local", streamFigures: "staging", nats } } as const;
  const sized = (sizes: Readonly<Record<string, readonly [Size, subject?: string]>>) =>
    modelWith({
      ...local,
      streams: [
        ...lock,
        ...Object.entries(sizes).map(([name, [maxBytes, subject = `${name}.>`]]) => ({
          ...{ ...orders, name, replicas: 1, subjects: [subject], maxBytes, publishers: [] },
        })),
      ],
    });
  type Model = ReturnType<typeof sized>;
  const quiet = { holder: "test", lockWait: 0, interrupted: () => false, progress: () => {}, readyTimeout: 20_000 };
  const refusedIn = ({ changes }: Plan) =>
    changes.flatMap(({ change, refusals }) => refusals.map(({ errCode }) => [change.name, errCode]));
  const failuresOf = ({ failed }: Outcome) =>
    failed.map(({ name, error }) => `${name} ${/there is not enough storage|\(\d+\)/.exec(error.message)?.[0]}`);
  /** What the plan refuses, and what fails when it is applied nevertheless. */
  const judged = async (before: Model, after: Model, scope: PlanScope = {}, account = auth) => {
    await using cluster = await Cluster.start(before, { auth: account });
    await using writer = await openWriter(cluster.target());
    const planned = (model: Model, within: PlanScope = {}) => plan(model, writer, () => [], Date.now() * 1e6, within);
    expect((await apply(await planned(before), writer, quiet)).failed).toEqual([]);
    const wanted = await planned(after, scope);
    return { ours: refusedIn(wanted), server: failuresOf(await apply(wanted, writer, quiet)) };
  };

  test("a deleted stream gives its room to the one that takes its subjects", async () => {
    const before = sized({ old: ["400MiB", "x.>"] });
    const after = sized({ new: ["400MiB", "x.>"] });
    expect(await judged(before, after, { deletions: ["old"] })).toEqual({ ours: [], server: [] });
  });

  test("one that makes way for nobody goes last, and gives its room to the next apply", async () => {
    const before = sized({ old: ["400MiB"] });
    expect(await judged(before, sized({ new: ["400MiB"] }), { deletions: ["old"] })).toEqual({
      ours: [["new", 10047]],
      server: ["new there is not enough storage"],
    });
  });

  test("what shrinks gives its room to the next apply: it is written beside what grows", async () => {
    const before = sized({ old: ["400MiB"] });
    const after = sized({ old: ["100MiB"], more: ["400MiB"] });
    await using cluster = await Cluster.start(before, { auth });
    await using writer = await openWriter(cluster.target());
    const planned = (model: Model, scope: PlanScope = {}) => plan(model, writer, () => [], Date.now() * 1e6, scope);
    expect((await apply(await planned(before), writer, quiet)).failed).toEqual([]);
    const refused = await planned(after);
    expect(refusedIn(refused)).toEqual([["more", 10047]]);
    expect(refused.changes.flatMap(({ refusals }) => refusals.map(({ hint }) => hint))).toEqual([
      expect.stringContaining("--target old."),
    ]);
    expect((await apply(await planned(after, { targets: ["old"] }), writer, quiet)).failed).toEqual([]);
    expect(refusedIn(await planned(after))).toEqual([]);
    expect((await apply(await planned(after), writer, quiet)).failed).toEqual([]);
  });

  test.each([
    ["max_bytes_required: true", { maxBytes: undefined }, 10113, "the account wants a limit of bytes for every stream"],
    ["store_max_stream_bytes: 50MiB", { maxBytes: "51MiB" }, 10122, "more than the account allows a stream"],
    ["mem_max_stream_bytes: 50MiB", { maxBytes: "51MiB", storage: "memory" }, 10122, "more than the account allows"],
    ["max_streams: 2", { maxBytes: "50MiB" }, 10027, "as many streams as its max_streams allows"],
  ] as const)(
    "%s of the account is foreseen, and named where the server says it",
    async (limit, change, errCode, says) => {
      const { maxBytes, ...rest } = { ...orders, replicas: 1, publishers: [], ...change };
      const one = maxBytes === undefined ? rest : { ...rest, maxBytes };
      const fits = { ...rest, storage: "file", name: "fits", subjects: ["fits.>"], maxBytes: "50MiB" } as const;
      const fitting = modelWith({ ...local, streams: [...lock, fits] });
      const over = modelWith({ ...local, streams: [...lock, fits, one] });
      await using cluster = await Cluster.start(fitting, { auth: auth.replace("max_file", `${limit}, max_file`) });
      await using writer = await openWriter(cluster.target());
      const planned = (model: Model) => plan(model, writer, () => [], Date.now() * 1e6);
      const first = await planned(fitting);
      expect(refusedIn(first)).toEqual([]);
      expect((await apply(first, writer, quiet)).failed).toEqual([]);
      const refused = await planned(over);
      expect(refusedIn(refused)).toEqual([["orders", errCode]]);
      const { failed } = await apply(refused, writer, quiet);
      expect(failed.map(({ error }) => error.message)).toEqual([expect.stringContaining(says)]);
    },
  );

  const reader = (name: string) => ({ name, service: "oms", ackPolicy: "explicit" }) as const;
  const read = (change: Partial<StreamInput>, ...names: readonly string[]) =>
    modelWith({
      ...local,
      streams: [...lock, { ...orders, replicas: 1, maxBytes: "50MiB", ...change, consumers: names.map(reader) }],
    });
  test.each<[string, string, Model, Model, PlanScope, string[]]>([
    [
      "a consumer more than the stream may have",
      "",
      read({ maxConsumers: 1 }, "a"),
      read({ maxConsumers: 1 }, "b"),
      {},
      ["orders/b"],
    ],
    [
      "than the account allows",
      "max_consumers: 2,",
      read({}, "a"),
      read({}, "a", "b", "c"),
      {},
      ["orders/b", "orders/c"],
    ],
    ["as many as it allows", "max_consumers: 2,", read({}, "a"), read({}, "a", "b"), {}, []],
    [
      "one that takes the place of another",
      "max_consumers: 1,",
      read({}, "a"),
      read({}, "b"),
      { deletions: ["orders/a"] },
      [],
    ],
    ["a limit that grows first", "", read({ maxConsumers: 1 }, "a"), read({ maxConsumers: 2 }, "a", "b"), {}, []],
    ["a limit above the account's", "max_consumers: 2,", read({}), read({ maxConsumers: 3 }), {}, ["orders"]],
  ])("%s", async (_, limit, before, after, scope, refused) => {
    const limited = auth.replace("max_file", `${limit} max_file`);
    const { ours, server } = await judged(before, after, scope, limited);
    expect(ours).toEqual(refused.map((name) => [name, 10026]));
    // Of several that are one too many together, the server takes those that come first.
    expect(server.length > 0).toBe(refused.length > 0);
    for (const said of server) expect(refused.map((name) => `${name} (10026)`)).toContain(said);
  });

  test("nothing is said while a stream cannot be asked: what it reserves is not known", async () => {
    const before = sized({ old: ["100MiB"] });
    const after = sized({ old: ["100MiB"], more: ["600MiB"] });
    await using cluster = await Cluster.start(before, { auth });
    await using writer = await openWriter(cluster.target());
    const planned = await plan(before, writer, () => [], Date.now() * 1e6);
    expect((await apply(planned, writer, quiet)).failed).toEqual([]);
    const observed = await observe(writer, []);
    const { changes } = await plan(after, writer, () => [], Date.now() * 1e6);
    const more = changes.map(({ change }) => change).find(({ name }) => name === "more");
    if (more?.action !== "create") throw new Error("it is not to be created");
    const around = { observed, changes: [more] };
    expect(shortOfStorage(more, around).map(({ errCode }) => errCode)).toEqual([10047]);
    const unknown = { name: "away", status: "unknown", why: "its servers do not answer" } as const;
    const blind = { ...observed, streams: [...observed.streams, unknown] };
    expect(shortOfStorage(more, { ...around, observed: blind })).toEqual([]);
  });
});
