import { describe, expect, test } from "vitest";
import { startTogether } from "../../../src/proof/parts.ts";

/** A part that writes down when it is stopped, and says why it cannot be. */
const part = (name: string, stopped: string[], failure = ""): AsyncDisposable => ({
  async [Symbol.asyncDispose]() {
    stopped.push(name);
    if (failure) throw new Error(failure);
  },
});

describe("parts", () => {
  test("are stopped the other way round, each once", async () => {
    const stopped: string[] = [];
    const whole = await startTogether(async (parts) => {
      for (const name of ["network", "api", "nodes"]) parts.use(part(name, stopped));
      return parts;
    });
    expect(stopped).toEqual([]);
    await whole[Symbol.asyncDispose]();
    await whole[Symbol.asyncDispose]();
    expect(stopped).toEqual(["nodes", "api", "network"]);
  });

  test("are stopped where the next one cannot be started, which is what is said", async () => {
    const stopped: string[] = [];
    const failure = new Error("no bridge");
    const start = startTogether(async (parts) => {
      parts.use(part("network", stopped));
      throw failure;
    });
    await expect(start).rejects.toBe(failure);
    expect(stopped).toEqual(["network"]);
  });

  test("are all stopped where one cannot be, and everything that failed is said", async () => {
    const stopped: string[] = [];
    const start = startTogether(async (parts) => {
      parts.use(part("folder", stopped));
      parts.use(part("network", stopped, "the bridge is busy"));
      parts.use(part("nodes", stopped, "a pod still runs"));
      throw new Error("no more addresses");
    });
    await expect(start).rejects.toThrow("no more addresses\na pod still runs\nthe bridge is busy");
    expect(stopped).toEqual(["nodes", "network", "folder"]);
  });
});
