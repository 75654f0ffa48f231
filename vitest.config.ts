import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // Threads start faster than processes; nothing here needs a process of its own.
    pool: "threads",
    projects: [
      {
        extends: true,
        test: {
          name: "core",
          globalSetup: ["test/support/tools.ts"],
          include: ["test/{unit,manifests,cli,alerts,live}/**/*.test.ts"],
          // Commands and servers are really started, and machines of pipelines are slow.
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: "validate",
          globalSetup: ["test/support/tools.ts"],
          include: ["test/validate/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: "proof",
          globalSetup: ["test/support/tools.ts"],
          include: ["test/proof/**/*.test.ts"],
          // One control plane at a time: it takes a gigabyte, and both cores as it starts.
          fileParallelism: false,
          // Every wait in a proof ends by itself and says what it was for; vitest would only say that it took long, and what it
          // has given up would go on breaking things under the next test. So this is longer than all waits of one test together.
          testTimeout: 10_800_000,
          hookTimeout: 10_800_000,
        },
      },
    ],
  },
});
