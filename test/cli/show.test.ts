import { expect, test } from "vitest";
import { show } from "../../src/cli/commands/show.ts";
import { renderStreams } from "../../src/cli/output/streams.ts";
import { lookOf } from "../../src/cli/output/terminal.ts";
import { modelWith, orders, realDefinitions } from "../support/definitions.ts";
import { circl } from "./circl.ts";

test("--json is the wire configurations and nothing else", async () => {
  const { code, stdout, stderr } = await circl(["show", "production", "--json"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const shown = JSON.parse(stdout);
  expect(Object.keys(shown)).toEqual(["formatVersion", "environment", "streams", "consumers"]);
  expect(shown).toMatchObject({ formatVersion: 1, environment: "production" });
  expect(shown.streams.map(({ name }: { name: string }) => name)).toContain("circl_iot_location");
  for (const consumer of shown.consumers) expect(Object.keys(consumer)).toEqual(["stream_name", "config"]);
});

test("text says in human units what a stream keeps, for how long in practice, and where personal data lives", async () => {
  const { code, stdout } = await circl(["show", "production"]);
  expect(code).toBe(0);
  const location = stdout.split("\n\n").find((part) => part.startsWith("circl_iot_location "));
  expect(location).toContain("copies         circl.iot.location.> from circl_iot\n");
  expect(location).toContain("in practice    3m20s, ended by maxMsgs (at the declared peak of 5000/s,");
  expect(location).toContain("circl.iot.location.> of iot, by way of circl_iot: lives 14d at most (declared 45d)");
  expect(location).toMatch(/\n {4}geo-location +geo +> +ack explicit, within 30s, 3 deliveries$/m);
});

test("text says what one replica means, before it is learnt from an outage", async () => {
  const stored = async (environment: string) =>
    (await circl(["show", environment])).stdout.split("\n").find((line) => line.startsWith("  stored "));
  expect(await stored("production")).toMatch(/in file, 3 replicas$/);
  expect(await stored("staging")).toMatch(
    /in file, 1 replica: its server's volume is all there is of it, and without that server there is no stream$/,
  );
  const inMemory = modelWith({ streams: [{ ...orders, replicas: 1, storage: "memory" }] });
  expect(renderStreams(inMemory, lookOf(process.stdout))).toContain(
    "in memory, 1 replica: gone with every restart of its server",
  );
});

test("an environment with errors is not shown", () => {
  const overlapping = { test: [orders, { ...orders, name: "also_orders" }] };
  const { model, errors } = show({ ...realDefinitions, streams: overlapping }, "production");
  expect(model).toBeUndefined();
  expect(errors.map(({ severity }) => severity)).toContain("error");
});
