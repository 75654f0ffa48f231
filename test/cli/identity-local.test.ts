import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, expect, test } from "vitest";
import { circl, contentOf, temporaryFolder } from "./circl.ts";

describe("circl identity without a secret store", () => {
  /** A kubectl that keeps what it is given, object by object. */
  function kubectl(folder: string) {
    const bin = join(folder, "bin");
    const objects = join(folder, "objects");
    for (const path of [bin, objects]) mkdirSync(path);
    const program = `#!${process.execPath}
const { appendFileSync, existsSync, readFileSync, writeFileSync } = require("node:fs");
const [, context, verb, ...args] = process.argv.slice(2);
appendFileSync("${folder}/kubectl-argv", process.argv.slice(2).join(" ") + "\\n");
if (context === "broken") {
  process.stderr.write('error: context "broken" does not exist\\n');
  process.exit(1);
}
if (verb === "get") {
  const file = "${objects}/" + args[1];
  if (existsSync(file)) process.stdout.write(readFileSync(file));
} else {
  for (const item of JSON.parse(readFileSync(0, "utf8")).items) writeFileSync("${objects}/" + item.metadata.name, JSON.stringify(item));
}
`;
    writeFileSync(join(bin, "kubectl"), program);
    chmodSync(join(bin, "kubectl"), 0o755);
    const object = (name: string) => JSON.parse(readFileSync(join(objects, name), "utf8"));
    const file = (secret: string, key: string) => Buffer.from(object(secret).data[key], "base64").toString();
    const env = { PATH: `${bin}${delimiter}${process.env.PATH}` };
    return { env, objects, object, file, argv: () => readFileSync(join(folder, "kubectl-argv"), "utf8").split("\n") };
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

  const create = ["identity", "create", "local", "--kubectl", "kind-circl"];

  test("sends them to a cluster by stdin, with the namespaces of the clients", async () => {
    using folder = temporaryFolder();
    const { env, object, file, argv, objects } = kubectl(folder.path);
    const { code, stderr } = await circl(create, { env });
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: "local: Secret nats-identity-documents of kind-circl\nSent 8 Secrets to kind-circl.\n",
    });
    expect(new Set(argv().filter((line) => line.includes(" apply ")))).toEqual(
      new Set(["--context kind-circl apply --server-side --force-conflicts -f -"]),
    );
    const clients = ["bff", "dms", "geo", "iot", "oms"].map((name) => `circl-backbone-${name}`);
    const ours = ["nats-auth", "tile38-leader-config", "tile38-follower-config", "nats-identity-documents"];
    expect(readdirSync(objects).sort()).toEqual(["circl", ...clients, ...ours].sort());
    expect(object("circl")).toMatchObject({ kind: "Namespace" });
    for (const name of clients)
      expect(object(name)).toMatchObject({ kind: "Secret", metadata: { namespace: "circl" } });
    for (const name of ours) expect(object(name).metadata.namespace).toBe("circl-backbone");
    expect(Object.keys(object("nats-auth").data)).toEqual(["auth.conf"]);
    expect(file("nats-auth", "auth.conf")).toMatch(/nkey: "U/);
  });

  test("makes what is missing there the second time, and replaces nothing unless it is told to", async () => {
    using folder = temporaryFolder();
    const { env, objects, file } = kubectl(folder.path);
    await circl(create, { env });
    const first = contentOf(objects);
    const again = await circl(create, { env });
    expect(again.stdout).not.toContain("+");
    expect(contentOf(objects)).toEqual(first);
    const seed = file("circl-backbone-oms", "nats.nk");
    const rotate = ["identity", "rotate", "local", "oms", "--kubectl", "kind-circl", "--wait", "0s"];
    expect(await circl(rotate, { env })).toMatchObject({ code: 0 });
    expect(file("circl-backbone-oms", "nats.nk")).not.toBe(seed);
    expect(file("circl-backbone-iot", "nats.nk")).toBe(
      Buffer.from(JSON.parse(first["circl-backbone-iot"] ?? "{}").data["nats.nk"], "base64").toString(),
    );
    const listed = await circl(["identity", "list", "local", "oms", "iot", "--kubectl", "kind-circl"], { env });
    expect(listed.stdout).toMatch(/^oms +nkey +rotating .*\niot +nkey +steady/m);
  });

  test.each([
    ["a document that is no JSON", "not JSON", /iot.*is no JSON object/],
    [
      "a document without a key",
      '{"seed":"x","more":""}',
      /iot: "seed" is not of the form .* "more" means nothing here/,
    ],
  ])("%s stops everything before anything is sent", async (_, text, expected) => {
    using folder = temporaryFolder();
    const { env, objects, object } = kubectl(folder.path);
    await circl(create, { env });
    const documents = object("nats-identity-documents");
    const broken = Buffer.from(JSON.stringify({ text, at: new Date(0).toISOString() })).toString("base64");
    documents.data["local-nats-client-iot"] = broken;
    delete documents.data["local-nats-client-oms"];
    delete documents.data["local-nats-identity-oms"];
    writeFileSync(join(objects, "nats-identity-documents"), JSON.stringify(documents));
    const before = contentOf(objects);
    // Of oms alone nothing is in the way, but no Secrets can be made with what iot has.
    for (const names of [[], ["oms"]]) {
      const { code, stdout, stderr } = await circl([...create, ...names], { env });
      expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
      expect(stderr).toMatch(expected);
      expect(stderr).not.toContain(text);
      expect(contentOf(objects)).toEqual(before);
    }
  });

  test("does not replace Secrets whose documents it does not find", async () => {
    using folder = temporaryFolder();
    const { env, objects } = kubectl(folder.path);
    const out = join(folder.path, "secrets");
    expect(await circl([...create, "--out", out], { env })).toMatchObject({ code: 0 });
    const before = contentOf(objects);
    const { code, stderr } = await circl(create, { env });
    expect(code).toBe(1);
    expect(stderr).toContain(
      "Give the folder of their documents as --out, or begin anew: kubectl --context kind-circl -n",
    );
    expect(contentOf(objects)).toEqual(before);
    expect((await circl([...create, "--out", out], { env })).stdout).not.toContain("+");
  });

  test("says what kubectl says", async () => {
    using folder = temporaryFolder();
    const { env, objects } = kubectl(folder.path);
    const { code, stderr } = await circl(["identity", "create", "local", "--kubectl", "broken"], { env });
    expect(code).toBe(1);
    expect(stderr).toContain('kubectl get from broken: error: context "broken" does not exist. Check --kubectl');
    expect(readdirSync(objects)).toEqual([]);
  });
});
