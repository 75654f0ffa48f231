import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { nkeys } from "nats";
import { describe, expect, test, vi } from "vitest";
import { type ConnectionOptions, serversOf } from "../../src/cli/connection.ts";
import { realModel } from "../support/definitions.ts";
import { Cluster } from "../support/nats-server.ts";
import { without } from "../support/tools.ts";
import { circl, temporaryFolder } from "./circl.ts";

/** A kubectl that "forwards" to a server that listens already, and keeps what it was asked for. */
function fakeKubectl(folder: string, port: number): string {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  writeFileSync(
    join(bin, "kubectl"),
    `#!/bin/sh\necho "$@" > "${folder}/asked"\n[ "$2" = nowhere ] && { echo 'error: context "nowhere" does not exist' >&2; exit 1; }\necho "Forwarding from 127.0.0.1:${port} -> 4222"\nexec sleep 60\n`,
  );
  chmodSync(join(bin, "kubectl"), 0o755);
  return `${bin}${delimiter}${process.env.PATH}`;
}
const user = { CIRCL_USER: "sync", CIRCL_PASSWORD: "loopback-only" };

test("a password in a URL is refused without being repeated", async () => {
  const { code, stderr } = await circl(["plan", "local", "--server", "nats://sync:hunter2@127.0.0.1:1"]);
  expect(code).toBe(64);
  expect(stderr).toContain("give --user and --password-file, not a URL with a password");
  expect(stderr).not.toContain("hunter2");
});

describe("a context that names somebody", () => {
  const everybody = { user: "them", password: "theirs", token: "theirs", nkey: "their.nk", creds: "their.creds" };
  const identityWith = (options: Partial<ConnectionOptions>) => {
    using folder = temporaryFolder();
    mkdirSync(join(folder.path, "nats/context"), { recursive: true });
    const file = join(folder.path, "nats/context/here.json");
    writeFileSync(file, JSON.stringify({ url: "nats://n", inbox_prefix: "_INBOX_x", ...everybody }));
    writeFileSync(join(folder.path, "token"), "mine");
    vi.stubEnv("XDG_CONFIG_HOME", folder.path);
    const tokenFile = options.tokenFile ? { tokenFile: join(folder.path, options.tokenFile) } : {};
    const { servers, timeout, ...target } = serversOf({ context: "here", timeout: "5000", ...options, ...tokenFile });
    vi.unstubAllEnvs();
    return target;
  };

  test.each<[Partial<ConnectionOptions>, object]>([
    [{ user: "me" }, { user: "me" }],
    [{ nkey: "my.nk" }, { nkeyFile: "my.nk" }],
    [{ creds: "my.creds" }, { credsFile: "my.creds" }],
    [{ tokenFile: "token" }, { token: "mine" }],
  ])("is somebody else with %j, and nothing of that identity stays", (options, expected) => {
    expect(identityWith(options)).toEqual({ inboxPrefix: "_INBOX_x", ...expected });
  });

  test("is asked as that one where no option names another", () => {
    expect(identityWith({})).toMatchObject({ user: "them", nkeyFile: "their.nk", inboxPrefix: "_INBOX_x" });
  });
});

test("a file that cannot be read is a wrong argument", async () => {
  const { code, stderr } = await circl(["plan", "local", "--server", "127.0.0.1:1", "--password-file", "/"]);
  expect({ code, stderr: stderr.split("\n")[0] }).toEqual({ code: 64, stderr: "error: / cannot be read" });
});

test.each(["--lock-timeout", "--ready-timeout"])("%s is seconds", async (option) => {
  const { code, stderr } = await circl(["apply", "local", "--server", "127.0.0.1:1", option, "soon"]);
  expect({ code, stderr: stderr.split("\n")[0] }).toEqual({
    code: 64,
    stderr: `error: ${option} is "soon", expected seconds`,
  });
});

