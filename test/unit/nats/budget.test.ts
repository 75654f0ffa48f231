import { expect, test } from "vitest";
import { accountStore, fileStore, reservedPerServer } from "../../../src/nats/budget.ts";
import { checkModel } from "../../../src/rules/index.ts";
import { type ByteSize, GiB } from "../../../src/units.ts";
import { modelWith, orders } from "../../support/definitions.ts";
import { alertsIn } from "../../support/promtool.ts";

const stream = (name: string, replicas: number, maxBytes: `${number}GiB`) => ({
  ...orders,
  name,
  subjects: [`${name}.>`],
  publishers: [],
  replicas,
  maxBytes,
});
const reserved = (...streams: ReturnType<typeof stream>[]) => reservedPerServer(modelWith({ streams }), "file") / GiB;

test("the fullest server holds what must lie somewhere", () => {
  expect(reserved(stream("a", 3, "4GiB"), stream("b", 3, "1GiB"))).toBe(5);
  expect(reserved(stream("a", 1, "5GiB"), stream("b", 1, "5GiB"), stream("c", 1, "5GiB"))).toBe(5);
  expect(reserved(stream("a", 1, "5GiB"), stream("b", 1, "5GiB"), stream("c", 1, "5GiB"), stream("d", 1, "5GiB"))).toBe(
    10,
  );
  expect(reserved(stream("a", 3, "4GiB"), stream("b", 1, "2GiB"))).toBe(6);
});

test("only what a writer's filter lets through fills Tile38", () => {
  const all = {
    ...stream("iot", 3, "1GiB"),
    publishers: [
      { service: "iot", subject: "iot.location", rate: "5000/s", size: "300B", data: { sensitivity: "internal" } },
      { service: "iot", subject: "iot.telemetry", rate: "50000/s", size: "300B", data: { sensitivity: "internal" } },
    ],
    consumers: [{ name: "geo", service: "geo", maxDeliver: 3, filterSubject: "iot.location" }],
  } as const;
  const errors = checkModel(modelWith({ streams: [all] })).filter(({ severity }) => severity === "error");
  expect(errors).toEqual([]);
});

test("what the rule lets through reserves no more than the alert begins at", () => {
  const model = modelWith({ streams: [stream("all", 3, "36GiB")] });
  const codes = (bytes: ByteSize) =>
    checkModel(modelWith({ streams: [{ ...stream("all", 3, "1GiB"), maxBytes: bytes }] })).map(({ code }) => code);
  expect(reservedPerServer(model, "file") / fileStore(model)).toBe(0.9);
  expect(codes("36GiB")).not.toContain("S031");
  expect(codes("36865MiB")).toContain("S031");
  const alert = alertsIn(model).find((one) => one.alert === "NatsStorageReserved");
  expect(alert?.expr).toMatch(
    /jetstream_stats_reserved_storage\{.*\} \/ nats_varz_jetstream_config_max_storage\{[^}]*\} > 0\.9 /,
  );
});

test("the account is full before its servers are, and has room for all that streams may reserve", () => {
  const model = modelWith({});
  expect(accountStore(model, "file") / (3 * fileStore(model))).toBeCloseTo(0.95, 4);
  expect(accountStore(modelWith({ environment: { nats: { volume: { size: "10GiB" } } } }), "file") / GiB).toBeCloseTo(
    22.8,
    2,
  );
  expect(accountStore(model, "memory")).toBe(182 * 1_048_576);
});
