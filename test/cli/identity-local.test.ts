import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, expect, test } from "vitest";
import { circl, contentOf, temporaryFolder } from "./circl.ts";

describe("circl identity without a secret store", () => {
  /** A kubectl that keeps what it is given. */
  function kubectl(folder: string) {
    const bin = join(folder, "bin");
    mkdirSync(bin);
    const text = `#!/bin/sh\nprintf '%s\\n' "$*" >>"${folder}/kubectl-argv"\n[ "$2" != broken ] || { echo 'error: context "broken" does not exist' >&2; exit 1; }\ncat >"${folder}/kubectl-stdin"\n`;
    writeFileSync(join(bin, "kubectl"), text);
    chmodSync(join(bin, "kubectl"), 0o755);
    return { env: { PATH: `${bin}${delimiter}${process.env.PATH}` } };
  }

  test("writes the Secrets as files that only their owner can read, and keeps them the second time", async () => {
    using folder = temporaryFolder();
    const out = join(folder.path, "secrets");
    expect((await circl(["identity", "create", "local", "--out", out])).code).toBe(0);
    const first = contentOf(out);
    for (const file of Object.keys(first)) {
      expect((statSync(join(out, file)).mode & 0o777).toString(8)).toBe("600");
    }
    expect(Object.keys(first).filter((file) => !file.startsWith("documents/") && !file.startsWith("circl-"))).toEqual([
      "nats-auth/auth.conf",
      "tile38-follower-config/config",
      "tile38-leader-config/config",
    ]);
    expect((await circl(["identity", "create", "local", "--out", out])).code).toBe(0);
    expect(contentOf(out)).toEqual(first);
    expect((await circl(["identity", "rotate", "local", "iot", "--out", out])).code).toBe(0);
    const second = contentOf(out);
    expect(second["circl-backbone-iot/nats.nk"]).not.toBe(first["circl-backbone-iot/nats.nk"]);
    const old = JSON.parse(first["documents/local-nats-identity-iot.json"] ?? "{}").current;
    expect(second["nats-auth/auth.conf"]).toContain(old);
    expect((await circl(["identity", "list", "local", "iot", "--out", out])).stdout).toContain("rotating");
  });

  test("sends them to a cluster by stdin, with the namespaces of the clients", async () => {
    using folder = temporaryFolder();
    const place = kubectl(folder.path);
    const { code, stderr } = await circl(["identity", "create", "local", "--kubectl", "kind-circl"], place);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: "local: nowhere but in the cluster\nSent 8 Secrets to kind-circl.\n",
    });
    const argv = readFileSync(join(folder.path, "kubectl-argv"), "utf8");
    expect(argv).toBe("--context kind-circl apply --server-side --force-conflicts -f -\n");
    const { items } = JSON.parse(readFileSync(join(folder.path, "kubectl-stdin"), "utf8"));
    const named = items.map(({ kind, metadata }: { kind: string; metadata: Record<string, string> }) =>
      [kind, metadata.namespace, metadata.name].filter(Boolean).join(" "),
    );
    expect(named).toEqual([
      "Namespace circl",
      "Secret circl-backbone nats-auth",
      "Secret circl-backbone tile38-leader-config",
      "Secret circl-backbone tile38-follower-config",
      ...["bff", "dms", "geo", "iot", "oms"].map((name) => `Secret circl circl-backbone-${name}`),
    ]);
    expect(Object.keys(items[1].data)).toEqual(["auth.conf"]);
    const rotated = await circl(["identity", "rotate", "local", "oms", "--kubectl", "kind-circl"], place);
    expect(rotated).toMatchObject({ code: 64, stderr: expect.stringContaining("give --out DIR as for create") });
  });

  test("says what kubectl says", async () => {
    using folder = temporaryFolder();
    const { code, stderr } = await circl(["identity", "create", "local", "--kubectl", "broken"], kubectl(folder.path));
    expect(code).toBe(1);
    expect(stderr).toContain('kubectl apply to broken: error: context "broken" does not exist. Check --kubectl');
    expect(existsSync(join(folder.path, "kubectl-stdin"))).toBe(false);
  });
});
