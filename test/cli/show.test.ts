import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { show } from "../../src/cli/commands/show.ts";
import { renderStreams } from "../../src/cli/output/streams.ts";
import { lookOf } from "../../src/cli/output/terminal.ts";
import { modelWith, orders, realDefinitions } from "../support/definitions.ts";
import { circl, temporaryFolder } from "./circl.ts";

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

test("--diff says what is new, different and no longer declared since an earlier --json", async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "before.json");
  const compare = (...options: readonly string[]) => circl(["show", "production", "--diff", file, ...options]);
  const { stdout } = await circl(["show", "production", "--json"]);
  writeFileSync(file, stdout);
  expect(await compare("--detailed-exitcode")).toMatchObject({ code: 0, stdout: "production:\n\nno changes\n" });
  expect((await compare("--format", "markdown")).stdout).toBe(
    "<!-- circl show production -->\n### Definitions of streams of production: no changes\n",
  );

  const before = JSON.parse(stdout);
  const named = (list: { name?: string; config?: { name: string } }[], name: string) =>
    list.find((one) => (one.config?.name ?? one.name) === name);
  Object.assign(named(before.streams, "circl_oms") ?? {}, { max_age: 86_400e9, storage: "memory", max_msgs: -1 });
  Object.assign(named(before.consumers, "dms-orders")?.config ?? {}, { max_deliver: 9 });
  before.consumers = before.consumers.filter(({ config }: { config: { name: string } }) => config.name !== "bff-iot");
  before.streams.push({ name: "circl_old", subjects: ["old.>"] });
  writeFileSync(file, JSON.stringify(before));
  const changed = await compare("--detailed-exitcode");
  expect(changed.code).toBe(2);
  expect(changed.stdout).toBe(
    [
      "production:",
      "+ consumer circl_iot/bff-iot",
      "- stream circl_old  no longer declared: stays on servers until it is deleted by name",
      "~ stream circl_oms",
      "    max_age 1d -> 7d",
      "    max_msgs unlimited -> 1000000",
      "    storage memory -> file",
      "~ consumer circl_oms/dms-orders  max_deliver 9 -> 3",
      "",
      "1 new, 2 changed, 1 no longer declared.",
      "",
    ].join("\n"),
  );
  const { stdout: comment } = await compare("--format", "markdown");
  expect(comment).toContain("### Definitions of streams of production: 1 new, 2 changed, 1 no longer declared.\n");
  expect(comment).toContain("\n! stream circl_oms\n    max_age 1d -> 7d\n");
});

test.each([
  [["--diff", "nowhere.json"], 1, "nowhere.json cannot be read. Make it: circl show <environment> --json"],
  [["--diff", "package.json"], 1, "package.json is no document of circl show --json"],
  [["--format", "markdown"], 64, "--format markdown needs --diff"],
] as const)("%j is refused with the way out", async (options, expected, says) => {
  const { code, stderr, stdout } = await circl(["show", "staging", ...options]);
  expect({ code, stdout }).toEqual({ code: expected, stdout: "" });
  expect(stderr).toContain(says);
});
