/** Nothing in git opens anything: no seed, private key or hash in any file, generated ones and fixtures included, and no password where one is applied. */
import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { nkeys } from "nats";
import { expect, test } from "vitest";
import { modelWith } from "../support/definitions.ts";
import { objectsOf } from "../support/manifests.ts";
import { found, SECRETS } from "../support/secrets.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

test("no file in git holds a secret", () => {
  const files = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: root })
    .toString()
    .split("\0")
    .filter((file) => file !== "" && statSync(join(root, file), { throwIfNoEntry: false })?.isFile());
  expect(files.length).toBeGreaterThan(200);
  for (const folder of ["dist/production/", "test/fixtures/", "docs/"]) {
    expect(files.some((file) => file.startsWith(folder))).toBe(true);
  }
  const leaks = files.flatMap((file) =>
    found(file, readFileSync(join(root, file), "utf8")).map((kind) => `${file}: ${kind}`),
  );
  expect(leaks).toEqual([]);
});

test("what an environment with passwords and shared inboxes renders holds none either", () => {
  const clients = { passwords: ["oms", "bff", "operator-system"], inboxes: "shared" } as const;
  const text = JSON.stringify(objectsOf(modelWith({ environment: { nats: { clients } } })));
  expect(found("dist/production/20-secrets.k8s.yaml", text)).toEqual([]);
});

test("each kind of secret would be found", () => {
  const { privateKey } = generateKeyPairSync("ed25519");
  const seed = new TextDecoder().decode(nkeys.createUser().getSeed());
  const examples: Readonly<Record<string, string>> = {
    "seed of an NKey": `nats.nk: ${seed}`,
    "private key": String(privateKey.export({ type: "pkcs8", format: "pem" })),
    "credentials file": `-----BEGIN ${"USER NKEY SEED"}-----\n${seed}`,
    "bcrypt hash": `password: "$2a$11$${"x".repeat(53)}"`,
    "key of a cloud account": `{"private_key": "${"x".repeat(30)}"}`,
  };
  expect(Object.keys(examples)).toEqual(Object.keys(SECRETS));
  for (const [kind, text] of Object.entries(examples)) expect(found("README.md", text)).toContain(kind);
  for (const text of ['requirepass":"hunter22"', '{\\"leaderauth\\":\\"hunter22\\"}', "password: hunter22"]) {
    expect(found("dist/staging/20-secrets.k8s.yaml", text)).toEqual(["password"]);
  }
});
