import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fakeGcloud } from "../support/gcloud.ts";
import { circl, root, temporaryFolder } from "./circl.ts";

const NAMES = [
  ...["bff", "dms", "geo", "iot", "monitor", "oms", "operator-read", "operator-streams", "operator-system"],
  ...["stream-plan", "stream-sync"],
];

describe("circl identity with GCP Secret Manager", { timeout: 120_000 }, () => {
  test("creates what is missing, says who has what, rotates, finishes and revokes", async () => {
    using folder = temporaryFolder();
    const gcloud = fakeGcloud(folder.path);
    const { env } = gcloud;
    const created = await circl(["identity", "create", "staging"], { env });
    expect(created).toMatchObject({ code: 0, stderr: "staging: GCP Secret Manager of circl-staging\n" });
    expect(created.stdout.split("\n").map((line) => line.replace(/ +/g, " "))).toEqual([
      ...[...NAMES, "encryption-key", "tile38-password"].map((name) => `+ ${name} created`),
      "",
    ]);
    const first = gcloud.documents("circl-staging");
    expect(Object.keys(first).sort()).toEqual(
      [
        ...NAMES.flatMap((name) => [`staging-nats-client-${name}`, `staging-nats-identity-${name}`]),
        ...["staging-nats-encryption-key", "staging-tile38-password"],
      ].sort(),
    );
    expect(first["staging-nats-identity-oms"]).toEqual({ current: expect.stringMatching(/^U/), previous: "" });

    const again = await circl(["identity", "create", "staging"], { env });
    expect(again.stdout).not.toContain("+");
    expect(gcloud.documents("circl-staging")).toEqual(first);

    expect(await circl(["identity", "rotate", "staging", "oms", "--wait", "0s"], { env })).toMatchObject({
      code: 0,
      stdout: "+  oms  rotated: both credentials are valid\n",
      // Written on 1 November, as far as this store knows: long since with the clients.
      stderr: expect.stringContaining("\nRestart the clients, then run finish.\n"),
    });
    const justNow = { ...env, FAKE_GCLOUD_AT: new Date().toISOString() };
    expect((await circl(["identity", "rotate", "staging", "oms", "--wait", "0s"], { env: justNow })).stderr).toMatch(
      /Clients get the new half by \d\d:\d\d UTC\. At once:\n {2}kubectl -n circl annotate externalsecret circl-backbone-oms force-sync=\$\(date \+%s\) --overwrite\nRestart them then, not before .* and run finish\.\n$/,
    );
    const names = ["identity", "list", "staging", "oms", "bff"];
    const listed = await circl([...names, "--unfinished-after", "36500d"], { env });
    expect(listed).toMatchObject({ code: 0, stderr: "" });
    expect(listed.stdout).toBe(
      `staging: GCP Secret Manager of circl-staging

name  credential  stands    since (UTC)
oms   nkey        rotating  2026-11-01 10:00  both credentials are valid: restart the clients, then finish
bff   nkey        steady    2026-11-01 10:00
`,
    );
    // Begun weeks ago and never finished: nothing else says so, so a nightly run must fail.
    expect(await circl(names, { env })).toMatchObject({
      code: 3,
      stdout: expect.stringContaining(
        "  left unfinished: both credentials are valid: restart the clients, then finish\n",
      ),
    });
    const second = gcloud.documents("circl-staging");
    expect(second["staging-nats-identity-oms"]?.previous).toBe(first["staging-nats-identity-oms"]?.current);
    const json = JSON.parse((await circl(["identity", "list", "staging", "oms", "--json"], { env })).stdout);
    expect(json).toEqual({
      formatVersion: 1,
      environment: "staging",
      identities: [
        {
          ...{ name: "oms", kind: "service", credential: "nkey", standing: "rotating" },
          since: "2026-11-01T10:00:00.000Z",
          ...second["staging-nats-identity-oms"],
        },
      ],
    });

    expect((await circl(["identity", "finish", "staging", "--all"], { env })).stdout).toContain(
      "+  oms               finished: the previous credential ends\n",
    );
    expect((await circl(["identity", "revoke", "staging", "oms"], { env })).code).toBe(3);
    const only = await circl(["identity", "revoke", "staging", "oms", "--without-new", "--auto-approve"], { env });
    expect(only).toMatchObject({ code: 0, stdout: "+  oms  revoked: every credential ends\n" });
    expect(gcloud.documents("circl-staging")["staging-nats-identity-oms"]).toEqual({ current: "", previous: "" });
    const withdrawn = await circl(["identity", "list", "staging", "oms"], { env });
    expect(withdrawn).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /^oms +nkey +revoked +\S+ \S+ +nobody logs in as it: revoke gives it a new credential$/m,
      ),
    });
    expect((await circl(["identity", "revoke", "staging", "oms", "--auto-approve"], { env })).code).toBe(0);
    const last = gcloud.documents("circl-staging");
    expect(last["staging-nats-identity-oms"]?.previous).toBe("");
    expect(last["staging-nats-identity-oms"]?.current).not.toBe(second["staging-nats-identity-oms"]?.current);
  });

  test("is completed by the same command when the network goes in between", async () => {
    using folder = temporaryFolder();
    const gcloud = fakeGcloud(folder.path);
    const { env } = gcloud;
    await circl(["identity", "create", "staging", "iot"], { env });
    gcloud.allowWrites(1);
    const cut = await circl(["identity", "create", "staging", "iot", "oms"], { env });
    expect(cut).toMatchObject({ code: 1, stdout: "" });
    expect(cut.stderr).toContain("it cannot be reached. Check the network and HTTPS_PROXY, then run the same command");
    // Neither is as it shall be, so a pipeline that asks must fail; and it may ask without the right to read a seed.
    const asked = await circl(["identity", "list", "staging", "--public", "oms", "bff"], { env });
    expect(asked).toMatchObject({
      code: 3,
      stdout: expect.stringMatching(/^oms +nkey +unregistered .*\nbff +nkey +missing /m),
    });
    const seed = gcloud.documents("circl-staging")["staging-nats-client-oms"];
    gcloud.allowWrites(undefined);
    // Made, and cut off before its first version: nobody can read it, and it cannot be made again.
    expect(readdirSync(join(folder.path, "gcloud/secrets/circl-staging/staging-nats-identity-oms"))).toEqual([]);
    expect((await circl(["identity", "create", "staging", "iot", "oms"], { env })).stdout).toBe(
      "=  iot  there already\n+  oms  created: what an earlier run began\n",
    );
    expect(gcloud.documents("circl-staging")["staging-nats-client-oms"]).toEqual(seed);
    gcloud.allowWrites(1);
    expect((await circl(["identity", "rotate", "staging", "iot", "--wait", "0s"], { env })).code).toBe(1);
    gcloud.allowWrites(undefined);
    const listed = await circl(["identity", "list", "staging", "iot"], { env });
    expect(listed).toMatchObject({ code: 3, stdout: expect.stringContaining("a rotate was cut off: run it again") });
    expect((await circl(["identity", "rotate", "staging", "iot", "--wait", "0s"], { env })).code).toBe(0);
  });

  test.each([
    ["You do not currently have an active account selected.", "gcloud is not logged in. Run `gcloud auth login`"],
    ["There was a problem refreshing your current auth tokens: Reauthentication failed.", "gcloud is not logged in"],
    [
      "PERMISSION_DENIED: Permission 'secretmanager.versions.access' denied for resource 'projects/x' (or it may not exist).",
      "not allowed. Reading takes roles/secretmanager.secretAccessor",
    ],
    [
      "PERMISSION_DENIED: Secret Manager API has not been used in project 1 before or it is disabled.",
      "the API is off in this project. Run `gcloud services enable secretmanager.googleapis.com`",
    ],
    [
      "INVALID_ARGUMENT: The project property must be set to a valid project ID",
      "there is no such project. Check secrets.project in environments/",
    ],
    [
      "gcloud crashed (ConnectionError): HTTPSConnectionPool(host='secretmanager.googleapis.com', port=443): Max retries exceeded",
      "it cannot be reached. Check the network and HTTPS_PROXY",
    ],
    ["FAILED_PRECONDITION: Constraint is violated.", "FAILED_PRECONDITION: Constraint is violated."],
  ])("says what to do about: %s", async (says, expected) => {
    using folder = temporaryFolder();
    const gcloud = fakeGcloud(folder.path);
    const env = { ...gcloud.env, FAKE_GCLOUD_SAYS: says };
    const { code, stderr } = await circl(["identity", "list", "production", "oms"], { env });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: GCP Secret Manager of circl-production: reading production-nats-/);
    expect(stderr).toContain(expected);
    expect(stderr).not.toContain("fault of circl");
  });

  test.each([
    [
      "DISABLED",
      "Enable it (gcloud secrets versions enable 1 --secret=staging-nats-client-oms --project=circl-staging), or",
    ],
    ["DESTROYED", "Write its last good version again, or revoke"],
  ] as const)("lists a newest version that is %s as broken, and revoke makes another", async (state, expected) => {
    using folder = temporaryFolder();
    const gcloud = fakeGcloud(folder.path);
    const { env } = gcloud;
    await circl(["identity", "create", "staging", "oms", "bff"], { env });
    gcloud.close("circl-staging", "staging-nats-client-oms", state);
    const listed = await circl(["identity", "list", "staging", "oms", "bff"], { env });
    expect(listed).toMatchObject({ code: 3, stderr: "" });
    expect(listed.stdout).toMatch(/^oms +nkey +broken .*\nbff +nkey +steady /m);
    expect(listed.stdout).toContain(expected);
    const rotated = await circl(["identity", "rotate", "staging", "oms", "--wait", "0s"], { env });
    expect(rotated).toMatchObject({ code: 1, stderr: expect.stringContaining(expected) });
    expect((await circl(["identity", "revoke", "staging", "oms", "--auto-approve"], { env })).code).toBe(0);
    expect((await circl(["identity", "list", "staging", "oms"], { env })).stdout).toMatch(/^oms +nkey +steady /m);
  });

  test("says that gcloud is missing", async () => {
    using folder = temporaryFolder();
    const { code, stderr } = await circl(["identity", "create", "staging"], { env: { PATH: folder.path } });
    expect(code).toBe(1);
    expect(stderr).toContain("gcloud cannot be started");
    expect(stderr).toContain("Install the Google Cloud CLI, or give --store DIR.");
  });

  test("does not finish what cannot have reached the clients", async () => {
    using folder = temporaryFolder();
    const store = join(folder.path, "store");
    await circl(["identity", "create", "staging", "oms", "--store", store]);
    await circl(["identity", "rotate", "staging", "oms", "--store", store]);
    const early = await circl(["identity", "finish", "staging", "oms", "--store", store, "--wait", "7m"]);
    expect(early.code).toBe(3);
    expect(early.stderr).toMatch(
      /^Nothing was finished: what is new reaches clients and servers within 7m, .* oms \(\d+m?s ago\)/,
    );
    expect((await circl(["identity", "finish", "staging", "oms", "--store", store])).code).toBe(0);
  });

  test("takes the previous encryption key neither early nor unasked", async () => {
    using folder = temporaryFolder();
    const { env, documents } = fakeGcloud(folder.path);
    const key = () => documents("circl-staging")["staging-nats-encryption-key"];
    const finish = ["identity", "finish", "staging", "encryption-key"];
    await circl(["identity", "create", "staging", "encryption-key"], { env });
    await circl(["identity", "rotate", "staging", "encryption-key", "--wait", "0s"], { env });
    const rotated = key();
    expect(rotated?.previous).not.toBe("");
    const early = await circl([...finish, "--auto-approve"], {
      env: { ...env, FAKE_GCLOUD_AT: new Date().toISOString() },
    });
    expect(early).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/^Nothing was finished: .* encryption-key \(/),
    });
    const unasked = await circl(finish, { env });
    expect(unasked).toMatchObject({ code: 3, stdout: "" });
    expect(unasked.stderr).toContain('Every server must have said "the current key"');
    expect(unasked.stderr).toContain("Nothing was finished: there is nobody to ask.");
    expect(key()).toEqual(rotated);
    expect((await circl([...finish, "--auto-approve"], { env })).code).toBe(0);
    expect(key()).toEqual({ current: rotated?.current, previous: "" });
  });

  test("waits for the servers before clients get what is new, and may be interrupted meanwhile", async () => {
    using folder = temporaryFolder();
    const gcloud = fakeGcloud(folder.path);
    await circl(["identity", "create", "staging", "oms"], { env: gcloud.env });
    const before = gcloud.documents("circl-staging");
    const command = spawn(process.execPath, [join(root, "bin/circl"), "identity", "rotate", "staging", "oms"], {
      env: { ...process.env, ...gcloud.env },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    command.stderr.on("data", (chunk) => {
      said += chunk;
    });
    await expect.poll(() => said, { timeout: 30_000 }).toContain("; nobody asks them without --server");
    const ended = once(command, "exit");
    command.kill("SIGINT");
    await ended;
    const between = gcloud.documents("circl-staging");
    expect(between["staging-nats-client-oms"]).toEqual(before["staging-nats-client-oms"]);
    expect(between["staging-nats-identity-oms"]?.previous).toBe(before["staging-nats-identity-oms"]?.current);
    await circl(["identity", "rotate", "staging", "oms", "--wait", "0s"], { env: gcloud.env });
    const after = gcloud.documents("circl-staging");
    expect(after["staging-nats-client-oms"]).not.toEqual(before["staging-nats-client-oms"]);
    expect(after["staging-nats-identity-oms"]?.previous).toBe(before["staging-nats-identity-oms"]?.current);

    const env = { ...gcloud.env, FAKE_GCLOUD_AT: new Date().toISOString() };
    const early = await circl(["identity", "finish", "staging", "oms"], { env });
    expect(early).toMatchObject({ code: 3, stderr: expect.stringContaining("reaches clients and servers within 7m") });
  });

  test("refuses a folder that others can read, and names that are none", async () => {
    using folder = temporaryFolder();
    mkdirSync(join(folder.path, "open"), { mode: 0o755 });
    chmodSync(join(folder.path, "open"), 0o755);
    const shared = await circl(["identity", "create", "staging", "--store", join(folder.path, "open")]);
    expect(shared).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("can be read by others than you. Run `chmod 700"),
    });
    const unknown = await circl(["identity", "rotate", "staging", "omss", "--store", folder.path]);
    expect(unknown).toMatchObject({
      code: 64,
      stderr: expect.stringContaining('no identity "omss" (Did you mean oms?)'),
    });
    const nobody = await circl(["identity", "rotate", "staging", "--store", folder.path]);
    expect(nobody).toMatchObject({ code: 64, stderr: expect.stringContaining("which? Give names, or --all: bff,") });
    const wait = await circl(["identity", "rotate", "staging", "oms", "--store", folder.path, "--wait", "soon"]);
    expect(wait).toMatchObject({ code: 64, stderr: expect.stringContaining('--wait is "soon"') });
    const out = await circl(["identity", "create", "staging", "--out", folder.path]);
    expect(out).toMatchObject({ code: 64, stderr: expect.stringContaining("External Secrets makes those of staging") });
    const where = await circl(["identity", "create", "local"]);
    expect(where).toMatchObject({
      code: 64,
      stderr: expect.stringContaining("give --out DIR, --kubectl CONTEXT or both"),
    });
  });
});
