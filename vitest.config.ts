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
          testTimeout: 300_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
