import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { gcpSecretManager } from "../../../src/connect/secret-store.ts";
import { waitEvery } from "../../../src/deploy/waiting.ts";
import { root, temporaryFolder } from "../../cli/circl.ts";
import { fakeGcloud } from "../../support/gcloud.ts";

afterEach(() => vi.unstubAllEnvs());

/** Secret Manager as `says` lets it answer everything. */
function answering(says: string, folder: string) {
  for (const [name, value] of Object.entries({ ...fakeGcloud(folder).env, FAKE_GCLOUD_SAYS: says }))
    vi.stubEnv(name, value);
  return gcpSecretManager("circl-production");
}

test.each([
  "NOT_FOUND: Secret [projects/140312345678/secrets/production-nats-client-oms] not found or has no versions.",
  "NOT_FOUND: Secret Version [projects/1/secrets/production-nats-client-transport/versions/latest] not found.",
  "NOT_FOUND: Secret [projects/1/secrets/production-nats-client-permission_denied] not found or has no versions.",
])("what is not there is missing, whatever it is called: %s", async (says) => {
  using folder = temporaryFolder();
  expect(await answering(says, folder.path).read("production-nats-client-oms")).toBeUndefined();
});

test.each([
  [
    "INTERNAL: cannot read [projects/140312345678/secrets/production-nats-client-transport/versions/latest].",
    "reading production-nats-client-transport: ERROR: (gcloud.secrets) INTERNAL",
  ],
  [
    "INTERNAL: GET https://secretmanager.googleapis.com/v1/projects/140312345678/secrets/production-nats-client-transport",
    "reading production-nats-client-transport: ERROR: (gcloud.secrets) INTERNAL",
  ],
  [
    "PERMISSION_DENIED: Permission 'secretmanager.versions.access' denied for resource 'projects/1/secrets/timeout/versions/1'",
    "not allowed. Reading takes",
  ],
  ["HTTPError 403: Forbidden", "not allowed. Reading takes"],
  ["DEADLINE_EXCEEDED: Deadline exceeded", "it cannot be reached. Check the network"],
  ["HTTPSConnectionPool(host='x', port=443): Read timed out. (read timeout=300)", "it cannot be reached."],
  ["gcloud crashed (TransportError): ('Connection aborted.', timeout('timed out'))", "it cannot be reached."],
])("names and numbers of ours are no reason of a failure: %s", async (says, expected) => {
  using folder = temporaryFolder();
  await expect(answering(says, folder.path).read("production-nats-client-transport")).rejects.toMatchObject({
    name: "StoreFailure",
    message: expect.stringContaining(expected),
  });
});

test("a project that is not there is no secret that is not there", async () => {
  using folder = temporaryFolder();
  const store = answering("NOT_FOUND: Project 'circl-production' not found or deleted.", folder.path);
  await expect(store.read("production-nats-client-oms")).rejects.toThrow("there is no such project");
});

/** Resolves once no process of the group is left. */
const ended = (group: number): Promise<true> =>
  waitEvery(20).until(
    async () => {
      try {
        process.kill(-group, 0);
        return undefined;
      } catch {
        return true;
      }
    },
    30_000,
    async () => "it goes on",
  );

test("a gcloud that gives no answer is given up, and nothing of it goes on", async () => {
  using folder = temporaryFolder();
  const { env } = fakeGcloud(folder.path);
  for (const [name, value] of Object.entries({ ...env, FAKE_GCLOUD_SLEEPS: "600" })) vi.stubEnv(name, value);
  await expect(gcpSecretManager("circl-production", 5_000).write("oms", "{}")).rejects.toMatchObject({
    name: "StoreFailure",
    message: expect.stringMatching(/: writing oms: gcloud gave no answer in 5 s\. .* run the same command again\.$/),
  });
  expect(await ended(Number(readFileSync(join(folder.path, "gcloud/sleeping"), "utf8")))).toBe(true);
});

test("Ctrl-C ends gcloud with the command", async () => {
  using folder = temporaryFolder();
  const env = { ...process.env, ...fakeGcloud(folder.path).env, FAKE_GCLOUD_SLEEPS: "600" };
  const args = [join(root, "bin/circl"), "identity", "list", "production", "oms"];
  const command = spawn(process.execPath, args, { env, stdio: "ignore" });
  const sleeping = join(folder.path, "gcloud/sleeping");
  await expect.poll(() => existsSync(sleeping) && readFileSync(sleeping, "utf8"), { timeout: 30_000 }).toMatch(/\d\n/);
  const exit = once(command, "exit");
  command.kill("SIGINT");
  expect(await exit).toEqual([null, "SIGINT"]);
  expect(await ended(Number(readFileSync(sleeping, "utf8")))).toBe(true);
});
