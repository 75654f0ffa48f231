import { describe, expect, test } from "vitest";
import { bytesOf, confChanges, confKeys } from "../../../src/deploy/conf-changes.ts";
import { renderServerConfig } from "../../../src/nats/server-config.ts";
import { realModel } from "../../support/definitions.ts";

const conf = renderServerConfig(realModel("production"));
const change = (from: string, to: string) => {
  expect(conf).toContain(from);
  return confChanges(conf, conf.replace(from, to)).map(({ key, taken }) => `${key}: ${taken}`);
};

test("every key of the real file is read, with the blocks it lies in", () => {
  const keys = confKeys(conf);
  expect([...keys.keys()].sort()).toEqual([
    ...["cluster.connect_backoff", "cluster.name", "cluster.no_advertise", "cluster.port", "cluster.routes"],
    ...["ca_file", "cert_file", "key_file", "min_version", "timeout"].map((key) => `cluster.tls.${key}`),
    ...["http_port", "include ../nats-auth/auth.conf", "jetstream.include ../nats-key/key.conf"],
    ...["jetstream.max_file_store", "jetstream.max_memory_store", "jetstream.store_dir"],
    ...[
      "lame_duck_duration",
      "lame_duck_grace_period",
      "max_connections",
      "max_payload",
      "pid_file",
      "port",
      "server_name",
    ],
    "system_account",
    ...["ca_file", "cert_file", "key_file", "min_version", "timeout"].map((key) => `tls.${key}`),
  ]);
  expect(keys.get("max_payload")).toBe("8MiB");
  expect(keys.get("cluster.routes")).toMatch(/^\["tls:\/\/nats-0\..*"\]$/);
});

describe("each key is taken over in its own way", () => {
  test.each([
    ["max_payload: 8MiB", "max_payload: 4MiB", "max_payload: reload"],
    ["no_advertise: true", "no_advertise: false", "cluster.no_advertise: reload"],
    ['lame_duck_duration: "30s"', 'lame_duck_duration: "60s"', "lame_duck_duration: restart"],
    ['name: "circl-production"', 'name: "circl-other"', "cluster.name: identity"],
    ["max_file_store: 40GiB", "max_file_store: 50GiB", "jetstream.max_file_store: reload"],
    ["max_file_store: 40GiB", "max_file_store: 4096MiB", "jetstream.max_file_store: shrinks"],
    ["port: 4222", "port: 4333", "port: restart"],
  ])("%s -> %s", (from, to, expected) => {
    expect(change(from, to)).toEqual([expected]);
  });

  test("a key that nobody knows takes a restart, new or gone", () => {
    expect(change("port: 4222", "port: 4222\nfuture: 1")).toEqual(["future: restart"]);
    expect(change("  max_memory_store: 64MiB\n", "")).toEqual(["jetstream.max_memory_store: restart"]);
  });

  test("a comment is no change", () => {
    expect(change("# Written by", "# Made by")).toEqual([]);
  });
});

test("sizes are those that our writer writes", () => {
  expect([bytesOf("40GiB"), bytesOf("1536MiB"), bytesOf("100"), bytesOf("$SIZE")]).toEqual([
    40 * 2 ** 30,
    1.5 * 2 ** 30,
    100,
    0,
  ]);
});