describe.skipIf(without("nats-server", "test-ca"))("a cluster is reached", () => {
  test("by a context of the nats command, whose settings options win over", async () => {
    await using cluster = await Cluster.start(realModel("local"));
    using folder = temporaryFolder();
    mkdirSync(join(folder.path, "nats/context"), { recursive: true });
    const context = {
      url: `nats://127.0.0.1:${cluster.servers[0]?.clientPort}`,
      user: "sync",
      password: "loopback-only",
    };
    writeFileSync(join(folder.path, "nats/context/here.json"), JSON.stringify({ ...context, description: "" }));
    const env = { XDG_CONFIG_HOME: folder.path };
    expect(await circl(["plan", "local", "--context", "here"], { env })).toMatchObject({ code: 0 });
    expect((await circl(["plan", "local", "--context", "here", "--server", "127.0.0.1:1"], { env })).stderr).toContain(
      "nobody listens at 127.0.0.1:1",
    );
    expect(await circl(["plan", "local", "--context", "there"], { env })).toMatchObject({
      code: 64,
      stderr: expect.stringContaining(
        `there is no context "there" in ${join(folder.path, "nats/context")}. There are: here`,
      ),
    });
  });

  test("as whom an option names, and not as whom the context does", async () => {
    const key = nkeys.createUser();
    const stranger = `{ nkey: ${key.getPublicKey()}, permissions: { publish: "nothing", subscribe: ">" } }`;
    const users = `[ { user: "sync", password: "loopback-only" }, ${stranger} ]`;
    const auth = `accounts { SYS {}, CIRCL { jetstream: enabled, users: ${users} } }\nSYSTEM_ACCOUNT: SYS\n`;
    await using cluster = await Cluster.start(realModel("local"), { auth });
    using folder = temporaryFolder();
    mkdirSync(join(folder.path, "nats/context"), { recursive: true });
    const seed = join(folder.path, "stranger.nk");
    writeFileSync(seed, key.getSeed());
    const url = `nats://127.0.0.1:${cluster.servers[0]?.clientPort}`;
    writeFileSync(join(folder.path, "nats/context/here.json"), JSON.stringify({ url, nkey: seed }));
    const env = { XDG_CONFIG_HOME: folder.path };
    const planned = (more: Readonly<Record<string, string>>) =>
      circl(["plan", "local", "--context", "here"], { env: { ...env, ...more } });
    expect((await planned({})).stderr).toContain("may not");
    expect(await planned(user)).toMatchObject({ code: 0, stderr: "" });
  });

  test("through kubectl, by the name that the certificate has for the Service", async () => {
    await using cluster = await Cluster.start(realModel("staging"), { certifyLoopback: false });
    using folder = temporaryFolder();
    const PATH = fakeKubectl(folder.path, cluster.servers[0]?.clientPort ?? 0);
    const ca = cluster.target().tls?.ca ?? "";
    const planned = await circl(["plan", "staging", "--kubectl", "gke-staging", "--tls-ca", ca], {
      env: { ...user, PATH },
    });
    expect(planned).toMatchObject({ code: 0, stdout: expect.stringContaining("staging: cluster circl-staging at ") });
  });

  test("through kubectl without --tls-ca, by the same name and an authority that this machine trusts", async () => {
    await using cluster = await Cluster.start(realModel("staging"), { certifyLoopback: false });
    using folder = temporaryFolder();
    const PATH = fakeKubectl(folder.path, cluster.servers[0]?.clientPort ?? 0);
    const ca = cluster.target().tls?.ca ?? "";
    const plan = (env: Readonly<Record<string, string>>) =>
      circl(["plan", "staging", "--kubectl", "gke-staging"], { env: { ...user, PATH, ...env } });
    expect(await plan({ NODE_EXTRA_CA_CERTS: ca })).toMatchObject({ code: 0 });
    const unknown = await plan({});
    expect(unknown.code).toBe(1);
    expect(unknown.stderr).toMatch(/^error: connecting: unable to verify the first certificate\. Check --tls-ca: /);
  });

  test("through kubectl, but not a server whose certificate has another name than the Service's", async () => {
    const other = { dnsNames: ["localhost", "127.0.0.1"], usages: ["server auth"] };
    await using cluster = await Cluster.start(realModel("staging"), { certificates: { "nats-server-tls": other } });
    using folder = temporaryFolder();
    const PATH = fakeKubectl(folder.path, cluster.servers[0]?.clientPort ?? 0);
    const env = { ...user, PATH, NODE_EXTRA_CA_CERTS: cluster.target().tls?.ca ?? "" };
    const { code, stderr } = await circl(["plan", "staging", "--kubectl", "gke-staging"], { env });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^error: connecting: .*Host: nats\.circl-backbone.*\. Check --tls-ca: .* must be a name that they have\./,
    );
  });

  test("not where kubectl cannot go, and that is said", async () => {
    using folder = temporaryFolder();
    const PATH = fakeKubectl(folder.path, 1);
    const { code, stderr } = await circl(["plan", "local", "--kubectl", "nowhere"], { env: { ...user, PATH } });
    expect(code).toBe(1);
    expect(stderr).toContain(
      'kubectl port-forward to nats in circl-backbone: error: context "nowhere" does not exist. Check --kubectl',
    );
  });
});
