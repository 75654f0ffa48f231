/** What a reload takes over is held to the server: every key that nats.conf has is changed, and the server is asked. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { confChanges, confKeys } from "../../src/deploy/conf-changes.ts";
import { modelWith } from "../support/definitions.ts";
import { Cluster, type RunningServer } from "../support/nats-server.ts";
import { replaceFile } from "../support/reload.ts";
import { without } from "../support/tools.ts";

/** A change of each key, and whether the server takes it over. */
const TAKEN: readonly (readonly [key: string, from: string | RegExp, to: string])[] = [
  ["max_connections", "max_connections: 5000", "max_connections: 4000"],
  ["max_payload", "max_payload: 8MiB", "max_payload: 4MiB"],
  ["pid_file", "nats.pid", "other.pid"],
  ["server_metadata.rack", 'rack: "a"', 'rack: "b"'],
  ["tls.timeout", /(\ntls \{[^}]*)timeout: 5/, "$1timeout: 6"],
  ["tls.min_version", /(\ntls \{[^}]*)min_version: "1.2"/, '$1min_version: "1.3"'],
  ["cluster.no_advertise", "no_advertise: true", "no_advertise: false"],
  ["cluster.connect_backoff", "connect_backoff: true", "connect_backoff: false"],
  ["cluster.routes", /(routes: \[\n\s+"[^"]+"\n)\s+"[^"]+"\n/, "$1"],
  ["cluster.tls.timeout", /(cluster \{[\s\S]*tls \{[^}]*)timeout: 5/, "$1timeout: 6"],
];
const REFUSED: typeof TAKEN = [
  ["server_name", "server_name: $SERVER_NAME", 'server_name: "other"'],
  ["lame_duck_grace_period", '"10s"', '"9s"'],
  ["lame_duck_duration", 'lame_duck_duration: "30s"', 'lame_duck_duration: "40s"'],
  ["feature_flags.js_ack_fc_v2", "js_ack_fc_v2: false", "js_ack_fc_v2: true"],
  ["jetstream.store_dir", '/data"', '/data2"'],
  ["jetstream.max_memory_store", "max_memory_store: 64MiB", "max_memory_store: 32MiB"],
  ["jetstream.max_file_store", "max_file_store: 40GiB", "max_file_store: 39GiB"],
  ["system_account", "system_account: $SYSTEM_ACCOUNT", "system_account: CIRCL"],
];

describe.skipIf(without("nats-server", "test-ca"))("a reload", () => {
  let cluster: Cluster;
  let server: RunningServer;
  let original = "";
  const file = () => join(server.root, "etc/nats-config/nats.conf");
  const answers = () =>
    server.log().match(/Reloaded server configuration|Failed to reload server configuration.*/g) ?? [];
  const reloadWith = async (text: string): Promise<string> => {
    const before = answers().length;
    replaceFile(file(), text);
    server.process.kill("SIGHUP");
    await expect.poll(() => answers().length, { timeout: 30_000 }).toBeGreaterThan(before);
    return answers().at(-1) ?? "";
  };

  beforeAll(async () => {
    const environment = {
      nats: { serverMetadata: { rack: "a" }, featureFlags: { js_ack_fc_v2: false }, volume: { size: "50GiB" } },
    } as const;
    cluster = await Cluster.start(modelWith({ environment }), { count: 1 });
    server = cluster.servers[0] as RunningServer;
    original = readFileSync(file(), "utf8");
  });
  afterAll(() => cluster?.[Symbol.asyncDispose]());

  test.each(TAKEN)("takes over %s", async (key, from, to) => {
    const changed = original.replace(from, to);
    expect(changed).not.toBe(original);
    expect(await reloadWith(changed)).toBe("Reloaded server configuration");
    expect(confChanges(original, changed)).toEqual([expect.objectContaining({ key, taken: "reload" })]);
    expect(await reloadWith(original)).toBe("Reloaded server configuration");
  });

  test.each(REFUSED)("refuses a change of %s, and with it the whole file", async (key, from, to) => {
    const changed = original.replace(from, to);
    expect(changed).not.toBe(original);
    expect(await reloadWith(changed)).toMatch(
      /^Failed to reload server configuration: config reload not supported for /,
    );
    expect(confChanges(original, changed)).toEqual([
      expect.objectContaining({ key, taken: expect.stringMatching(/^(restart|shrinks|identity)$/) }),
    ]);
    await reloadWith(original);
  });

  test("takes a new cluster name, which is why only our rule stands against it", async () => {
    const changed = original.replace('name: "circl-production"', 'name: "circl-other"');
    expect(await reloadWith(changed)).toBe("Reloaded server configuration");
    expect(confChanges(original, changed)).toMatchObject([{ key: "cluster.name", taken: "identity" }]);
    await reloadWith(original);
  });

  test("raises stores, and never lowers them again", async () => {
    const raised = original
      .replace("max_memory_store: 64MiB", "max_memory_store: 128MiB")
      .replace("max_file_store: 40GiB", "max_file_store: 41GiB");
    expect(confChanges(original, raised).map(({ taken }) => taken)).toEqual(["reload", "reload"]);
    expect(await reloadWith(raised)).toBe("Reloaded server configuration");
    expect(await reloadWith(original)).toContain("decreasing jetstream max memory and store");
  });

  test("is tried with every key that the file has, but for ports, paths of files and includes", () => {
    const tried = new Set([...TAKEN, ...REFUSED].map(([key]) => key).concat("cluster.name"));
    const untried = [...confKeys(original).keys()].filter((key) => !tried.has(key));
    const exempt = /^(listen|http|cluster\.listen)$|_file$|\.(min_version|timeout)$|include /;
    expect(untried.filter((key) => !exempt.test(key))).toEqual([]);
  });
});
