import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { modelWith, realModel } from "../support/definitions.ts";
import { Cluster, stop } from "../support/nats-server.ts";
import { tool, without } from "../support/tools.ts";
import { circl, temporaryFolder } from "./circl.ts";
import { as } from "./cluster-user.ts";

describe.skipIf(without("nats-server"))("what stands in the way is said, with the next step, and exit code 1", () => {
  test("nobody listens", async () => {
    const { code, stderr } = await circl(["plan", "local", "--server", "127.0.0.1:1"]);
    expect(code).toBe(1);
    expect(stderr).toBe(
      "error: connecting: nobody listens at 127.0.0.1:1. Check --server: is the server up, and is this its client port?\n",
    );
  });

  test("wrong password", async () => {
    await using cluster = await Cluster.start(realModel("local"));
    const { code, stderr } = await circl(["plan", "local"], as(cluster, "sync", "wrong"));
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: connecting: the server does not accept these credentials\. Check user, /);
    expect(stderr).not.toContain("wrong");
  });

  test("an account without JetStream", async () => {
    await using cluster = await Cluster.start(realModel("local"));
    const { code, stderr } = await circl(["plan", "local"], as(cluster, "sys"));
    expect(code).toBe(1);
    expect(stderr).toMatch(/JetStream is off for this account\. Use a user of the account that has JetStream/);
  });

  test("no permission for one subject", async () => {
    const auth = `accounts {
  SYS { users: [ { user: "sys", password: "loopback-only" } ] }
  CIRCL { jetstream: enabled, users: [ { user: "sync", password: "loopback-only",
    permissions: { publish: ["$JS.API.INFO", "$JS.API.STREAM.NAMES"], subscribe: ["_INBOX.>"] } } ] }
}
SYSTEM_ACCOUNT: SYS
`;
    await using cluster = await Cluster.start(realModel("local"), { auth });
    const { code, stderr } = await circl(["plan", "local"], as(cluster));
    expect(code).toBe(1);
    expect(stderr).toMatch(/this user may not publish to "\$JS\.API\.STREAM\.LIST"\. Let the identity have it/);
  });

  test("not enough storage on the servers", async () => {
    const small = { nats: { servers: 1, tls: false, volume: { size: "256MiB" } } } as const;
    await using cluster = await Cluster.start(
      modelWith({ key: "local", environment: { name: "local", ...small }, streams: [] }),
    );
    const { code, stdout } = await circl(["apply", "local", "--auto-approve"], as(cluster));
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /! circl_\w+: STREAM\.CREATE circl_\w+: there is not enough storage: what is reserved in files reaches max_file .*\. Raise nats\.accountStorage or /,
    );
    expect(stdout).toMatch(/\d failed, \d+ not started\. Apply again: what is done stays done\.\n$/);
  });

  test("no answer in time", async () => {
    // A server that is alive and never says a word, as one behind a broken proxy is.
    const silent = createServer().listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as AddressInfo;
    const env = { CIRCL_SERVER: `127.0.0.1:${port}`, CIRCL_USER: "sync", CIRCL_PASSWORD: "x", CIRCL_TIMEOUT: "500" };
    const { code, stderr } = await circl(["plan", "local"], { env });
    silent.close();
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^error: connecting: no answer in time from 127\.0\.0\.1:\d+\. Check --server: .* --timeout waits longer/,
    );
  });

  test("another cluster than the environment names", async () => {
    await using cluster = await Cluster.start(realModel("local"));
    const { code, stderr } = await circl(["apply", "production", "--auto-approve"], as(cluster));
    expect(code).toBe(1);
    expect(stderr).toContain("is the standalone server circl-local-nats-0, but production is cluster circl-production");
  });

  test.skipIf(without("test-ca"))("no quorum: one server of three", async () => {
    await using cluster = await Cluster.start(realModel("staging"), { count: 1 });
    const ca = cluster.target().tls?.ca ?? "";
    const plan = () => circl(["plan", "staging", "--tls-ca", ca], as(cluster));
    // It waits ten seconds for the others before it says that there is no leader; until then it says nothing.
    const said = new Set<string>();
    await expect
      .poll(
        async () => {
          const { code, stderr } = await plan();
          said.add(`${code} ${stderr}`);
          return stderr;
        },
        { timeout: 50_000, interval: 100 },
      )
      .toMatch(
        /^error: INFO: the cluster has no leader now\. Wait for the servers to come back: a majority must be up\./,
      );
    for (const answer of said)
      expect(answer).toMatch(/^1 error: .*(no answer in time( from \S+)?|the cluster has no leader now)\./);
  });

  test("JetStream is off on the server", async () => {
    using folder = temporaryFolder();
    const file = join(folder.path, "nats.conf");
    writeFileSync(
      file,
      'server_name: circl-local-nats-0\nlisten: "127.0.0.1:-1"\n' +
        "accounts { SYS { users: [ { user: sys, password: x } ] }, CIRCL { users: [ { user: sync, password: x } ] } }\n" +
        "system_account: SYS\n",
    );
    const child = spawn(tool("nats-server"), ["--config", file, "--ports_file_dir", folder.path], { stdio: "ignore" });
    const written = () => readdirSync(folder.path).find((name) => name.endsWith(".ports"));
    const ports = () => readFileSync(join(folder.path, written() ?? "none.ports"), "utf8");
    try {
      await expect.poll(() => (written() ? ports() : ""), { timeout: 20_000 }).toMatch(/\}$/);
      const env = { CIRCL_SERVER: JSON.parse(ports()).nats[0], CIRCL_USER: "sync", CIRCL_PASSWORD: "x" };
      const { code, stderr } = await circl(["plan", "local"], { env });
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr:
          "error: INFO: JetStream is off for this account. Use a user of the account that has JetStream (CIRCL, not SYS), " +
          "and check jetstream {} in nats.conf.\n",
      });
    } finally {
      await stop(child);
    }
  });
});
