import { expect, test } from "vitest";
import { reservedPerServer } from "../../../src/nats/budget.ts";
import { checkModel } from "../../../src/rules/index.ts";
import { GiB } from "../../../src/units.ts";
import { modelWith, orders } from "../../support/definitions.ts";

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
