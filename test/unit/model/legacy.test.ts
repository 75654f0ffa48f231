import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { desiredState, type WireConfig } from "../../../src/jetstream/desired.ts";
import { realModel } from "../../support/definitions.ts";

const legacy = (stream: string, environment: "prod" | "staging"): WireConfig =>
  JSON.parse(readFileSync(new URL(`../../fixtures/legacy/${stream}-${environment}.json`, import.meta.url), "utf8"));

const ours = (stream: string, environment: "production" | "staging" | "local"): WireConfig => {
  const found = desiredState(realModel(environment)).streams.find(({ name }) => name === stream);
  if (!found) throw new Error(`${environment} has no ${stream}`);
  return found;
};

/** Fields in which two configs differ, as `field: old -> new`; description and metadata are additions. */
const differences = (before: WireConfig, after: WireConfig): string[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((field) => field !== "description" && field !== "metadata")
    .filter((field) => JSON.stringify(before[field]) !== JSON.stringify(after[field]))
    .map((field) => `${field}: ${JSON.stringify(before[field])} -> ${JSON.stringify(after[field])}`)
    .sort();

describe.each([
  ["production", "prod"],
  ["staging", "staging"],
  ["local", "staging"],
] as const)("%s against the %s files", (environment, file) => {
  test.each(["iot", "oms"])("circl_%s is the same, field by field", (stream) => {
    expect(differences(legacy(stream, file), ours(`circl_${stream}`, environment))).toEqual([]);
  });

  test("circl_iot_location copies instead of capturing, and differs in nothing else", () => {
    expect(differences(legacy("iot_location", file), ours("circl_iot_location", environment))).toEqual([
      "duplicate_window: 120000000000 -> undefined",
      "max_msg_size: 1048576 -> 1114112",
      'sources: undefined -> [{"name":"circl_iot","filter_subject":"circl.iot.location.>"}]',
      'subjects: ["circl.iot.location.>"] -> undefined',
    ]);
  });
});
