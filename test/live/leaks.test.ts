/**
 * Everything that our commands leave behind is searched for everything secret that they have made: their output, the plan file,
 * the arguments of every process meanwhile, and the manifests.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { circl, contentOf, temporaryFolder } from "../cli/circl.ts";
import { realModel } from "../support/definitions.ts";
import { fakeGcloud } from "../support/gcloud.ts";
import { Cluster } from "../support/nats-server.ts";
import { reload, setAuth } from "../support/reload.ts";
import { without } from "../support/tools.ts";

/** Values that open something: hashes and public keys count only where they would be printed. */
const secretsOf = (documents: readonly string[]): string[] =>
  documents
    .flatMap((text) => Object.entries(JSON.parse(text) as Record<string, string>))
    .filter(([key, value]) => value !== "" && !["user", "currentUser", "previousUser"].includes(key))
    .map(([, value]) => value)
    .filter((value) => !/^U[A-Z2-7]{55}$/.test(value));

/** Watches the arguments of all processes of this machine. */
function watchProcesses() {
  const seen = new Set<string>();
  const look = () => {
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      try {
        seen.add(readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " "));
      } catch {
        // It has ended.
      }
    }
  };
  const timer = setInterval(look, 5);
  return { seen: () => [...seen].join("\n"), [Symbol.dispose]: () => clearInterval(timer) };
}

describe.skipIf(without("nats-server") || process.platform !== "linux")("nothing secret", { timeout: 180_000 }, () => {
  test("is said, written or passed on by identity, plan and apply", async () => {
    using folder = temporaryFolder();
    const gcloud = fakeGcloud(folder.path);
    const env = { CIRCL_TIMEOUT: "5000", CDK8S_OUTDIR: join(folder.path, "dist"), ...gcloud.env };
    using watch = watchProcesses();
    const said: string[] = [];
    const run = async (...args: string[]) => {
      const { code, stdout, stderr } = await circl(args, { env });
      said.push(stdout, stderr);
      expect({ args, code, stderr }).toMatchObject({ code: 0 });
    };
    const names = ["oms", "iot", "bff", "encryption-key", "tile38-password"];
    await run("identity", "create", "production", ...names);
    await run("identity", "rotate", "production", "oms", "iot", "encryption-key", "--wait", "0s");
    await run("identity", "finish", "production", "oms", "--wait", "0s");
    await run("identity", "revoke", "production", "bff", "tile38-password", "--auto-approve");
    // The rotations are as old as the store's clock says, which stands still.
    const list = ["identity", "list", "production", "--unfinished-after", "10000d"];
    await run(...list, ...names);
    await run(...list, "--json", ...names);

    const out = join(folder.path, "local");
    await run("identity", "create", "local", "--out", out);
    const files = contentOf(out);
    await using cluster = await Cluster.start(realModel("local"), { auth: files["nats-auth/auth.conf"] ?? "" });
    const login = (name: string) => [
      ...["--server", `127.0.0.1:${cluster.servers[0]?.clientPort}`, "--inbox-prefix", `_INBOX_${name}`],
      ...["--nkey", join(out, `circl-backbone-${name}`, "nats.nk")],
    ];
    const plan = join(folder.path, "plan.json");
    await run("plan", "local", "--out", plan, ...login("stream-plan"));
    await run("apply", "local", "--plan", plan, ...login("stream-sync"));
    // Where every secret could be read: dist must hold none of them all the same.
    const dist = join(folder.path, "dist");
    await run("synth");
    // With what clients have, whoever ends a credential logs in to the servers.
    const asked = ["local", "oms", "--out", out, ...login("oms").slice(0, 2)];
    await run("identity", "rotate", "local", "oms", "--out", out);
    const rotated = contentOf(out);
    setAuth(cluster, rotated["nats-auth/auth.conf"] ?? "");
    await reload(cluster);
    await run("identity", "finish", ...asked);
    await run("identity", "revoke", ...asked, "--without-new", "--auto-approve", "--wait", "0s");
    // A seed where the public key belongs, as somebody may put it into the store by hand.
    const iot = JSON.parse(files["documents/local-nats-identity-iot.json"] ?? "{}").current as string;
    const seed = JSON.parse(files["documents/local-nats-client-iot.json"] ?? "{}").seed as string;
    setAuth(cluster, (files["nats-auth/auth.conf"] ?? "").replace(iot, seed));
    await reload(cluster, "Failed to reload server configuration");

    const documents = [files, rotated].flatMap((made) =>
      Object.entries(made).flatMap(([file, text]) => (file.startsWith("documents/") ? [text] : [])),
    );
    const secrets = secretsOf([...gcloud.everything(), ...documents]);
    expect(secrets.length).toBeGreaterThan(20);
    const places = {
      output: said.join("\n"),
      plan: readFileSync(plan, "utf8"),
      arguments: gcloud.argv(),
      processes: `${gcloud.processes()}\n${watch.seen()}`,
      dist: Object.values(contentOf(dist)).join("\n"),
      "server's log": cluster.servers.map(({ log }) => log()).join("\n"),
    };
    for (const [place, text] of Object.entries(places))
      expect({ place, empty: text === "" }).toEqual({ place, empty: false });
    expect(places.dist).toContain("ExternalSecret");
    expect(places.processes).toContain("identity rotate production");
    expect(places.processes).toContain("apply local --plan");
    expect(places.processes).toContain("identity finish local oms");
    expect(places.arguments).toContain("secrets versions add production-nats-identity-oms --data-file=-");
    for (const [place, text] of Object.entries(places)) {
      expect({ place, leaks: secrets.filter((secret) => text.includes(secret)).length }).toEqual({ place, leaks: 0 });
    }
  });

  test("the search finds what is there", async () => {
    using folder = temporaryFolder();
    using watch = watchProcesses();
    const secret = "S".repeat(43);
    writeFileSync(join(folder.path, "document"), JSON.stringify({ password: secret }));
    expect(secretsOf([readFileSync(join(folder.path, "document"), "utf8")])).toEqual([secret]);
    await circl(["explain", secret]);
    expect(watch.seen()).toContain(secret);
  });
});
