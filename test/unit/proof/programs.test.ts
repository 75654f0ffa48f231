import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { imagesIn } from "../../../src/proof/agent/images.ts";
import { findPrograms } from "../../../src/proof/programs.ts";
import { proveAll } from "../../../src/proof/proof.ts";

describe("the programs of a proof", () => {
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
  });

  test("are of no use without root, which is said before anything is looked for", async () => {
    vi.spyOn(process, "getuid").mockReturnValue(1000);
    await expect(findPrograms("/nowhere")).rejects.toThrow("no proof can run here: it takes root");
  });

  test("that the system lacks are named by their packages, all at once", async () => {
    vi.spyOn(process, "getuid").mockReturnValue(0);
    vi.stubEnv("PATH", "/nowhere");
    await expect(findPrograms("/nowhere")).rejects.toThrow(/On Debian: apt-get install .*\bbusybox\b.*\bopenssl\b/);
  });
});

describe("images", () => {
  const tools = { pathOf: () => "/nowhere", versionOf: () => "2.14.9" };
  const folder = mkdtempSync(join(tmpdir(), "circl-images-"));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test("that stand for no program are refused, and so is another version than the one that is built", async () => {
    const image = imagesIn(folder, tools);
    await expect(image("docker.io/library/redis:8")).rejects.toThrow(
      "no program stands for the image docker.io/library/redis:8",
    );
    await expect(image("docker.io/nats:2.14.9")).rejects.toThrow(
      "no program stands for the image docker.io/nats:2.14.9",
    );
    await expect(image("docker.io/nats:2.14.7-alpine")).rejects.toThrow(
      "the image docker.io/nats:2.14.7-alpine wants nats-server 2.14.7, and tools.json pins nats-server to 2.14.9",
    );
    expect(existsSync(join(folder, "0"))).toBe(false);
  });
});

test("a proof stops at the first step that does not hold, and says why", async () => {
  const told: string[] = [];
  const step = (title: string, prove: () => Promise<string>) => ({ title, prove });
  const proven = await proveAll(
    [
      step("one", async () => "well"),
      step("two", async () => {
        throw new Error("no leader");
      }),
      step("three", async () => "never"),
    ],
    ({ title }) => told.push(title),
  );
  expect(proven.map(({ title, holds, says }) => [title, holds, says])).toEqual([
    ["one", true, "well"],
    ["two", false, "no leader"],
  ]);
  expect(told).toEqual(["one", "two"]);
});
