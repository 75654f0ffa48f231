import { describe, expect, test } from "vitest";
import { openReader } from "../../src/connect/nats.ts";
import { desiredState } from "../../src/jetstream/desired.ts";
import { plan } from "../../src/jetstream/plan.ts";
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
});
